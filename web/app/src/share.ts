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
