// What is being written: a text, files, and what it belongs to.

import { computed, signal } from "@preact/signals";

import type { Outcome } from "../../../core/types";
import { fill, words } from "../../../i18n";
import { toast } from "../../kit";
import { problemText } from "../../people/problem";
import { named } from "../logic/attach";
import { kindOf, typeOf } from "../logic/files";
import type { Chat } from "../state";
import { pictureOf } from "./describe";
import { shrink } from "./shrink";

/** A file that waits to be sent. */
export interface Attached {
  key: number;
  file: File;
  /** Its address in this page, for pictures. */
  url: string | null;
}

export type Quality = "smaller" | "original";

const DRAFT_MS = 500;
/** So many files wait at most. */
const MOST = 30;
let keys = 0;

export class Composer {
  readonly text = signal("");
  readonly files = signal<readonly Attached[]>([]);
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

  constructor(chat: Chat) {
    this.#chat = chat;
    const known = chat.conversation.peek();
    this.#saved = known?.draft ?? "";
    this.#begun = known !== undefined;
    this.text.value = this.#saved;
  }

  /** Takes over a draft that became known only after the conversation was on screen. */
  adopt(draft: string): void {
    if (this.#begun) return;
    this.#begun = true;
    this.#saved = draft;
    this.text.value = draft;
  }

  write(text: string): void {
    this.#begun = true;
    this.text.value = text;
    if (this.#editing !== null) return;
    clearTimeout(this.#later);
    this.#later = setTimeout(() => this.keep(), DRAFT_MS);
  }

  /** Keeps the draft now. */
  keep(): void {
    clearTimeout(this.#later);
    const text = this.#before ?? this.text.peek();
    if (text === this.#saved) return;
    this.#saved = text;
    void this.#chat.ask({ do: "draft", address: this.#chat.address, text });
  }

  /** Takes up, or lets go of, the message that is edited. */
  follow(editing: { id: number; text: string } | null): void {
    if ((editing?.id ?? null) === this.#editing) return;
    if (editing) {
      this.keep();
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
    const added: Attached[] = [];
    for (const file of files) {
      if (file.size === 0) {
        toast({ text: words().chat.trayEmpty, problem: true });
        continue;
      }
      const name = named(file.name, file.type, new Date());
      const type = typeOf({ name, mediaType: file.type });
      const kept = name === file.name && type === file.type ? file : new File([file], name, { type });
      const shows = kindOf({ name, mediaType: type }) === "picture";
      added.push({ key: ++keys, file: kept, url: shows ? URL.createObjectURL(kept) : null });
    }
    if (added.length === 0) return;
    this.#chat.editing.value = null;
    const all = [...this.files.peek(), ...added];
    for (const { url } of all.slice(MOST)) if (url) URL.revokeObjectURL(url);
    this.files.value = all.slice(0, MOST);
    this.#chat.focusComposer();
  }

  remove(key: number): void {
    const gone = this.files.peek().find((one) => one.key === key);
    if (gone?.url) URL.revokeObjectURL(gone.url);
    this.files.value = this.files.peek().filter((one) => one.key !== key);
  }

  /** Whether there is anything to send. */
  get ready(): boolean {
    return this.files.value.length > 0 || this.text.value.trim() !== "";
  }

  send(): void {
    const text = this.text.peek().trim();
    const editing = this.#chat.editing.peek();
    if (editing) void this.#correct(editing.id, text);
    else if (this.files.peek().length > 0) void this.#sendFiles(text);
    else if (text !== "") void this.#sendText(text);
  }

  /** Sends a file that was made here, without waiting in the tray. */
  async sendNow(file: File, caption: string | null = null): Promise<boolean> {
    const { core } = this.#chat.store;
    let name: string;
    try {
      name = await core.give(file);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      toast({ text: fill(words().chat.notSent, { reason }), problem: true });
      return false;
    }
    const asked = this.#chat.ask({
      do: "sendFile",
      to: this.#chat.address,
      file: name,
      name: file.name,
      size: file.size,
      mediaType: file.type || "application/octet-stream",
      caption,
      picture: await pictureOf(file),
    });
    this.#chat.follow();
    return this.#ended(await asked);
  }

  /** Lets go of everything. */
  leave(): void {
    this.keep();
    for (const { url } of this.files.peek()) if (url) URL.revokeObjectURL(url);
  }

  async #sendText(text: string): Promise<void> {
    const replyTo = this.#chat.replying.peek()?.id ?? null;
    this.#clear();
    const asked = this.#chat.ask({ do: "send", to: this.#chat.address, text, replyTo });
    this.#chat.follow();
    const kept = this.#ended(await asked);
    // What was begun meanwhile is kept as well.
    if (!kept) this.write([text, this.text.peek()].filter(Boolean).join("\n"));
  }

  async #sendFiles(caption: string): Promise<void> {
    const files = this.files.peek();
    const smaller = this.quality.peek() === "smaller";
    this.files.value = [];
    this.#clear();
    for (const [index, { file, url }] of files.entries()) {
      const made = smaller ? await shrink(file) : file;
      if (url) URL.revokeObjectURL(url);
      // One after the other into the timeline, all at once over the network.
      void this.sendNow(made, index === 0 && caption !== "" ? caption : null).then((kept) => {
        if (!kept) this.attach([file]);
      });
    }
  }

  async #correct(message: number, text: string): Promise<void> {
    const before = this.#chat.editing.peek();
    const unchanged = before?.content.is === "text" && before.content.text === text;
    if (text === "") {
      if (before) void this.#chat.askRemove([before]);
      return;
    }
    this.#chat.editing.value = null;
    if (!unchanged) await this.#chat.try({ do: "correct", message, text });
  }

  /** Whether it is in the timeline now, if only as a message that could not be sent. */
  #ended(outcome: Outcome): boolean {
    if (outcome.is !== "failed") {
      this.#chat.unencryptable.value = false;
      return true;
    }
    const { kind } = outcome.problem;
    if (kind === "notEncryptable") this.#chat.unencryptable.value = true;
    if (kind === "notEncryptable" || kind === "transfer" || kind === "cancelled") return true;
    toast({ text: fill(words().chat.notSent, { reason: problemText(outcome.problem) }), problem: true });
    return false;
  }

  #clear(): void {
    clearTimeout(this.#later);
    this.#saved = "";
    this.text.value = "";
    this.#chat.replying.value = null;
    void this.#chat.ask({ do: "draft", address: this.#chat.address, text: "" });
  }
}
