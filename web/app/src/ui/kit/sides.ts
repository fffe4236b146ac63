// How large a picture says it is, before anything draws it: some hundred bytes can claim more pixels than a telephone
// has memory for.

import { says } from "./moving";

export interface Sides {
  width: number;
  height: number;
}

/** Pixels that are drawn at most, four bytes each: more than a good camera takes. */
const MOST_PIXELS = 60_000_000;
/** A thumbnail is shown instead of the picture, and is small. */
const MOST_THUMBNAIL_PIXELS = 1_000_000;
/** Bytes in which sides are looked for. Behind what cameras write about a picture, in most of them. */
const HEAD = 512 * 1024;

/** Whether a picture may be drawn: it is one of those that are known, and not too large. */
export async function drawable(picture: Blob): Promise<boolean> {
  return fits(new Uint8Array(await picture.slice(0, HEAD).arrayBuffer()), MOST_PIXELS);
}

/** The same for one that came with a message. */
export function drawableThumbnail(bytes: Uint8Array): boolean {
  return fits(bytes, MOST_THUMBNAIL_PIXELS);
}

function fits(head: Uint8Array, most: number): boolean {
  const sides = sidesIn(head);
  return sides !== null && sides.width > 0 && sides.height > 0 && sides.width * sides.height <= most;
}

/** The sides in the head of a PNG, GIF, BMP, JPEG, WebP or AVIF; `null` where there are none. */
export function sidesIn(head: Uint8Array): Sides | null {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  try {
    if (says(head, 1, "PNG\r\n")) return { width: view.getUint32(16), height: view.getUint32(20) };
    if (says(head, 0, "GIF8")) return gif(head, view);
    if (says(head, 0, "BM")) return bmp(view);
    if (head[0] === 0xff && head[1] === 0xd8) return jpeg(view);
    if (says(head, 0, "RIFF") && says(head, 8, "WEBP")) return webp(head, view);
    return says(head, 4, "ftyp") ? avif(head, view) : null;
  } catch (error) {
    // It ends before.
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/** The screen, or the first picture where that is larger: browsers make room for it. */
function gif(head: Uint8Array, view: DataView): Sides {
  const sides = { width: view.getUint16(6, true), height: view.getUint16(8, true) };
  const flags = view.getUint8(10);
  let at = 13 + ((flags & 0x80) !== 0 ? 3 << ((flags & 7) + 1) : 0);
  while (head[at] === 0x21) {
    at += 2;
    for (let size = view.getUint8(at); size > 0; size = view.getUint8(at)) at += size + 1;
    at += 1;
  }
  if (head[at] !== 0x2c) return sides;
  return {
    width: Math.max(sides.width, view.getUint16(at + 5, true)),
    height: Math.max(sides.height, view.getUint16(at + 7, true)),
  };
}

/** Heights can be negative: the rows are in the other order then. */
function bmp(view: DataView): Sides {
  if (view.getUint32(14, true) === 12) return { width: view.getUint16(18, true), height: view.getUint16(20, true) };
  return { width: Math.abs(view.getInt32(18, true)), height: Math.abs(view.getInt32(22, true)) };
}

/** In the header of the frame (SOF), of which there are many kinds. */
function jpeg(view: DataView): Sides | null {
  for (let at = 2; ; ) {
    if (view.getUint8(at) !== 0xff) return null;
    const marker = view.getUint8(at + 1);
    const frame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (frame) return { width: view.getUint16(at + 7), height: view.getUint16(at + 5) };
    // Filling, and markers without a content.
    if (marker === 0xff) at += 1;
    else if (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd7)) at += 2;
    else at += 2 + view.getUint16(at + 2);
  }
}

function webp(head: Uint8Array, view: DataView): Sides | null {
  if (says(head, 12, "VP8 ")) return { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff };
  if (says(head, 12, "VP8L")) {
    const bits = view.getUint32(21, true);
    return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
  }
  if (!says(head, 12, "VP8X")) return null;
  const three = (at: number) => view.getUint16(at, true) + view.getUint8(at + 2) * 0x10000 + 1;
  return { width: three(24), height: three(27) };
}

/** The largest of the sides that its parts are said to have (`ispe`). */
function avif(head: Uint8Array, view: DataView): Sides | null {
  let found: Sides | null = null;
  for (let at = head.indexOf(0x69); at >= 0; at = head.indexOf(0x69, at + 1)) {
    if (!says(head, at, "ispe")) continue;
    const sides = { width: view.getUint32(at + 8), height: view.getUint32(at + 12) };
    if (!found || sides.width * sides.height > found.width * found.height) found = sides;
  }
  return found;
}
