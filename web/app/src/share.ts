// What another app shared with this one. The service worker puts it into a cache; `#/share` is where the page is
// sent. It stays in the cache, piece by piece, until the piece is in a conversation, or nobody wants it.
//
// Each time something is shared is a share of its own. A window that offers one has its lock, so that no other
// window offers it as well; when the window is closed, what is left is free again.

import { cutAt } from "./cut";

/** The cache in which it waits. Signing out deletes it. */
export const SHARED = "clownfish-shared";

/** What waits at most to be given to a conversation. */
export const SHARE_LIMIT = { files: 20, bytes: 100 * 1024 * 1024, texts: 20, text: 10_000 };
/** So many times as much is kept with what was given to conversations and was not sent yet. */
const WITH_GIVEN = 4;

/** One text, or one file. Its path is its name in the cache. */
export type Piece = { path: string; text: string } | { path: string; file: File };

export interface Shared {
  pieces: Piece[];
  /** Some of what came was too much. */
  cut: boolean;
}

/** Milliseconds in which a window that is being closed lets go of what it had. */
const PATIENCE = 500;
const CUT = "/share/cut";

/** A share that is this window's. */
interface Claim {
  release(): void;
  /** It is where it will be sent from, and is not offered again: a second lock says so to all. */
  given: (() => void) | null;
}

const claims = new Map<string, Claim>();

/** Puts something beside what waits already. What does not fit is left out, and that is noted. */
export function addShared(text: string, files: readonly File[]): Promise<void> {
  return navigator.locks.request(SHARED, async () => {
    const cache = await caches.open(SHARED);
    const names = await heldNames();
    const waits = await measured(cache, (share) => !names.has(givenOf(share)));
    const all = await measured(cache, () => true);
    const size = files.reduce((sum, one) => sum + one.size, 0);
    const fitsTo = (sum: Sum, times: number) =>
      sum.files + files.length <= times * SHARE_LIMIT.files && sum.bytes + size <= times * SHARE_LIMIT.bytes;
    const fits = fitsTo(waits, 1) && fitsTo(all, WITH_GIVEN);
    const room = waits.texts < SHARE_LIMIT.texts ? Math.max(0, SHARE_LIMIT.text - waits.text) : 0;
    // Those that came first stand first.
    const share = `${String(Date.now()).padStart(15, "0")}-${crypto.randomUUID()}`;
    const kept = cutAt(text, room);
    if (kept !== "") await cache.put(`/share/${share}/text`, new Response(kept, { headers: sizeOf(kept.length) }));
    for (const [at, one] of (fits ? files : []).entries()) {
      const headers = { "content-type": one.type, "x-name": encodeURIComponent(one.name), ...sizeOf(one.size) };
      await cache.put(`/share/${share}/${at}`, new Response(one, { headers }));
    }
    if (!fits || kept.length < text.length) await cache.put(CUT, new Response(""));
  });
}

/** Whether something waits that no window has. */
export async function hasShared(): Promise<boolean> {
  if ((await shares()).length === 0) return false;
  if (await anyFree()) return true;
  // A window that was loaded anew may not have let go of it yet.
  await pause();
  return anyFree();
}

/** What this window offers now: all that no other window has, and that it has not given to a conversation. */
export async function takeShared(): Promise<Shared> {
  const all = (await shares()).filter((share) => !claims.get(share)?.given);
  const offered = await claimed(all);
  if (offered.length < all.length) {
    await pause();
    offered.push(...(await claimed(all.filter((share) => !offered.includes(share)))));
  }
  const nothing: Shared = { pieces: [], cut: false };
  // Read once they are this window's: another one may have dropped some of it until then.
  return within(nothing, async (cache) => {
    const pieces: Piece[] = [];
    for (const path of await paths(cache)) {
      const answer = offered.includes(shareOf(path)) ? await cache.match(path) : undefined;
      if (answer) pieces.push(await piece(path, answer));
    }
    return { pieces, cut: (await cache.match(CUT)) !== undefined };
  });
}

/** These were given to a conversation, which has them until they are dropped. */
export function keepGiven(pieces: readonly Piece[]): void {
  for (const { path } of pieces) {
    const share = shareOf(path);
    const known = claims.get(share);
    if (!known || known.given) continue;
    known.given = () => {};
    const isOver = () => claims.get(share) !== known;
    const hold = () => new Promise<void>((end) => (isOver() ? end() : (known.given = end)));
    void navigator.locks.request(givenOf(share), hold).catch(() => undefined);
  }
}

/** This window offers them no longer; another one may. */
export function releaseShared(): void {
  for (const [share, { release, given }] of claims) {
    if (given) continue;
    claims.delete(share);
    release();
  }
}

