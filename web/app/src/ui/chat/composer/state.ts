// What is being written: a text, files, and what it belongs to.

import { computed, signal, type Signal } from "@preact/signals";

import type { Message, Outcome } from "../../../core/types";
import { fill, words } from "../../../i18n";
import { holdsUnsent } from "../../../unsent";
import { confirm, toast } from "../../kit";
import { problemText } from "../../people/problem";
import { excess } from "../logic/text";
import { kindOf, legible } from "../logic/files";
import { hasSent } from "../../shell/conversations";
import type { Chat } from "../state";
import { pictureOf } from "./describe";
import { drafted, pass, passes, undrafted } from "./passing";
import { lengthOf } from "./recorder";
import { shrink } from "./shrink";
import { attachTo, describe, detach, done, putBack, takeOut, trayOf, whilePassing, type Attached } from "./tray-state";
import { reasonText } from "../../reason";
import { writing } from "./writer";

export type Quality = "smaller" | "original";

const DRAFT_MS = 500;

/** What somebody left to look at another conversation: what they answer, or the text of a message they edit. */
interface Unfinished {
  replying: Message | null;
  editing: Message | null;
  text: string;
}

const unfinished = new Map<string, Unfinished>();

/** Sends that have not come to their end. */
const sends = new Set<Promise<void>>();

holdsUnsent({
  holds: () =>
    [...unfinished.values()].some((one) => one.editing !== null) || [...writing.values()].some((one) => one.edits),
  drop: () => {
    unfinished.clear();
    for (const one of writing.values()) one.endEdit();
  },
  keep: async () => {
    // What is on its way is a part of the draft until it has arrived.
    await Promise.allSettled(sends);
    return (await Promise.all([...writing.values()].map((one) => one.keep()))).every(Boolean);
  },
});

export class Composer {
  readonly text = signal("");
  readonly files: Signal<readonly Attached[]>;
  readonly quality = signal<Quality>("smaller");
  readonly hasPictures = computed(() =>
    this.files.value.some(({ file }) => kindOf({ name: file.name, mediaType: file.type }) === "picture"),
  );

  readonly #chat: Chat;
  /** What was being written before a message was edited. */
  #before: string | null = null;
  #editing: number | null = null;
  #later: ReturnType<typeof setTimeout> | undefined;
  #saved: string;
  /** Something was written here, or the draft is known. */
  #begun: boolean;
  #left = false;

