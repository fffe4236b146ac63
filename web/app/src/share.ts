// What another app shared with this one. The service worker puts it into a cache; `#/share` is where
// the page is sent. It stays in the cache until it is in a conversation, or nobody wants it.

/** The cache in which it waits. Signing out deletes it. */
export const SHARED = "clownfish-shared";

/** What is taken at a time. */
export const SHARE_LIMIT = { files: 20, bytes: 100 * 1024 * 1024, text: 10_000 };

export interface Shared {
  text: string;
  files: File[];
  /** Some of it was too much. */
  cut: boolean;
}

/** Whether something that was shared waits. */
export function hasShared(): Promise<boolean> {
  return caches.has(SHARED);
}

/** Forgets what was shared. */
export async function dropShared(): Promise<void> {
  await caches.delete(SHARED);
}

/** The text is in a draft; what was shared beside it still waits. */
export async function dropSharedText(): Promise<void> {
  if (await hasShared()) await (await caches.open(SHARED)).put("/share/text", new Response(""));
}

/**
 * Puts something beside what waits already: nobody who shares takes from what was shared before. What does not
 * fit is left out, and that is noted.
 */
export function addShared(text: string, files: readonly File[]): Promise<void> {
  return navigator.locks.request(SHARED, async () => {
    const waits = (await readShared()) ?? { text: "", files: [], cut: false };
    const whole = [waits.text, text].filter(Boolean).join("\n");
    const all = [...waits.files, ...files];
    const size = all.reduce((sum, one) => sum + one.size, 0);
    const fits = all.length <= SHARE_LIMIT.files && size <= SHARE_LIMIT.bytes;
    const cut = waits.cut || !fits || whole.length > SHARE_LIMIT.text;
    await keepShared({ text: whole.slice(0, SHARE_LIMIT.text), files: fits ? all : waits.files, cut });
  });
}

/** Keeps this of what was shared, and nothing else. */
export async function keepShared({ text, files, cut }: Shared): Promise<void> {
  const cache = await caches.open(SHARED);
  await cache.put("/share/text", new Response(text));
  for (const [at, one] of files.entries()) {
    const headers = { "content-type": one.type, "x-name": encodeURIComponent(one.name) };
    await cache.put(`/share/${at}`, new Response(one, { headers }));
  }
  for (let at = files.length; at < SHARE_LIMIT.files; at += 1) await cache.delete(`/share/${at}`);
  // The page says it.
  if (cut) await cache.put("/share/cut", new Response(""));
  else await cache.delete("/share/cut");
}

/** What was shared; `null` when there is nothing. */
export async function readShared(): Promise<Shared | null> {
  if (!(await hasShared())) return null;
  const cache = await caches.open(SHARED);
  const text = (await (await cache.match("/share/text"))?.text()) ?? "";
  const files: File[] = [];
  for (let at = 0; at < SHARE_LIMIT.files; at += 1) {
    const answer = await cache.match(`/share/${at}`);
    if (!answer) break;
    const name = decodeURIComponent(answer.headers.get("x-name") ?? "");
    const type = answer.headers.get("content-type") ?? "";
    files.push(new File([await answer.blob()], name || "file", { type }));
  }
  const cut = (await cache.match("/share/cut")) !== undefined;
  if (text || cut || files.length > 0) return { text, files, cut };
  await dropShared();
  return null;
}
