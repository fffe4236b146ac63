// SHA-1 (RFC 3174), for colours only: the one of the browser answers later, and a colour is needed
// while drawing.

/** The hash of some bytes, 20 bytes. */
export function sha1(bytes: Uint8Array): Uint8Array {
  const blocks = ((bytes.length + 8) >> 6) + 1;
  const padded = new DataView(new ArrayBuffer(blocks * 64));
  bytes.forEach((byte, at) => padded.setUint8(at, byte));
  padded.setUint8(bytes.length, 0x80);
  padded.setUint32(blocks * 64 - 8, Math.floor(bytes.length / 0x2000_0000));
  padded.setUint32(blocks * 64 - 4, bytes.length << 3);

  const state = new Uint32Array([0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0]);
  const words = new Uint32Array(80);
  for (let block = 0; block < blocks; block++) {
    for (let i = 0; i < 16; i++) words[i] = padded.getUint32(block * 64 + i * 4);
    round(state, words);
  }
  const hash = new DataView(new ArrayBuffer(20));
  state.forEach((word, at) => hash.setUint32(at * 4, word));
  return new Uint8Array(hash.buffer);
}

function round(state: Uint32Array, words: Uint32Array): void {
  const word = (at: number): number => words[at] ?? 0;
  for (let i = 16; i < 80; i++) {
    words[i] = turn(word(i - 3) ^ word(i - 8) ^ word(i - 14) ^ word(i - 16), 1);
  }
  let [a, b, c, d, e] = state as unknown as [number, number, number, number, number];
  for (let i = 0; i < 80; i++) {
    const [mixed, constant] =
      i < 20
        ? [(b & c) | (~b & d), 0x5a82_7999]
        : i < 40
          ? [b ^ c ^ d, 0x6ed9_eba1]
          : i < 60
            ? [(b & c) | (b & d) | (c & d), 0x8f1b_bcdc]
            : [b ^ c ^ d, 0xca62_c1d6];
    const next = (turn(a, 5) + (mixed >>> 0) + e + constant + word(i)) >>> 0;
    [e, d, c, b, a] = [d, c, turn(b, 30), a, next];
  }
  [a, b, c, d, e].forEach((part, at) => {
    state[at] = ((state[at] ?? 0) + part) >>> 0;
  });
}

function turn(word: number, by: number): number {
  return ((word << by) | (word >>> (32 - by))) >>> 0;
}
