// Whether the clock of this device is right, by that of the server that gave the page. A wrong one
// loses nothing, but puts messages under days that are not theirs.

import { effect, signal, type ReadonlySignal } from "@preact/signals";

import type { Store } from "../../state/store";

/** A difference of so many milliseconds is no trouble to anybody. */
const FINE = 5 * 60_000;

const ahead = signal(0);

/** How far the clock is ahead of the server's, in milliseconds; 0 while that is little or unknown. */
export const clockAhead: ReadonlySignal<number> = ahead;

/** Compares the clocks whenever there is a new connection. */
export function watchTheClock(store: Store): void {
  let before = false;
  effect(() => {
    const online = store.account.value?.connection.is === "online";
    if (online && !before) void compare();
    before = online;
  });
}

async function compare(): Promise<void> {
  const from = Date.now();
  const answer = await fetch("/", { method: "HEAD", cache: "no-store" }).catch(() => null);
  const until = Date.now();
  const said = Date.parse(answer?.headers.get("date") ?? "");
  if (Number.isNaN(said)) return;
  ahead.value = difference(from, until, said);
}

/** How far a clock is ahead that showed `from` and `until` around the moment of the server's `said`. */
export function difference(from: number, until: number, said: number): number {
  const found = from > said ? from - said : Math.min(0, until - said);
  return Math.abs(found) < FINE ? 0 : found;
}
