// What the core said last, for those who begin to listen later: the account, the conversations, the
// contacts and the rooms. Open windows are not remembered; opening one again shows it.

import type { Notice } from "./types";

export class Picture {
  #account: Notice | null = null;
  #storage: Notice | null = null;
  readonly #conversations = new Map<string, Notice>();
  readonly #contacts = new Map<string, Notice>();
  readonly #rooms = new Map<string, Notice>();

  apply(notice: Notice): void {
    switch (notice.is) {
      case "signedOut":
        this.#conversations.clear();
        this.#contacts.clear();
        this.#rooms.clear();
        this.#storage = null;
        this.#account = notice;
        return;
      case "account":
        this.#storage = null;
        this.#account = notice;
        return;
      case "conversation":
        this.#conversations.set(notice.address, notice);
        return;
      case "conversationRemoved":
        this.#conversations.delete(notice.address);
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
      case "storage":
        this.#storage = notice;
        return;
      default:
        return;
    }
  }

  /** Tells it from the beginning. */
  tell(listener: (notice: Notice) => void): void {
    const others = [this.#contacts, this.#conversations, this.#rooms].flatMap((all) => [...all.values()]);
    for (const notice of [this.#account, ...others, this.#storage]) if (notice !== null) listener(notice);
  }
}