/** A piece is where it belongs, or nobody wants it. */
export async function dropPiece(path: string): Promise<void> {
  const share = shareOf(path);
  const left = await within(false, async (cache) => {
    await cache.delete(path);
    return (await paths(cache)).some((one) => shareOf(one) === share);
  });
  if (left) return;
  const known = claims.get(share);
  claims.delete(share);
  known?.release();
  known?.given?.();
}

/** Somebody has read that something was too much. */
export async function dropCut(): Promise<void> {
  await within(false, (cache) => cache.delete(CUT));
}

/** Nobody is signed in any more: all of it goes. */
export async function forgetShared(): Promise<void> {
  await navigator.locks.request(SHARED, () => caches.delete(SHARED));
  const had = [...claims.values()];
  claims.clear();
  for (const { release, given } of had) {
    release();
    given?.();
  }
}

/** Does something with what waits, and nothing where nothing does: the cache is not made anew by that. */
async function within<T>(nothing: T, work: (cache: Cache) => Promise<T>): Promise<T> {
  let answer = nothing;
  await navigator.locks.request(SHARED, async () => {
    if (await caches.has(SHARED)) answer = await work(await caches.open(SHARED));
  });
  return answer;
}

/** Those of them that are this window's now. */
async function claimed(some: readonly string[]): Promise<string[]> {
  const had: string[] = [];
  for (const share of some) if (await claim(share)) had.push(share);
  return had;
}

/** Has a share to itself, as long as this window is open or until it lets go of it. */
function claim(share: string): Promise<boolean> {
  if (claims.has(share)) return Promise.resolve(true);
  return new Promise((done) => {
    const hold = (lock: Lock | null) => {
      if (lock === null) return done(claims.has(share));
      return new Promise<void>((release) => {
        claims.set(share, { release, given: null });
        done(true);
      });
    };
    navigator.locks.request(lockOf(share), { ifAvailable: true }, hold).catch(() => done(false));
  });
}

function pause(): Promise<void> {
  return new Promise((enough) => setTimeout(enough, PATIENCE));
}

async function anyFree(): Promise<boolean> {
  const names = await heldNames();
  return (await shares()).some((share) => !names.has(lockOf(share)));
}

/** The locks that some window has. */
async function heldNames(): Promise<ReadonlySet<string | undefined>> {
  const { held } = await navigator.locks.query();
  return new Set(held?.map(({ name }) => name));
}

function lockOf(share: string): string {
  return `${SHARED} ${share}`;
}

function givenOf(share: string): string {
  return `${SHARED} given ${share}`;
}

/** The shares of which something waits, the first first. */
function shares(): Promise<string[]> {
  return within<string[]>([], async (cache) => [...new Set((await paths(cache)).map(shareOf))]);
}

/** Where the pieces are: those of a share together, its text first, the files in their order. */
async function paths(cache: Cache): Promise<string[]> {
  const all = (await cache.keys()).map(({ url }) => new URL(url).pathname).filter((path) => PIECE.test(path));
  const place = (path: string) => Number(PIECE.exec(path)?.[2] ?? -1);
  return all.sort((a, b) => (shareOf(a) < shareOf(b) ? -1 : shareOf(a) > shareOf(b) ? 1 : place(a) - place(b)));
}

const PIECE = /^\/share\/([\w-]+)\/(?:text|(\d+))$/;

function shareOf(path: string): string {
  return PIECE.exec(path)?.[1] ?? "";
}

async function piece(path: string, answer: Response): Promise<Piece> {
  if (path.endsWith("/text")) return { path, text: await answer.text() };
  const name = decodeURIComponent(answer.headers.get("x-name") ?? "");
  const type = answer.headers.get("content-type") ?? "";
  return { path, file: new File([await answer.blob()], name || "file", { type }) };
}

async function measured(cache: Cache, counts: (share: string) => boolean): Promise<Sum> {
  const sum = { files: 0, bytes: 0, texts: 0, text: 0 };
  for (const path of await paths(cache)) {
    if (!counts(shareOf(path))) continue;
    const size = Number((await cache.match(path))?.headers.get(SIZE) ?? 0);
    if (path.endsWith("/text")) {
      sum.texts += 1;
      sum.text += size;
    } else {
      sum.files += 1;
      sum.bytes += size;
    }
  }
  return sum;
}

interface Sum {
  files: number;
  bytes: number;
  texts: number;
  text: number;
}

/** How long a text is, how many bytes a file has: known without reading it. */
const SIZE = "x-size";

function sizeOf(size: number): Record<string, string> {
  return { [SIZE]: String(size) };
}
