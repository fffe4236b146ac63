// Whether there is an account, as far as it is known before the core has opened its store: whoever has
// none can begin to choose a name while the core starts, and what they ask of it waits.

import { effect } from "@preact/signals";

import type { Store } from "../../state/store";
import { forget } from "./settings";

const KEY = "clownfish:has-account";

/** Whether this browser had an account when the page was last open. */
export function expectsAccount(): boolean {
  try {
    return localStorage.getItem(KEY) !== null;
  } catch {
    return false;
  }
}

/**
 * Notes it for the next start. Where there was one and is none any more, what the page keeps outside of
 * the store goes as well: after signing out, erasing everything, and also when the page was closed
 * before it could do so.
 */
export function startExpecting(store: Store): void {
  effect(() => {
    const account = store.account.value;
    if (account) expectAccount(true);
    else if (account === null && expectsAccount()) void forget();
  });
}

export function expectAccount(there: boolean): void {
  try {
    if (there) localStorage.setItem(KEY, "");
    else localStorage.removeItem(KEY);
  } catch {
    // The next start shows the welcome until the core has said that there is an account.
  }
}
