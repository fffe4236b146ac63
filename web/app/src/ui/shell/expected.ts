// Whether there is an account, as far as it is known before the core has opened its store: whoever has
// none can begin to choose a name while the core starts, and what they ask of it waits.

import { effect, signal } from "@preact/signals";

import type { Account, Outcome } from "../../core/types";
import type { Store } from "../../state/store";
import { withdrawAll } from "./notify";
import { forget } from "./settings";

const KEY = "clownfish:has-account";
/** What is noted for the next start: there is one; somebody tries to get into one, which never worked here; somebody
 * is about to take it away; it is gone, and nobody did. */
const HERE = "";
const TRIED = "tried";
const LEAVING = "leaving";
const LOST = "lost";

const noted = signal(stored());
/** This page has seen an account. */
let seen = false;
let cleaned: Promise<unknown> = Promise.resolve();

// Another window signs in or out.
window.addEventListener("storage", ({ key }) => {
  if (key === KEY || key === null) noted.value = stored();
});

// A page that was kept for going back heard nothing of that.
window.addEventListener("pageshow", ({ persisted }) => {
  if (persisted) noted.value = stored();
});

/** Whether this browser has an account, or had one when the page was last open. Read while drawing. */
export function expectsAccount(): boolean {
  return noted.value !== null && noted.value !== LOST;
}

/** Whether the account that was here is gone, although nobody signed out: the browser deleted it. Read while drawing. */
export function lostAccount(): boolean {
  return noted.value === LOST;
}

/** Somebody has read that. */
export function acceptLoss(): void {
  note(null);
}

/**
 * Notes it for the next start. Where there was one and is none any more, what the page keeps outside of
 * the store goes as well: after signing out, erasing everything, and also when the page was closed
 * before it could do so.
 */
export function startExpecting(store: Store): void {
  effect(() => {
    const account = store.account.value;
    if (account) {
      if (!seen || noted.peek() !== LEAVING) note(worked(account) || noted.peek() === HERE ? HERE : TRIED);
      seen = true;
    } else if (account === null && noted.peek() !== null && noted.peek() !== LOST) {
      const lost = noted.peek() === HERE && !seen;
      cleaned = Promise.all([forget(), withdrawAll()]);
      note(lost ? LOST : null);
    }
  });
}

/** One that never got so far as to have keys is a slip while signing in, or its server is lost: nothing was kept. */
export function worked({ device, connection }: Account): boolean {
  return device !== null || connection.is === "catchingUp" || connection.is === "online";
}

/** Ends when what was of an account that is gone is gone as well. */
export function whenClean(): Promise<unknown> {
  return cleaned;
}

/** The account is about to go because somebody wants it: it will not be missed. */
export async function leaves(going: () => Promise<Outcome>): Promise<Outcome> {
  note(LEAVING);
  const outcome = await going();
  if (outcome.is === "failed") note(HERE);
  return outcome;
}

/** The same, when all that is kept here is about to be erased. */
export function leavesNow(): void {
  note(LEAVING);
}

/** Says whether there is one, where it is known otherwise. */
export function expectAccount(is: boolean): void {
  note(is ? HERE : null);
}

function note(what: string | null): void {
  noted.value = what;
  try {
    if (what === null) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, what);
  } catch {
    // The next start shows the welcome until the core has said that there is an account.
  }
}

function stored(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}
