// What is known about a picture from its type and name, before it is made smaller.

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
