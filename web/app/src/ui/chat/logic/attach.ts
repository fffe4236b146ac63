// What is known about a picture from its first bytes, before it is made smaller.

/** So many first bytes are enough. */
export const HEAD = 4_096;

/** Whether a picture moves: made smaller it would stand still. */
export function moves(head: Uint8Array): boolean {
  const text = Array.from(head.subarray(0, HEAD), (byte) => String.fromCharCode(byte)).join("");
  if (text.startsWith("GIF8")) return true;
  if (text.startsWith("RIFF") && text.slice(8, 16) === "WEBPVP8X") return ((head[20] ?? 0) & 2) !== 0;
  return text.startsWith("\x89PNG") && text.includes("acTL");
}

/** The types that can be made smaller. */
export function shrinks(type: string): boolean {
  return ["image/jpeg", "image/png", "image/webp", "image/avif", "image/bmp"].includes(type);
}

/** The types in which cameras note where and with what a picture was taken. */
export function photographs(type: string): boolean {
  return type.startsWith("image/") && !["image/gif", "image/svg+xml"].includes(type);
}

/** A name for what came without a useful one: from the clipboard, or from a camera. */
export function named(name: string, type: string, time: Date): string {
  if (name !== "" && !/^(image|blob|grafik)\.\w+$/i.test(name)) return name;
  const end = { "image/jpeg": "jpg", "image/png": "png", "image/webp": "webp", "image/gif": "gif" }[type];
  const two = (value: number) => String(value).padStart(2, "0");
  const day = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  const clock = `${two(time.getHours())}${two(time.getMinutes())}${two(time.getSeconds())}`;
  return `picture-${day}-${clock}.${end ?? name.split(".").at(-1) ?? "bin"}`;
}
