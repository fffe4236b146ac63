// Pictures that move by themselves, told by their bytes: names and types say less, or nothing.

/** What of a picture is looked at: what says that it moves stands before what is drawn. */
const HEAD = 64 * 1024;
/** Pixels of a side of a picture that was brought to stand. */
const LARGEST = 384;

/** A picture as it is; of one that moves, the first of its pictures. */
export async function standing(picture: Blob): Promise<Blob> {
  if (!(await moves(picture))) return picture;
  const frame = await createImageBitmap(picture);
  try {
    const scale = Math.min(1, LARGEST / Math.max(frame.width, frame.height));
    const canvas = new OffscreenCanvas(Math.max(1, Math.round(frame.width * scale)), Math.max(1, Math.round(frame.height * scale)));
    canvas.getContext("2d")?.drawImage(frame, 0, 0, canvas.width, canvas.height);
    return await canvas.convertToBlob({ type: "image/png" });
  } finally {
    frame.close();
  }
}

/** Whether a picture can have more than one frame. */
export async function moves(picture: Blob): Promise<boolean> {
  return mayMove(new Uint8Array(await picture.slice(0, HEAD).arrayBuffer()));
}

/** Whether one that begins so can have more than one frame: GIF, APNG, WebP and AVIF. */
export function mayMove(head: Uint8Array): boolean {
  if (says(head, 0, "GIF8")) return true;
  if (says(head, 1, "PNG\r\n")) return animatedPng(head);
  if (says(head, 0, "RIFF") && says(head, 8, "WEBP")) return says(head, 12, "VP8X") && ((head[20] ?? 0) & 2) !== 0;
  return says(head, 4, "ftyp") && says(head, 8, "avis");
}

/** Its frames are announced before the first of them (APNG: `acTL` comes before `IDAT`). */
function animatedPng(head: Uint8Array): boolean {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  for (let at = 8; at + 8 <= head.length; at += 12 + view.getUint32(at)) {
    if (says(head, at + 4, "acTL")) return true;
    if (says(head, at + 4, "IDAT")) return false;
  }
  // Too much stands before it to know.
  return head.length === HEAD;
}

/** Whether a word stands at a place in bytes. */
export function says(bytes: Uint8Array, at: number, word: string): boolean {
  return [...word].every((letter, index) => bytes[at + index] === letter.charCodeAt(0));
}