  constructor(chat: Chat) {
    this.#chat = chat;
    this.files = trayOf(chat.address);
    const known = chat.conversation.peek();
    this.#saved = known?.draft ?? "";
    this.#begun = known !== undefined;
    this.text.value = undrafted(chat.address, this.#saved);
    writing.set(chat.address, this);
    this.#resume();
  }

  /** Goes on where somebody was when they left. */
  #resume(): void {
    const left = unfinished.get(this.#chat.address);
    if (!left) return;
    unfinished.delete(this.#chat.address);
    this.#chat.replying.value = left.replying;
    if (!left.editing) return;
    this.#chat.editing.value = left.editing;
    this.#editing = left.editing.id;
    this.#before = this.text.peek();
    this.text.value = left.text;
  }

  /** Takes over a draft that became known only after the conversation was on screen. */
  adopt(draft: string): void {
    if (this.#begun) return;
    this.#begun = true;
    this.#saved = draft;
    if (this.#before === null) this.text.value = undrafted(this.#chat.address, draft);
    else this.#before = undrafted(this.#chat.address, draft);
  }

  write(text: string): void {
    this.#begun = true;
    this.text.value = text;
    if (this.#editing !== null) return;
    clearTimeout(this.#later);
    this.#later = setTimeout(() => void this.keep(), DRAFT_MS);
  }

  /** Keeps the draft now. Whether it is kept. */
  async keep(): Promise<boolean> {
    clearTimeout(this.#later);
    const text = drafted(this.#chat.address, this.#before ?? this.text.peek());
    if (text === this.#saved) return true;
    const before = this.#saved;
    this.#saved = text;
    const outcome = await this.#chat.ask({ do: "draft", address: this.#chat.address, text });
    if (outcome.is !== "failed") return true;
    if (this.#saved === text) this.#saved = before;
    return false;
  }

  /** Takes what could not be sent, before what is written. Whether it is kept. */
  giveBack(text: string): Promise<boolean> {
    const begun = this.#before ?? this.text.peek();
    if (begun !== text && !begun.startsWith(`${text}\n`)) this.#restore(text, null);
    return this.keep();
  }

  /** Whether a message is being edited, and says something else by now. */
  get edits(): boolean {
    const content = this.#chat.editing.peek()?.content;
    return content?.is === "text" && content.text !== this.text.peek();
  }

  /** The message that is edited stays as it is. */
  endEdit(): void {
    this.#chat.editing.value = null;
    this.follow(null);
  }

  /** Takes up, or lets go of, the message that is edited. */
  follow(editing: { id: number; text: string } | null): void {
    if ((editing?.id ?? null) === this.#editing) return;
    if (editing) {
      void this.keep();
      this.#before ??= this.text.peek();
      this.text.value = editing.text;
    } else {
      this.text.value = this.#before ?? "";
      this.#before = null;
    }
    this.#editing = editing?.id ?? null;
  }

  /** Adds files to those that wait. */
  attach(files: Iterable<File>): void {
    if (!attachTo(this.#chat.address, files)) return;
    this.#chat.editing.value = null;
    this.#chat.focusComposer();
  }

  /** Says what is to be seen on a picture that waits. */
  describe(key: number, description: string): void {
    describe(this.#chat.address, key, description);
  }

  remove(key: number): void {
    detach(this.#chat.address, key);
  }

  /** Whether there is anything to send. */
  get ready(): boolean {
    return this.files.value.length > 0 || this.text.value.trim() !== "";
  }

  send(): void {
    const text = this.text.peek().trim();
    const over = excess(text);
    if (over > 0) {
      toast({ text: words().chat.tooLong(over), problem: true });
      return;
    }
    const editing = this.#chat.editing.peek();
    if (editing) this.#track(this.#correct(editing, text));
    else if (this.files.peek().length > 0) this.#track(this.#sendFiles(text));
    else if (text !== "") this.#track(this.#sendText(text));
  }

  #track(send: Promise<void>): void {
    sends.add(send);
    void send.finally(() => sends.delete(send));
  }

  /** Sends a file that was made here, without waiting in the tray. Whether it is in the timeline. */
  async sendNow(file: File): Promise<boolean> {
    const replying = this.#chat.replying.peek();
    this.#chat.replying.value = null;
    const kept = await whilePassing(() => this.#give(file, null, replying));
    if (!kept) this.#answer(replying);
    return kept;
  }

  /** Lets go of everything that is not kept elsewhere. */
  leave(): void {
    const { address, replying, editing } = this.#chat;
    const left = { replying: replying.peek(), editing: editing.peek(), text: this.text.peek() };
    if (left.replying || left.editing) unfinished.set(address, left);
    void this.keep();
    this.#left = true;
    this.#forget();
  }

  #forget(): void {
    const { address } = this.#chat;
    if (this.#left && !passes(address) && writing.get(address) === this) writing.delete(address);
  }

  async #sendText(text: string): Promise<void> {
    const replying = this.#chat.replying.peek();
    const arrived = this.#take();
    const replyTo = replying?.id ?? null;
    const since = Date.now();
    const asked = this.#chat.ask({ do: "send", to: this.#chat.address, text, replyTo });
    this.#chat.follow();
    const like = ({ content }: Message) => content.is === "text" && content.text === text;
    if (!(await this.#isKept(await asked, since, like))) this.#restore(text, replying);
    arrived();
  }

  async #sendFiles(caption: string): Promise<void> {
    const given = takeOut(this.#chat.address);
    const replying = this.#chat.replying.peek();
    const smaller = this.quality.peek() === "smaller";
    void this.keep();
    const arrived = this.#take();
    const made: File[] = [];
    const asTheyAre: string[] = [];
    for (const { file } of given) {
      const shrunk = smaller ? await shrink(file) : file;
      if (shrunk === null) asTheyAre.push(legible(file.name));
      made.push(shrunk ?? file);
    }
    if (asTheyAre.length > 0 && !(await this.#askAsTheyAre(asTheyAre))) {
      putBack(this.#chat.address, given);
      this.#restore(caption, replying);
      return arrived();
    }
    // One after the other into the timeline, all at once over the network.
    for (const [at, file] of made.entries()) {
      const first = at === 0;
      const description = given[at]?.description ?? "";
      const kept = await this.#give(file, first && caption !== "" ? caption : null, first ? replying : null, description);
      if (!kept) {
        // The next one would fail as well.
        putBack(this.#chat.address, given.slice(at));
        if (first) this.#restore(caption, replying);
        return arrived();
      }
      done(given.slice(at, at + 1));
      // The caption is there with the first.
      arrived();
    }
  }

  #askAsTheyAre(names: string[]): Promise<boolean> {
    const say = words().chat;
    return confirm({
      title: say.asTheyAreTitle(names.length),
      text: fill(say.asTheyAreText, { names: names.join(", ") }),
      action: say.asTheyAreSend,
    });
  }

  async #give(file: File, caption: string | null, replying: Message | null, description = ""): Promise<boolean> {
    let name: string;
    try {
      name = await this.#chat.store.core.give(file);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      toast({ text: fill(words().chat.notSent, { reason: reasonText(reason) }), problem: true });
      return false;
    }
    const picture = await pictureOf(file, description);
    const since = Date.now();
    const asked = this.#chat.ask({
      do: "sendFile",
      to: this.#chat.address,
      file: name,
      name: file.name,
      size: file.size,
      mediaType: file.type || "application/octet-stream",
      caption,
      picture,
      length: lengthOf(file),
      replyTo: replying?.id ?? null,
    });
    this.#chat.follow();
    const like = ({ content }: Message) =>
      content.is === "file" && content.file.name === file.name && content.file.size === file.size;
    return this.#isKept(await asked, since, like);
  }

  async #correct(before: Message, text: string): Promise<void> {
    const unchanged = before.content.is === "text" && before.content.text === text;
    if (text === "") {
      void this.#chat.askRemove([before]);
      return;
    }
    this.#chat.editing.value = null;
    if (unchanged || (await this.#chat.try({ do: "correct", message: before.id, text }))) return;
    // Somebody may edit something else by now.
    if (this.#chat.editing.peek() !== null) return;
    this.#chat.editing.value = before;
    this.follow({ id: before.id, text });
    this.text.value = text;
  }

  /**
   * Whether it is in the timeline now, which tells what becomes of it. When the core had to start again
   * before it said so, the timeline is asked for a message like that since then.
   */
  async #isKept(outcome: Outcome, since: number, like: (message: Message) => boolean): Promise<boolean> {
    if (outcome.is !== "failed") return true;
    const { store, address } = this.#chat;
    if (outcome.problem.kind === "restarted" && (await hasSent(store, address, since, like))) return true;
    toast({ text: fill(words().chat.notSent, { reason: problemText(outcome.problem) }), problem: true });
    return false;
  }

  /** Nothing of it was kept: it is as it was. What was begun meanwhile stays as well. */
  #restore(text: string, replying: Message | null): void {
    const now = writing.get(this.#chat.address) ?? this;
    const begun = now.#before ?? now.text.peek();
    const both = [text, begun].filter(Boolean).join("\n");
    if (now.#before !== null) now.#before = both;
    else if (text !== "") now.write(both);
    now.#answer(replying);
  }

  #answer(replying: Message | null): void {
    if (replying && this.#chat.replying.peek() === null) this.#chat.replying.value = replying;
  }

  /**
   * Empties the field. What was in it stays in the draft until it is in the timeline or in the field again,
   * which what is given back is called for.
   */
  #take(): () => void {
    clearTimeout(this.#later);
    const { address } = this.#chat;
    const arrived = pass(address, this.text.peek());
    this.text.value = "";
    this.#chat.replying.value = null;
    return () => {
      arrived();
      const now = writing.get(address) ?? this;
      void now.keep();
      now.#forget();
    };
  }
}
