// What a conversation that is on screen knows besides its messages: what is being answered, edited,
// chosen, looked for and fetched.

import { batch, computed, signal, type ReadonlySignal } from "@preact/signals";

import type { Command, Contact, Conversation, Message, Outcome, Room } from "../../core/types";
import { fill, words } from "../../i18n";
import type { Parts } from "../../state/parts";
import type { Store, Window } from "../../state/store";
import { confirm, toast } from "../kit";
import { problemText } from "../people/problem";
import { attentive } from "./attention";
import { indexOf, isEvent, whoOf } from "./logic/rows";
import { copyable, gist } from "./logic/text";
import { minute } from "./logic/times";
import { AllFiles } from "./media/all";
import { smalls } from "./media/small";
import { toggle, type Chosen } from "./selection";
import { ask } from "../ask";

/** A dialog of the conversation; one at most is open. */
export type Sheet =
  | { is: "readers" }
  | { is: "gallery" }
  | { is: "details"; message: number }
  | { is: "versions"; message: number }
  | { is: "forward"; messages: Message[] }
  | { is: "reactions"; message: number; emoji: string | null }
  | { is: "quick"; message: number; at: Element }
  | { is: "react"; message: number }
  | { is: "viewer"; message: number };

export interface Search {
  text: string;
  /** How far it got; `null` before it begins. */
  parts: Parts | null;
  at: number;
}

/** A file on its way here: at work, or why not. */
export type Fetching = "busy" | { failed: string };

/** What the list of messages offers to the rest of the view. */
export interface Mover {
  /** Brings a message that is loaded into the middle. */
  show(message: number): void;
  toEnd(): void;
  focus(message: number): void;
}

const NOBODY: ReadonlyMap<number, Fetching> = new Map();
const NONE: Message[] = [];

export class Chat {
  readonly store: Store;
  readonly address: string;
  readonly window: ReadonlySignal<Window | undefined>;
  /** The messages are here, and it is known which of them were seen. */
  readonly ready = signal(false);
  readonly messages: ReadonlySignal<Message[]>;
  readonly conversation: ReadonlySignal<Conversation | undefined>;
  readonly contact: ReadonlySignal<Contact | undefined>;
  /** What is known of the room, if it is one. */
  readonly room: ReadonlySignal<Room | undefined>;
  readonly isRoom: ReadonlySignal<boolean>;
  /** What the room calls this account. */
  readonly nick: ReadonlySignal<string | null>;
  /** What it calls the others who are there. */
  readonly nicks: ReadonlySignal<readonly string[]>;
  readonly name: ReadonlySignal<string>;
  /** Anybody may have written here: a request without an answer, or a room that is open to all. */
  readonly ofStrangers: ReadonlySignal<boolean>;

  readonly replying = signal<Message | null>(null);
  readonly editing = signal<Message | null>(null);
  readonly chosen = signal<Chosen | null>(null);
  /** The message that has, or last had, the focus of the keyboard. */
  readonly active = signal<number | null>(null);
  readonly sheet = signal<Sheet | null>(null);
  /** All pictures and files of the conversation, while they are looked at. */
  readonly files = signal<AllFiles | null>(null);
  readonly flashing = signal<number | null>(null);
  readonly search = signal<Search | null>(null);
  readonly fetching = signal(NOBODY);
  /** The message below the line "unread", which stays until the conversation is left. */
  readonly unread = signal<number | null>(null);
  /** How many there were below that line when it came; 0 when they arrive one by one. */
  readonly unreadCount = signal(0);
  /** The place up to which everything was on screen while somebody looked. */
  readonly seen = signal("");
  readonly olderState = signal<"idle" | "loading" | "failed">("idle");
  readonly newerState = signal<"idle" | "loading" | "failed">("idle");
  /** Another part of the conversation is on its way. */
  readonly seeking = signal(false);
  /** The last own message could not be sent, and there is nobody to encrypt for. */
  readonly unencryptable: ReadonlySignal<boolean>;

  mover: Mover | null = null;
  /** The message that the list shows as soon as it is there. */
  goal: number | null = null;
  focusComposer: () => void = () => {};
  /** Writes somebody's name where the caret is. */
  mention: (nick: string) => void = () => {};
  #marked = "";
  #markLater: ReturnType<typeof setTimeout> | undefined;
  #flashLater: ReturnType<typeof setTimeout> | undefined;
  #left = false;

