// What the page knows: signals that notices of the core change. Components read them; nothing else
// writes them.

import { computed, signal, type ReadonlySignal, type Signal } from "@preact/signals";

import type { Core } from "../core/api";
import type {
  Account,
  Contact,
  Conversation,
  Device,
  Message,
  Notice,
  Occasion,
  Command,
  Outcome,
  Problem,
  Room,
} from "../core/types";

/** An open conversation. */
export interface Window {
  /** Oldest first. */
  messages: Message[];
  /** There are older ones, here or on the server. */
  older: boolean;
  /** There are newer ones: the window does not reach to the end, and what is new does not join it. */
  newer: boolean;
  /** The first message that was not seen when the window was opened. */
  firstUnread: number | null;
}

export interface Notification {
  address: string;
  occasion: Occasion;
  title: string;
  text: string;
  message: number | null;
}

export class Store {
  /** `undefined` until the core has said whether there is an account. */
  readonly account: Signal<Account | null | undefined> = signal(undefined);
  readonly contacts: ReadonlySignal<ReadonlyMap<string, Contact>>;
  readonly rooms: ReadonlySignal<ReadonlyMap<string, Room>>;
  /** Why nothing can be kept, while that is so. */
  readonly storage: Signal<string | null> = signal(null);
  /** Bytes that are through, of transfers at work. */
  readonly transfers: Signal<ReadonlyMap<number, number>> = signal(new Map());
  readonly devices: Signal<ReadonlyMap<string, Device[]>> = signal(new Map());
  /** Counts how often the messages with a star were different: a list of them is asked for again. */
  readonly stars: Signal<number> = signal(0);
  /** All conversations that are in the list, in its order. */
  readonly list: ReadonlySignal<Conversation[]>;
  /** Those that somebody took out of the list, in its order; who was blocked is not among them. */
  readonly hidden: ReadonlySignal<Conversation[]>;
  /** Called for what is worth interrupting for. */
  onNotify: (notification: Notification) => void = () => {};
  /** Called for what waits, and comes by `onNotify` unless it is seen on another device. */
  onHeld: (notification: Notification) => void = () => {};

  /** Called when a message is gone or taken back; without one, when all of a conversation is gone or was read. */
  onGone: (address: string, message: number | null) => void = () => {};
  /** Called when something fails that nobody waits for any more. */
  onLate: (problem: Problem) => void = () => {};

  readonly #core: Core;
  /** Changed in place, because there may be thousands; `#changes` tells who reads them. */
  readonly #conversations = new Map<string, Conversation>();
  readonly #changes = signal(0);
  readonly #contacts = new Table<Contact>();
  readonly #rooms = new Table<Room>();
  /** Windows that somebody wants open. */
  readonly #open = new Set<string>();
  readonly #windows: Signal<ReadonlyMap<string, Window>> = signal(new Map());

