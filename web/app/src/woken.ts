// What the page and its service worker share about notifications. The service worker cannot read what
// was chosen in the page, and may be at work while no page is; both know the same cache.

/** Names the notification of the service worker, which the page replaces by its own, or takes away when
 * it is looked at. No address of a conversation is like this. */
export const WOKEN_TAG = "clownfish woken";

/** The cache of both. Signing out deletes it. */
export const NOTES = "clownfish-notes";

/** What the server says that there is, in words. */
export interface Told {
  message: string;
  call: string;
  request: string;
  /** Without a sound. */
  silent: boolean;
}

const TOLD = "/notes/told";
const ACTS = "/notes/act/";

/** Keeps the words for the service worker. */
export async function keepTold(told: Told): Promise<void> {
  await (await caches.open(NOTES)).put(TOLD, Response.json(told));
}

/** What was kept, if anything was. */
export async function readTold(): Promise<Partial<Told>> {
  const kept = await caches.match(TOLD, { cacheName: NOTES });
  return kept ? ((await kept.json()) as Partial<Told>) : {};
}

/** What was pressed in a notification, for the page to do. */
export interface Act {
  address: string;
  /** What was written there; `null` to mark as read. */
  reply: string | null;
}

/** Keeps it until a page does it. */
export async function keepAct(act: Act): Promise<void> {
  await (await caches.open(NOTES)).put(ACTS + crypto.randomUUID(), Response.json(act));
}

/** Takes everything that was pressed. */
export async function takeActs(): Promise<Act[]> {
  if (!(await caches.has(NOTES))) return [];
  const cache = await caches.open(NOTES);
  const acts: Act[] = [];
  for (const request of await cache.keys()) {
    if (!new URL(request.url).pathname.startsWith(ACTS)) continue;
    const kept = await cache.match(request);
    // Another window may have been quicker.
    if (kept && (await cache.delete(request))) acts.push((await kept.json()) as Act);
  }
  return acts;
}
