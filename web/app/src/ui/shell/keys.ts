// The keys that work everywhere.

import { signal } from "@preact/signals";

import { above, closeOver, go, route } from "../../route";
import type { Store } from "../../state/store";
import { composing } from "../kit";
import { current, nextUnread } from "./conversations";
import { settings } from "./settings";

/** Counts up when the search shall have the focus. */
export const focusSearch = signal(0);
export const jumping = signal(false);
export const helping = signal(false);

export function openHelp(): void {
  helping.value = true;
}

/** Listens for them as long as the page is there. */
export function startKeys(store: Store): void {
  // Last of all: whatever is smaller than the page has had its turn, and prevents what it uses.
  window.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || composing(event) || !store.account.value) return;
    if (press(event, store)) event.preventDefault();
  });
}

/** Whether the key was one of them. */
function press(event: KeyboardEvent, store: Store): boolean {
  const command = event.ctrlKey || event.metaKey;
  if (command && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k") {
    jumping.value = true;
    return true;
  }
  if (document.querySelector("dialog[open]")) return false;
  // Alt changes the letter on some keyboards; the place of the key stays.
  if (event.altKey && !command && event.code === "KeyA") return jumpToUnread(store);
  if (event.altKey && !command && event.key === "ArrowDown") return step(store, 1);
  if (event.altKey && !command && event.key === "ArrowUp") return step(store, -1);
  if (event.altKey || command) return false;
  if (event.key === "Escape") return closeOver() || leave();
  if (writes(event.target) || !settings.peek().plainKeys) return false;
  if (event.key === "?") {
    helping.value = true;
    return true;
  }
  if (event.key === "/") {
    focusSearch.value += 1;
    return true;
  }
  return false;
}

export function jumpToUnread(store: Store): boolean {
  const address = nextUnread(store.list.value, current(), Date.now());
  if (address !== null) go({ at: "chat", address, message: null }, route.value.at === "chat");
  return address !== null;
}

function step(store: Store, by: number): boolean {
  const list = store.list.value.filter((one) => !one.request);
  const now = list.findIndex((one) => one.address === current());
  const next = list[now < 0 ? 0 : now + by];
  if (next) go({ at: "chat", address: next.address, message: null }, route.value.at === "chat");
  return next !== undefined;
}

function leave(): boolean {
  if (route.value.at === "list") return false;
  go(above(route.value), true);
  return true;
}

function writes(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
}
