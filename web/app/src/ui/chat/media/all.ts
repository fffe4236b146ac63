// The pictures and files of a whole conversation, the newest first. They are asked for in parts, as somebody
// scrolls on; what is in the open window is taken from there, where it is current.

import { computed, signal, type ReadonlySignal } from "@preact/signals";

import type { File, FileKind, Message } from "../../../core/types";
import type { Chat } from "../state";
import type { Filed } from "./viewer-parts";

const KINDS: FileKind[] = ["picture", "film", "sound", "other"];
/** So many more are shown at a time. */
const STEP = 60;
/** Behind every place. */
const LAST = "\uffff";

export class AllFiles {
  readonly state = signal<"idle" | "loading" | "failed" | "done">("idle");
  readonly files: ReadonlySignal<Filed[]>;
  readonly #chat: Chat;
  readonly #found = signal<ReadonlyMap<number, Message>>(new Map());
  /** Where the next part begins. */
  #from: string | null = null;

  constructor(chat: Chat) {
    this.#chat = chat;
    this.files = computed(() => {
      const current = new Map(chat.messages.value.map((one) => [one.id, one]));
      const all = new Map([...current, ...this.#found.value]);
      const edge = this.#edge();
      return [...all.values()]
        .map((one) => current.get(one.id) ?? one)
        .filter((one): one is Filed => one.content.is === "file" && one.place >= edge)
        .sort((a, b) => (a.place < b.place ? 1 : a.place > b.place ? -1 : b.id - a.id));
    });
  }

  /** The place up to which everything was asked for: what the window has before it comes in its turn. */
  #edge(): string {
    const [state, found] = [this.state.value, [...this.#found.value.values()]];
    if (state === "done" || (state === "failed" && found.length === 0)) return "";
    return found.reduce((least, { place }) => (place < least ? place : least), LAST);
  }

  /** Asks for more until a message is among them, which is in the window or was found. */
  async reach(id: number): Promise<void> {
    const there = () => this.files.peek().some((one) => one.id === id);
    while (!there() && this.state.peek() === "idle" && this.#chat.files.peek() === this) await this.more();
  }

  /** Asks for more, part by part, until there are enough of them. */
  async more(): Promise<void> {
    const state = this.state.peek();
    if (state === "loading" || state === "done") return;
    this.state.value = "loading";
    const wanted = this.#found.peek().size + STEP;
    do {
      const outcome = await this.#chat.ask({ do: "files", address: this.#chat.address, kinds: KINDS, from: this.#from });
      if (outcome.is !== "part") {
        this.state.value = "failed";
        return;
      }
      const found = new Map(this.#found.peek());
      for (const { message } of outcome.messages) found.set(message.id, message);
      this.#found.value = found;
      this.#from = outcome.next;
      if (outcome.next === null) {
        this.state.value = "done";
        return;
      }
    } while (this.#found.peek().size < wanted && this.#chat.files.peek() === this);
    this.state.value = "idle";
  }

  /** The file of a message has come: nobody tells of one outside of the window. */
  came(id: number, file: File): void {
    const one = this.#found.peek().get(id);
    if (one?.content.is !== "file") return;
    this.#found.value = new Map(this.#found.peek()).set(id, { ...one, content: { ...one.content, file } });
  }
}
