// What can be done with a conversation from outside of it.

import { fill, words } from "../../i18n";
import { go, route } from "../../route";
import type { Conversation, Message, Mute } from "../../core/types";
import type { Store } from "../../state/store";
import { confirm, openMenu, toast, type MenuItem, type Point } from "../kit";
import { ask } from "../ask";
import { erasing } from "./erase";

const HOUR = 3_600_000;

export function muted(mute: Mute, now: number): boolean {
  return mute.is === "forever" || (mute.is === "until" && mute.time > now);
}

/** Everything unread that is not muted and not from strangers. */
export function countUnread(list: readonly Conversation[], now: number): number {
  return list
    .filter((one) => !one.request && !muted(one.mute, now))
    .reduce((sum, one) => sum + one.unread, 0);
}

/** The next conversation with something unread after the given one, in the order of the list. */
export function nextUnread(list: readonly Conversation[], after: string | null, now: number): string | null {
  const from = list.findIndex((one) => one.address === after) + 1;
  const turned = [...list.slice(from), ...list.slice(0, Math.max(0, from - 1))];
  const open = turned.filter((one) => one.unread > 0 && !one.request);
  // Those that are muted come last.
  return (open.find((one) => !muted(one.mute, now)) ?? open[0])?.address ?? null;
}

/** The address of the conversation on screen. */
export function current(): string | null {
  const at = route.value;
  return at.at === "chat" || at.at === "details" ? at.address : null;
}

/** Marks all of it as read without showing it. */
export async function markRead(store: Store, address: string): Promise<void> {
  await ask(store, { do: "markAllRead", address });
}

/**
 * Whether an own message like that was written since then. It tells what became of one that was to be
 * sent when the core had to start again before it said so.
 */
export async function hasSent(
  store: Store,
  address: string,
  since: number,
  like: (message: Message) => boolean,
): Promise<boolean> {
  if ((await store.ask({ do: "open", address })).is === "failed") return false;
  const there = store.window(address)?.messages.some((one) => one.own && one.time >= since && like(one)) ?? false;
  if (current() !== address) void store.ask({ do: "close", address });
  return there;
}

export function togglePin(store: Store, one: Conversation): void {
  void ask(store, { do: "pin", address: one.address, pinned: !one.pinned });
}

/** Takes it out of the list; a new message brings it back. */
export async function hide(store: Store, one: Conversation): Promise<void> {
  if (!(await ask(store, { do: "hide", address: one.address }))) return;
  if (current() === one.address) go({ at: "list" }, true);
  hidden(store, one.address, one.name);
}

/** Says that a conversation is out of the list, and offers to bring it back. */
export function hidden(store: Store, address: string, name: string): void {
  const w = words().shell;
  toast({ text: fill(w.hidden, { name }), action: { label: w.undo, run: () => void unhide(store, address) } });
}

/** Brings it back into the list: whoever opens it has it there again. */
export async function unhide(store: Store, address: string): Promise<void> {
  if (!(await ask(store, { do: "open", address }))) return;
  if (current() !== address) void store.ask({ do: "close", address });
}

/** Takes it out of the list, or brings it back. */
export async function toggleHidden(store: Store, one: Conversation): Promise<void> {
  await (one.shown ? hide(store, one) : unhide(store, one.address));
}

/** A menu of how long. */
export function openMuteMenu(store: Store, one: Conversation, at: Point | Element): void {
  const w = words().shell;
  const until = (mute: Mute) => void ask(store, { do: "mute", address: one.address, until: mute });
  const hours = (n: number): Mute => ({ is: "until", time: Date.now() + n * HOUR });
  openMenu({
    label: fill(w.muteFor, { name: one.name }),
    at,
    items: [
      { label: w.muteHour, icon: "clock", run: () => until(hours(1)) },
      { label: w.muteHours, icon: "clock", run: () => until(hours(8)) },
      { label: w.muteWeek, icon: "clock", run: () => until(hours(7 * 24)) },
      { label: w.muteForever, icon: "bellOff", run: () => until({ is: "forever" }) },
    ],
  });
}

export function unmute(store: Store, one: Conversation): void {
  void ask(store, { do: "mute", address: one.address, until: { is: "no" } });
}

/** The menu of a line of the list. */
export function openConversationMenu(store: Store, one: Conversation, at: Point | Element): void {
  const w = words().shell;
  const quiet = muted(one.mute, Date.now());
  const items: MenuItem[] = [
    one.pinned
      ? { label: w.unpin, icon: "pinOff", run: () => togglePin(store, one) }
      : { label: w.pin, icon: "pin", run: () => togglePin(store, one) },
    quiet
      ? { label: w.unmute, icon: "bell", run: () => unmute(store, one) }
      : { label: w.mute, icon: "bellOff", run: () => openMuteMenu(store, one, at) },
    one.shown
      ? { label: w.hide, icon: "archive", hint: w.hideHint, run: () => void hide(store, one) }
      : { label: w.unhide, icon: "archive", run: () => void unhide(store, one.address) },
    null,
    { label: w.details, icon: "info", run: () => go({ at: "details", address: one.address }) },
  ];
  items.push(...erasing(store, one));
  if (!one.room) items.push({ label: w.block, icon: "block", danger: true, run: () => void block(store, one) });
  if (one.unread > 0) {
    items.unshift({ label: w.markRead, icon: "read", run: () => void markRead(store, one.address) });
  }
  openMenu({ label: fill(w.menuOf, { name: one.name }), at, items });
}

async function block(store: Store, one: Conversation): Promise<void> {
  const w = words().shell;
  const sure = await confirm({
    title: fill(w.blockTitle, { name: one.name }),
    text: w.blockText,
    action: w.block,
    danger: true,
  });
  if (sure && (await ask(store, { do: "block", address: one.address, report: false }))) {
    toast(fill(w.blocked, { name: one.name }));
  }
}
