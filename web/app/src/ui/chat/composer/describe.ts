import type { Picture } from "../../../core/types";
import { kindOf, typeOf, within } from "../logic/files";
import { uriOf } from "../logic/thumbnail";

/** Longest side of what is shown of a picture before it is fetched: about a kilobyte. */
const SIDE = 40;
const QUALITY = 0.5;

/** What others are told of a picture before they fetch it, with the words for it; `null` for what is none. */
export async function pictureOf(file: Blob & { name: string }, description = ""): Promise<Picture | null> {
  if (kindOf({ name: file.name, mediaType: file.type }) !== "picture") return null;
  const type = typeOf({ name: file.name, mediaType: file.type });
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    return null;
  }
  const { width, height } = bitmap;
  const small = within(width, height, SIDE);
  const canvas = document.createElement("canvas");
  canvas.width = small.width;
  canvas.height = small.height;
  const draw = canvas.getContext("2d");
  // What can be seen through has no place in a JPEG.
  if (draw && type !== "image/png") {
    draw.fillStyle = "#ffffff";
    draw.fillRect(0, 0, small.width, small.height);
  }
  draw?.drawImage(bitmap, 0, 0, small.width, small.height);
  bitmap.close();
  const kind = type === "image/png" ? "image/png" : "image/jpeg";
  const blob = draw && (await new Promise<Blob | null>((done) => canvas.toBlob(done, kind, QUALITY)));
  return { width, height, thumbnail: blob ? await uriOf(blob) : null, description: description || null };
}
