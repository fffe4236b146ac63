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
  if (notice.message === null || held.size >= MOST) return;
  held.set(notice.message, { notice, since: Date.now() });
}

/** It is due. Whether it was shown before. */
export function wasHanded({ message }: Notice): boolean {
  if (message === null) return false;
  held.delete(message);
  return handed.delete(message);
}

/** The page is about to be stopped: gives out what waits. */
export function handOver(show: (notice: Notice) => void): void {
  for (const [message, { notice, since }] of held) {
    held.delete(message);
    // What the core has not told of since was seen.
    if (Date.now() - since > WAITS) continue;
    if (handed.size < MOST) handed.add(message);
    show(notice);
  }
}

/** Nobody is signed in any more. */
export function forgetHeld(): void {
  held.clear();
  handed.clear();
}
