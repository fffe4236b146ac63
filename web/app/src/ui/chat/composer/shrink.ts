import { moves } from "../../kit/moving";
import { photographs, shrinks } from "../logic/attach";
import { renamed, typeOf, within } from "../logic/files";

/** No side of a smaller picture is longer. */
const SIDE = 2_048;
const QUALITY = 0.85;

/**
 * A picture drawn anew, smaller if it was large, and without what the camera noted in it. What is no
 * picture of a camera, or moves, comes back as it is; `null` for a picture that cannot be drawn here.
 */
export async function shrink(file: File): Promise<File | null> {
  const type = typeOf({ name: file.name, mediaType: file.type });
  if (!photographs(type)) return file;
  if (!shrinks(type)) return null;
  if (await moves(file)) return file;
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    return null;
  }
  const { width, height } = within(bitmap.width, bitmap.height, SIDE);
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const draw = canvas.getContext("2d");
  // Drawings and screenshots stay sharp; photographs become JPEG.
  const made = type === "image/png" ? "image/png" : "image/jpeg";
  if (draw && made === "image/jpeg") {
    draw.fillStyle = "#ffffff";
    draw.fillRect(0, 0, width, height);
  }
  draw?.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, made, QUALITY));
  if (!draw || !blob) return null;
  const name = made === type ? file.name : renamed(file.name, "jpg");
  return new File([blob], name, { type: made });
}