  constructor(core: Core) {
    this.#core = core;
    this.contacts = this.#contacts.all;
    this.rooms = this.#rooms.all;
    this.list = computed(() => this.conversations().filter((one) => one.shown).sort(byOrder));
    // What has no message was never in the list: only what notifies of it was chosen somewhere.
    const isHidden = (one: Conversation) => !one.shown && one.preview !== null && !this.contact(one.address)?.blocked;
    this.hidden = computed(() => this.conversations().filter(isHidden).sort(byOrder));
    core.listen((notice) => this.#apply(notice));
  }

  get core(): Core {
    return this.#core;
  }

  /** Asks the core for something. */
  ask(command: Command): Promise<Outcome> {
    const asked = this.#core.request(command);
    if (command.do === "open" || command.do === "openAt") this.#open.add(command.address);
    if (command.do === "close") void this.#forget(command.address, asked);
    return asked;
  }

  /** The messages of a window that was closed are not kept, unless it was opened again meanwhile. */
  async #forget(address: string, closed: Promise<Outcome>): Promise<void> {
    this.#open.delete(address);
    await closed;
    if (this.#open.has(address) || !this.#windows.peek().has(address)) return;
    const windows = new Map(this.#windows.peek());
    windows.delete(address);
    this.#windows.value = windows;
  }

  conversation(address: string): Conversation | undefined {
    void this.#changes.value;
    return this.#conversations.get(address);
  }

  /** All of them, those that are not in the list as well, in no order. */
  conversations(): Conversation[] {
    void this.#changes.value;
    return [...this.#conversations.values()];
  }

  contact(address: string): Contact | undefined {
    return this.contacts.value.get(address);
  }

  /** The picture of a person or of a room, if it is known. */
  avatar(address: string): string | null {
    return this.rooms.value.get(address)?.avatar ?? this.contacts.value.get(address)?.avatar ?? null;
  }

  room(address: string): Room | undefined {
    return this.rooms.value.get(address);
  }

  /** What an open conversation shows; `undefined` until the core has opened it. */
  window(address: string): Window | undefined {
    return this.#windows.value.get(address);
  }

  #apply(notice: Notice): void {
    switch (notice.is) {
      case "signedOut":
        this.account.value = null;
        this.#contacts.clear();
        this.#rooms.clear();
        this.#conversations.clear();
        this.#changes.value += 1;
        this.#windows.value = new Map();
        this.devices.value = new Map();
        this.transfers.value = new Map();
        this.storage.value = null;
        return;
      case "account":
        this.storage.value = null;
        this.account.value = notice;
        return;
      case "conversation":
        this.#conversations.set(notice.address, notice);
        this.#changes.value += 1;
        if (notice.unread === 0) this.onGone(notice.address, null);
        return;
      case "conversationRemoved":
        this.#conversations.delete(notice.address);
        this.onGone(notice.address, null);
        this.#windows.value = withoutEntry(this.#windows.value, notice.address);
        this.#changes.value += 1;
        return;
      case "contact":
        this.#contacts.set(notice.address, notice);
        return;
      case "contactRemoved":
        this.#contacts.delete(notice.address);
        return;
      case "room":
        this.#rooms.set(notice.address, notice);
        return;
      case "roomRemoved":
        this.#rooms.delete(notice.address);
        return;
      case "window":
        this.#setWindow(notice.address, notice);
        return;
      case "messages":
        this.#changeWindow(notice.address, (window) => ({
          ...window,
          messages: merged(window.messages, notice.messages),
        }));
        for (const one of notice.messages) if (one.content.is === "retracted") this.onGone(notice.address, one.id);
        return;
      case "older":
        this.#changeWindow(notice.address, (window) => ({
          ...window,
          older: notice.older,
          messages: merged(window.messages, notice.messages),
        }));
        return;
      case "newer":
        this.#changeWindow(notice.address, (window) => ({
          ...window,
          newer: notice.newer,
          messages: merged(window.messages, notice.messages),
        }));
        return;
      case "messageRemoved":
        this.#changeWindow(notice.address, (window) => ({
          ...window,
          messages: window.messages.filter((one) => one.id !== notice.message),
        }));
        this.onGone(notice.address, notice.message);
        return;
      case "transfer":
        this.transfers.value = withEntry(this.transfers.value, notice.message, notice.done);
        return;
      case "stars":
        this.stars.value += 1;
        return;
      case "devices":
        this.devices.value = withEntry(this.devices.value, notice.address, notice.devices);
        return;
      case "notify":
        if (notice.waits) this.onHeld(notice);
        else this.onNotify(notice);
        return;
      case "storage":
        this.storage.value = notice.reason;
        return;
      case "done":
        // The core gives it to whoever asked. What fails after it was kept has nobody who waits.
        if (notice.outcome.is === "failed") this.onLate(notice.outcome.problem);
        return;
    }
  }

  #setWindow(address: string, window: Window): void {
    const { messages, older, newer, firstUnread } = window;
    const kept = { messages, older, newer, firstUnread };
    this.#windows.value = withEntry(this.#windows.value, address, kept);
  }

  #changeWindow(address: string, change: (window: Window) => Window): void {
    const window = this.#windows.value.get(address);
    if (window) this.#setWindow(address, change(window));
  }
}

function byOrder(a: Conversation, b: Conversation): number {
  if (a.pinned !== b.pinned) return a.pinned ? -1 : 1;
  return a.order < b.order ? 1 : a.order > b.order ? -1 : a.address < b.address ? -1 : 1;
}

/** Messages that replace those of the same id or are new, all in their places. */
export function merged(old: Message[], changed: Message[]): Message[] {
  const fresh = new Map(changed.map((one) => [one.id, one]));
  let moved = false;
  const kept = old.map((one) => {
    const now = fresh.get(one.id);
    if (!now) return one;
    fresh.delete(one.id);
    moved ||= now.place !== one.place;
    return now;
  });
  const added = [...fresh.values()].sort(byPlace);
  const [first, last] = [added[0], added.at(-1)];
  if (moved) return kept.concat(added).sort(byPlace);
  if (!first || !last) return kept;
  // What comes is nearly always newer or older than all that is there: long windows are not sorted.
  const [oldest, newest] = [kept[0], kept.at(-1)];
  if (!oldest || !newest || byPlace(newest, first) < 0) return kept.concat(added);
  if (byPlace(last, oldest) < 0) return added.concat(kept);
  return kept.concat(added).sort(byPlace);
}

function byPlace(a: Message, b: Message): number {
  return a.place < b.place ? -1 : a.place > b.place ? 1 : a.id - b.id;
}

function withEntry<K, V>(map: ReadonlyMap<K, V>, key: K, value: V): ReadonlyMap<K, V> {
  return new Map(map).set(key, value);
}

function withoutEntry<K, V>(map: ReadonlyMap<K, V>, key: K): ReadonlyMap<K, V> {
  if (!map.has(key)) return map;
  const rest = new Map(map);
  rest.delete(key);
  return rest;
}

/** Entries that are changed in place; whoever reads all of them gets one copy for all changes of a batch. */
class Table<V> {
  readonly all: ReadonlySignal<ReadonlyMap<string, V>>;
  readonly #entries = new Map<string, V>();
  readonly #changes = signal(0);

  constructor() {
    this.all = computed(() => {
      void this.#changes.value;
      return new Map(this.#entries);
    });
  }

  set(key: string, value: V): void {
    this.#entries.set(key, value);
    this.#changes.value += 1;
  }

  delete(key: string): void {
    this.#entries.delete(key);
    this.#changes.value += 1;
  }

  clear(): void {
    this.#entries.clear();
    this.#changes.value += 1;
  }
}
