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
  /** A message of somebody who is no contact: neither who nor what. */
  stranger: string;
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

/** An act that waits. */
interface Waiting extends Act {
  /** A page has begun with it then, in milliseconds since 1970, and did not get to its end. */
  begun?: number;
}

/** One window at a time does what was pressed. */
const LOCK = "clownfish-acts";

/** Keeps it until a page does it. */
export async function keepAct(act: Act): Promise<void> {
  await (await caches.open(NOTES)).put(ACTS + crypto.randomUUID(), Response.json(act));
}

/**
 * Does what was pressed, one after the other, as long as `may`. Each waits until `done` says that it is
 * done; `begun` tells when it was tried before, if it was, and nobody knows what became of that.
 */
export function doActs(may: () => boolean, done: (act: Act, begun: number | null) => Promise<boolean>): Promise<void> {
  return navigator.locks.request(LOCK, async () => {
    if (!(await caches.has(NOTES))) return;
    const cache = await caches.open(NOTES);
    for (const request of await cache.keys()) {
      if (!new URL(request.url).pathname.startsWith(ACTS)) continue;
      const kept = await cache.match(request);
      if (!kept) continue;
      const { begun, ...act } = (await kept.json()) as Waiting;
      if (!may()) return;
      if (begun === undefined) await cache.put(request, Response.json({ ...act, begun: Date.now() }));
      if (await done(act, begun ?? null)) await cache.delete(request);
    }
  });
}
