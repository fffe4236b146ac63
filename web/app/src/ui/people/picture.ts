// Pictures of people: read from a file, cut to a square, small enough for everybody (XEP-0084 §4.2.1:
// a PNG).

/** Most bytes of a picture that is shown to contacts. */
export const MOST_BYTES = 64 * 1024;
/** Sides that are tried, in pixels, until a picture is small enough. */
const SIDES = [384, 320, 256, 224, 192, 176, 160, 144, 128, 112, 96, 64] as const;

/** The part of a picture that is wanted: a square, in pixels of the picture. */
export interface Square {
  x: number;
  y: number;
  side: number;
}

/** A file as a picture, the right way up; `null` if the browser cannot read it. */
export async function bitmapOf(file: Blob): Promise<ImageBitmap | null> {
  try {
    return await createImageBitmap(file);
  } catch {
    return null;
  }
}

/** A square of a picture as a PNG that is small enough; `null` if the browser makes none. */
export async function cutOut(picture: ImageBitmap, square: Square): Promise<Blob | null> {
  for (const side of SIDES) {
    if (side > square.side && side !== SIDES[SIDES.length - 1]) continue;
    const blob = await drawn(picture, square, side);
    if (blob && blob.size <= MOST_BYTES) return blob;
  }
  return null;
}

function drawn(picture: ImageBitmap, { x, y, side }: Square, pixels: number): Promise<Blob | null> {
  const canvas = document.createElement("canvas");
  canvas.width = pixels;
  canvas.height = pixels;
  const context = canvas.getContext("2d");
  if (!context) return Promise.resolve(null);
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, x, y, side, side, 0, 0, pixels, pixels);
  return new Promise((done) => canvas.toBlob(done, "image/png"));
}

export async function base64(blob: Blob): Promise<string> {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

/** The largest square in the middle of a picture. */
export function middle(width: number, height: number): Square {
  const side = Math.min(width, height);
  return { x: (width - side) / 2, y: (height - side) / 2, side };
}

/** A square that is moved and resized about its middle, and stays within the picture. */
export function moved(square: Square, by: { x?: number; y?: number; side?: number }, width: number, height: number): Square {
  const most = Math.min(width, height);
  const side = Math.min(most, Math.max(Math.min(most, 32), by.side ?? square.side));
  const x = square.x + (square.side - side) / 2 + (by.x ?? 0);
  const y = square.y + (square.side - side) / 2 + (by.y ?? 0);
  return { x: within(x, width - side), y: within(y, height - side), side };
}

function within(value: number, most: number): number {
  return Math.max(0, Math.min(most, value));
}