  constructor(store: Store, address: string) {
    this.store = store;
    this.address = address;
    this.window = computed(() => store.window(address));
    this.messages = computed(() => this.window.value?.messages ?? NONE);
    this.conversation = computed(() => store.conversation(address));
    this.contact = computed(() => store.contact(address));
    this.room = computed(() => store.room(address));
    this.isRoom = computed(() => this.conversation.value?.room ?? this.room.value !== undefined);
    this.ofStrangers = computed(
      () =>
        (this.conversation.value?.request ?? false) || (this.isRoom.value && this.room.value?.private !== true),
    );
    this.nick = computed(() => this.room.value?.nick ?? null);
    this.nicks = computed(() => {
      const nicks = this.room.value?.members.map((one) => one.nick) ?? [];
      return nicks.filter((nick) => nick !== null && nick !== this.nick.value) as string[];
    });
    this.unencryptable = computed(() => {
      const own = this.messages.value.findLast((one) => one.own && !isEvent(one));
      return own?.delivery?.is === "failed" && this.conversation.value?.readers.theirs === 0;
    });
    this.name = computed(
      () => this.conversation.value?.name ?? this.contact.value?.name ?? address,
    );
  }

  /** The own address. */
  get self(): string {
    return this.store.account.value?.address ?? "";
  }

  get encrypted(): boolean {
    return this.conversation.value?.encrypted ?? true;
  }

  /** Somebody, as `whoOf` tells them apart, as people call them. */
  nameOf(who: string): string {
    if (who === this.self) return words().chat.you;
    if (who === this.address) return this.name.value;
    if (who.startsWith(`${this.address}/`)) return who.slice(this.address.length + 1);
    const known = this.store.contact(who);
    if (known && known.name !== who) return known.name;
    return this.room.value?.members.find((one) => one.address === who)?.nick ?? who;
  }

  /** Who wrote a message, for telling people apart: an address, or an occupant's where it is hidden. */
  authorOf(message: Message): string {
    return message.own ? this.self : whoOf(message, this.address);
  }

  /** Who wrote a message, as people call them. */
  authorName(message: Message): string {
    const who = this.authorOf(message);
    const name = this.nameOf(who);
    return name === who ? (message.nick ?? name) : name;
  }

  message(id: number): Message | undefined {
    return this.messages.value.find((one) => one.id === id);
  }

  ask(command: Command): Promise<Outcome> {
    return this.store.ask(command);
  }

  /** Asks, and says it when that fails. Whether it went well. */
  try(command: Command): Promise<boolean> {
    return ask(this.store, command);
  }

