// Whether there is an account, as far as it is known before the core has opened its store: whoever has
// none can begin to choose a name while the core starts, and what they ask of it waits.

import { effect, signal } from "@preact/signals";

import type { Store } from "../../state/store";
import { withdrawAll } from "./notify";
import { forget } from "./settings";

const KEY = "clownfish:has-account";

const there = signal(stored());
let cleaned: Promise<unknown> = Promise.resolve();

// Another window signs in or out.
window.addEventListener("storage", ({ key }) => {
  if (key === KEY || key === null) there.value = stored();
});

// A page that was kept for going back heard nothing of that.
window.addEventListener("pageshow", ({ persisted }) => {
  if (persisted) there.value = stored();
});

/** Whether this browser has an account, or had one when the page was last open. Read while drawing. */
export function expectsAccount(): boolean {
  return there.value;
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
    else if (account === null && there.peek()) {
      there.value = false;
      cleaned = Promise.all([forget(), withdrawAll()]);
    }
  });
}

/** Ends when what was of an account that is gone is gone as well. */
export function whenClean(): Promise<unknown> {
  return cleaned;
}

export function expectAccount(is: boolean): void {
  there.value = is;
  try {
    if (is) localStorage.setItem(KEY, "");
    else localStorage.removeItem(KEY);
  } catch {
    // The next start shows the welcome until the core has said that there is an account.
  }
}

function stored(): boolean {
  try {
    return localStorage.getItem(KEY) !== null;
  } catch {
    return false;
  }
}
