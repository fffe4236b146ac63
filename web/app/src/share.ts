// What another app shared with this one. The service worker puts it into a cache, the page takes it
// out; `#/share` is where the page is sent.

/** The cache in which it waits. Signing out deletes it. */
export const SHARED = "clownfish-shared";

/** What is taken at a time. */
export const SHARE_LIMIT = { files: 20, bytes: 100 * 1024 * 1024, text: 10_000 };

export interface Shared {
  text: string;
  files: File[];
}

/** Takes what was shared; `null` when there is nothing. It is gone from the cache after that. */
export async function takeShared(): Promise<Shared | null> {
  if (!(await caches.has(SHARED))) return null;
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
  await caches.delete(SHARED);
  return text || files.length > 0 ? { text, files } : null;
}
