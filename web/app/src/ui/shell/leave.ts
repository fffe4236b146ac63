// After an account: the page is loaded anew, so that nothing of it is left in the memory of any window
// (drafts, files, places, pictures), and none comes back out of the browser's cache for going back.

import { effect, signal } from "@preact/signals";

import type { CoreHost } from "../../core/api";
import { go, route } from "../../route";
import type { Store } from "../../state/store";
import { expectsAccount, whenClean, worked } from "./expected";

/** The account is gone from this page, which is about to be loaded anew. */
export const leaving = signal(false);

export function startLeaving(store: Store, host: CoreHost): void {
  watchAccount(store, host);
  watchOthers(store, host);
  guardCache(store);
  effect(() => {
    // Whoever goes back finds nobody's name in the address bar.
    const to = route.value;
    const nobody = store.account.value === null || (host.state.value.is === "elsewhere" && !expectsAccount());
    if (nobody && "address" in to && to.address !== null) go({ at: "list" }, true);
  });
}

/**
 * Waits for the next core when the account goes: the one that had it removes what it kept, and ends by that. A
 * window that got the account back from another one hears of it only then.
 */
function watchAccount(store: Store, host: CoreHost): void {
  let [core, had, is, last] = [0, 0, "", store.account.peek()];
  effect(() => {
    const [state, account] = [host.state.value.is, store.account.value];
    if (state === "working" && is !== "working") core += 1;
    is = state;
    if (account && account !== last && worked(account)) had = core;
    last = account;
    if (account !== null || had === 0) return;
    leaving.value = true;
    if ((state === "working" && core > had) || state === "elsewhere") void begin();
  });
}

/**
 * A window without the account that still knows of it, when another one signs out. Where nobody is signed in, the
 * window that somebody turns to is the one that can be used.
 */
function watchOthers(store: Store, host: CoreHost): void {
  const look = () => {
    const idle = host.state.peek().is === "elsewhere" && !expectsAccount() && !leaving.peek();
    if (idle && document.visibilityState === "visible" && document.hasFocus()) host.useHere();
  };
  effect(() => {
    if (host.state.value.is === "elsewhere" && !expectsAccount() && store.account.peek()) void begin();
  });
  for (const what of ["focus", "pointerdown", "keydown"]) addEventListener(what, look, { capture: true });
  document.addEventListener("visibilitychange", look);
}

/** What the browser keeps of the page to go back to it shows nothing until it is known whose it is. */
function guardCache(store: Store): void {
  window.addEventListener("pagehide", ({ persisted }) => {
    if (persisted) document.body.hidden = true;
  });
  window.addEventListener("pageshow", ({ persisted }) => {
    if (persisted && store.account.peek() && !expectsAccount()) return void begin();
    document.body.hidden = false;
  });
}

async function begin(): Promise<void> {
  leaving.value = true;
  await whenClean();
  // Without what is behind the #, it is another page: it is loaded.
  location.replace("/");
}
