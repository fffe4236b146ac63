// Notifications that wait, because another device of the account is in use, where they may be seen (ADR 28). The core
// says it when they are due. A page that the browser stops before that hears nothing more: it hands them to the
// service worker, which shows them.

import type { Notification as Notice } from "../../state/store";

/** The core lets go of what has waited this long; a little more, in milliseconds, so that none is missed. */
const WAITS = 20_000;
/** So many at once; the core has as many. */
const MOST = 1000;

const held = new Map<number, { notice: Notice; since: number }>();
/** Those that were shown before they were due. */
const handed = new Set<number>();

/** It waits. */
export function hold(notice: Notice): void {
  letGo();
  if (notice.message === null) return;
  // Those that wait longest stand first.
  held.delete(notice.message);
  if (held.size < MOST) held.set(notice.message, { notice, since: Date.now() });
}

/** What the core has not told of for so long was seen. */
function letGo(): void {
  for (const [message, { since }] of held) {
    if (Date.now() - since <= WAITS) return;
    held.delete(message);
  }
}

/** A message is gone; without one, whatever waits of this conversation. */
export function dropHeld(address: string, gone: number | null): void {
  for (const [message, { notice }] of held) {
    if (notice.address === address && (gone === null || gone === message)) held.delete(message);
  }
}

/** How many wait. */
export function heldCount(): number {
  return held.size;
}

/** It is due. Whether it was shown before. */
export function wasHanded({ message }: Notice): boolean {
  if (message === null) return false;
  held.delete(message);
  return handed.delete(message);
}

/** The page is about to be stopped: gives out what waits, unless it is `over` of the newest in its conversation. */
export function handOver(show: (notice: Notice) => void, over: (newest: Notice) => boolean): void {
  letGo();
  const newest = new Map([...held.values()].map(({ notice }) => [notice.address, notice]));
  for (const [message, { notice }] of held) {
    held.delete(message);
    if (newest.get(notice.address) === notice && over(notice)) continue;
    if (handed.size < MOST) handed.add(message);
    show(notice);
  }
}

/** Nobody is signed in any more. */
export function forgetHeld(): void {
  held.clear();
  handed.clear();
}
