// Small pictures that travel in the message of a large one, as `data:` addresses (XEP-0264).

const FORM = /^data:(image\/(?:jpeg|png|webp));base64,([A-Za-z0-9+/]+={0,2})$/;

/** The picture in such an address; `null` if there is none. */
export function pictureIn(uri: string): Blob | null {
  const [, type, base64] = FORM.exec(uri) ?? [];
  if (type === undefined || base64 === undefined) return null;
  try {
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    return new Blob([bytes], { type });
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