  /** Opens the conversation. A window of an earlier visit may still be there: it is not waited on. */
  enter(): void {
    this.#left = false;
    void this.ask({ do: "open", address: this.address }).then(() => {
      const window = this.window.peek();
      if (this.#left || this.ready.peek()) return;
      if (window) this.opened(window);
      this.ready.value = true;
    });
  }

  leave(): void {
    this.#left = true;
    clearTimeout(this.#markLater);
    clearTimeout(this.#flashLater);
    // Whoever goes back out of the gallery closes it as well.
    smalls.clear();
    this.#mark();
    void this.ask({ do: "close", address: this.address });
  }

  /** Shows all pictures and files of the conversation. */
  showGallery(): void {
    this.files.value = new AllFiles(this);
    this.sheet.value = { is: "gallery" };
    void this.files.peek()?.more();
  }

  /** Shows what a message has as large as the screen, and then what stands before and behind it in the conversation. */
  view(message: number): void {
    const all = this.files.peek() ?? new AllFiles(this);
    batch(() => {
      this.files.value = all;
      this.sheet.value = { is: "viewer", message };
    });
    void all.reach(message);
  }

  /** Closes the gallery, or the viewer, wherever that was opened. */
  closeGallery(): void {
    batch(() => {
      this.sheet.value = null;
      this.files.value = null;
    });
    smalls.clear();
  }

  /** Asks for an older page, unless one is on its way. */
  async older(): Promise<void> {
    if (this.olderState.peek() === "loading" || !this.window.peek()?.older) return;
    this.olderState.value = "loading";
    const outcome = await this.ask({ do: "older", address: this.address });
    this.olderState.value = outcome.is === "failed" ? "failed" : "idle";
  }

  /** Asks for a newer page where the window does not reach to the end. */
  async newer(): Promise<void> {
    if (this.newerState.peek() === "loading" || !this.window.peek()?.newer) return;
    this.newerState.value = "loading";
    const outcome = await this.ask({ do: "newer", address: this.address });
    this.newerState.value = outcome.is === "failed" ? "failed" : "idle";
  }

  /** Shows a message, wherever in the conversation it is. */
  async jump(id: number): Promise<boolean> {
    if (indexOf(this.messages.peek(), id) < 0) {
      await this.#openAnew({ do: "openAt", address: this.address, message: id });
      if (this.#left) return false;
    }
    if (indexOf(this.messages.peek(), id) < 0) {
      toast(words().chat.notFoundHere);
      return false;
    }
    if (this.mover) this.mover.show(id);
    else this.goal = id;
    this.flash(id);
    return true;
  }

  /** Shows the end, wherever the window is. */
  async latest(): Promise<void> {
    if (this.window.peek()?.newer) await this.#openAnew({ do: "open", address: this.address });
    if (!this.#left) this.mover?.toEnd();
  }

  /** Something is written now: it is shown, and stands at the end. */
  follow(): void {
    if (this.window.peek()?.newer) void this.latest();
  }

  /** Puts the window somewhere else, and waits until it is drawn. */
  async #openAnew(command: Command): Promise<void> {
    this.seeking.value = true;
    await this.ask(command);
    this.seeking.value = false;
    await new Promise((drawn) => setTimeout(drawn));
  }

  flash(id: number): void {
    this.flashing.value = id;
    clearTimeout(this.#flashLater);
    this.#flashLater = setTimeout(() => (this.flashing.value = null), 1_600);
  }

  /** Everything up to a message is on screen. It counts as read if somebody looks. */
  sees(message: Message): void {
    if (!attentive.peek() || message.place <= this.seen.peek()) return;
    this.seen.value = message.place;
    clearTimeout(this.#markLater);
    this.#markLater = setTimeout(() => this.#mark(), 250);
  }

  #mark(): void {
    const seen = this.seen.peek();
    if (seen <= this.#marked) return;
    const messages = this.messages.peek();
    for (let at = messages.length - 1; at >= 0; at--) {
      const message = messages[at];
      if (!message || message.place <= this.#marked) return;
      if (message.place > seen || message.own || isEvent(message)) continue;
      this.#marked = message.place;
      void this.ask({ do: "markRead", address: this.address, message: message.id });
      return;
    }
  }

  /** What was seen when the window came: everything before the first unread message. */
  opened(window: Window): void {
    const first = window.firstUnread === null ? -1 : indexOf(window.messages, window.firstUnread);
    const last = first < 0 ? window.messages.at(-1) : window.messages[first - 1];
    batch(() => {
      this.unread.value = first < 0 ? null : window.firstUnread;
      this.unreadCount.value = this.conversation.peek()?.unread ?? 0;
      this.seen.value = last?.place ?? "";
    });
    this.#marked = this.seen.peek();
  }

  reply(message: Message): void {
    batch(() => {
      this.editing.value = null;
      this.replying.value = message;
      this.chosen.value = null;
    });
    this.focusComposer();
  }

  edit(message: Message): void {
    if (!canEdit(message)) return;
    batch(() => {
      this.replying.value = null;
      this.editing.value = message;
      this.chosen.value = null;
    });
    this.focusComposer();
  }

  /** The last own message that can be edited. */
  lastOwn(): Message | null {
    if (this.window.peek()?.newer) return null;
    return this.messages.peek().findLast(canEdit) ?? null;
  }

  choose(message: Message): void {
    this.chosen.value = toggle(this.chosen.peek(), message);
  }

  async copy(messages: Message[]): Promise<void> {
    if (messages.length === 0) return;
    const [first] = messages;
    const text =
      messages.length === 1 && first
        ? (copyable(first) ?? gist(first))
        : messages
            .filter((one) => !isEvent(one))
            .map((one) => `[${minute(one.time)}] ${this.authorName(one)}: ${copyable(one) ?? gist(one)}`)
            .join("\n");
    try {
      await navigator.clipboard.writeText(text);
      toast(words().chat.copied);
    } catch {
      toast({ text: words().chat.copyFailed, problem: true });
    }
  }

  /**
   * Gets the file of a message; `null` and a reason in `fetching` if it does not come. `anew`: also one that
   * was here, and is gone from where the browser kept it.
   */
  async fetch(message: Message, anew = false): Promise<string | null> {
    if (message.content.is !== "file") return null;
    if (message.content.file.local !== null && !anew) return message.content.file.local;
    if (this.fetching.peek().get(message.id) === "busy") return null;
    this.#setFetching(message.id, "busy");
    const outcome = await this.ask({ do: "download", message: message.id });
    if (outcome.is === "failed") {
      const { problem } = outcome;
      this.#setFetching(message.id, problem.kind === "cancelled" ? null : { failed: problemText(problem) });
      return null;
    }
    this.#setFetching(message.id, null);
    if (outcome.is !== "downloaded") return null;
    this.files.peek()?.came(message.id, outcome.file);
    return outcome.file.local;
  }

  cancel(message: Message): void {
    void this.ask({ do: "cancelTransfer", message: message.id });
  }

  /** Writes in plain text from now on, or no longer. */
  async encrypt(encrypted: boolean): Promise<void> {
    await this.try({ do: "setEncryption", address: this.address, encrypted });
  }

  /** Asks whether plain text is really wanted, and turns encryption off if so. */
  async askPlain(): Promise<void> {
    const say = words().chat;
    const waits = this.conversation.peek()?.waitsForKeys ? say.plainWaiting : "";
    const text = this.isRoom.peek() ? words().rooms.readers.plainText : fill(say.plainText, { name: this.name.peek() });
    const sure = await confirm({
      title: say.plainTitle,
      text: [text, waits].filter(Boolean).join(" "),
      action: say.plainConfirm,
      danger: true,
    });
    if (sure) await this.encrypt(false);
  }

  /** Asks whether a message that waits is really to leave in plain text, and sends it if so. */
  async askSendPlain(message: Message): Promise<void> {
    const say = words().chat;
    const sure = await confirm({
      title: say.sendPlainTitle,
      text: say.sendPlainText,
      action: say.sendPlainConfirm,
      danger: true,
    });
    if (sure) await this.try({ do: "sendPlain", message: message.id });
  }

  async askRemove(messages: Message[]): Promise<void> {
    const say = words().chat;
    const sure = await confirm({
      title: say.removeTitle(messages.length),
      text: say.removeText(messages.length),
      action: say.removeConfirm,
      danger: true,
    });
    if (!sure) return;
    this.chosen.value = null;
    // All at once: each is answered only when the server has it.
    await Promise.all(messages.map(({ id }) => this.try({ do: "retract", message: id })));
  }

  /** Deletes messages on this device alone. */
  async askDeleteHere(messages: Message[]): Promise<void> {
    const say = words().chat;
    const sure = await confirm({
      title: say.deleteHereTitle(messages.length),
      text: say.deleteHereText(messages.length),
      action: say.deleteHereConfirm,
      danger: true,
    });
    if (!sure) return;
    this.chosen.value = null;
    await Promise.all(messages.map(({ id }) => this.try({ do: "deleteHere", message: id })));
  }

  /** Takes back what somebody else wrote, for moderators of a room. */
  async askModerate(message: Message): Promise<void> {
    const say = words().rooms;
    const sure = await confirm({
      title: fill(say.moderateTitle, { name: this.authorName(message) }),
      text: say.moderateText,
      action: words().chat.removeConfirm,
      danger: true,
    });
    if (sure) await this.try({ do: "moderate", message: message.id, reason: null });
  }

  async askDiscard(message: Message): Promise<void> {
    const say = words().chat;
    const sure = await confirm({
      title: say.discardTitle,
      text: say.discardText,
      action: say.discard,
      danger: true,
    });
    if (!sure) return;
    // It may have left meanwhile: then it is taken back, and otherwise nobody hears of it.
    const waits = this.message(message.id)?.delivery?.is !== "failed";
    await this.try({ do: waits ? "retract" : "discard", message: message.id });
  }

  async repair(): Promise<void> {
    const done = await this.try({ do: "repairEncryption", address: this.address });
    if (done) toast(words().chat.repaired);
  }

  #setFetching(id: number, state: Fetching | null): void {
    const fetching = new Map(this.fetching.peek());
    if (state === null) fetching.delete(id);
    else fetching.set(id, state);
    this.fetching.value = fetching;
  }
}

/** Whether the text of a message can be changed. */
export function canEdit(message: Message): boolean {
  return message.own && message.content.is === "text" && message.delivery?.is !== "failed";
}

/** Whether there is something to find again in a message. */
export function canStar(message: Message): boolean {
  const { is } = message.content;
  return is === "text" || is === "file";
}

/** Whether a message can be deleted for everyone. */
export function canRemove(message: Message): boolean {
  const { is } = message.content;
  return message.own && (is === "text" || is === "file") && message.delivery?.is !== "failed";
}

/** Whether a message can be deleted on this device alone. What was not sent is discarded. */
export function canDeleteHere(message: Message): boolean {
  const unsent = message.delivery?.is === "failed" || message.delivery?.is === "queued";
  return ["text", "file", "retracted", "undecryptable"].includes(message.content.is) && !unsent;
}

/** Whether a message of somebody else can be taken back by this account. */
export function canModerate(chat: Chat, message: Message): boolean {
  const { is } = message.content;
  const room = chat.room.peek();
  const may = room?.state.is === "in" && room.role === "moderator";
  return may && !message.own && (is === "text" || is === "file" || is === "undecryptable");
}

/** Whether a message can be answered and reacted to. */
export function canAnswer(message: Message): boolean {
  const { is } = message.content;
  return (is === "text" || is === "file") && message.delivery?.is !== "failed";
}
