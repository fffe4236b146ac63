// Small pictures that travel in the message of a large one, as `data:` addresses (XEP-0264), and the few
// colours that other programs send in their place.

import { decode, isBlurhashValid } from "blurhash";
import { thumbHashToRGBA } from "thumbhash";

import { drawableThumbnail } from "../../kit/sides";

const FORM = /^data:(image\/(?:jpeg|png|webp));base64,([A-Za-z0-9+/]+={0,2})$/;

/** The picture in such an address; `null` if there is none. */
export function pictureIn(uri: string): Blob | null {
  const [, type, base64] = FORM.exec(uri) ?? [];
  if (type === undefined || base64 === undefined) return null;
  try {
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    return drawableThumbnail(bytes) ? new Blob([bytes], { type }) : null;
  } catch {
    return null;
  }
}

/** Pixels, four bytes each. */
export interface Pixels {
  width: number;
  height: number;
  rgba: Uint8ClampedArray<ArrayBuffer>;
}

const BLURRED = /^data:image\/blurhash,([A-Za-z0-9#$%*+,\-.:;=?@[\]^_{|}~]{6,166})$/;
const HASHED = /^data:image\/thumbhash;base64,([A-Za-z0-9+/]{7,90}={0,2})$/;
/** Pixels of a side of what is drawn from a few colours: it is stretched anyway. */
const SIDE = 32;

/** What a few colours look like; `null` if the address holds none. */
export function coloursIn(uri: string): Pixels | null {
  try {
    const [, blurred] = BLURRED.exec(uri) ?? [];
    if (blurred !== undefined && isBlurhashValid(blurred).result) {
      return { width: SIDE, height: SIDE, rgba: new Uint8ClampedArray(decode(blurred, SIDE, SIDE)) };
    }
    const [, hashed] = HASHED.exec(uri) ?? [];
    if (hashed === undefined) return null;
    const bytes = Uint8Array.from(atob(hashed), (letter) => letter.charCodeAt(0));
    const { w, h, rgba } = thumbHashToRGBA(bytes);
    // A hash that is cut off, or made up, gives no numbers.
    if (!(w > 0 && h > 0 && w <= SIDE && h <= SIDE)) return null;
    return { width: w, height: h, rgba: new Uint8ClampedArray(rgba) };
  } catch {
    return null;
  }
}

/** Such an address for a picture. */
export async function uriOf(picture: Blob): Promise<string> {
  const bytes = new Uint8Array(await picture.arrayBuffer());
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return `data:${picture.type};base64,${btoa(text)}`;
}
