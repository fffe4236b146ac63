// What the core said last, for those who begin to listen later: the account, the conversations and
// the contacts. Open windows are not remembered; opening one again shows it.

import type { Notice } from "./types";

export class Picture {
  #account: Notice | null = null;
  #storage: Notice | null = null;
  readonly #conversations = new Map<string, Notice>();
  readonly #contacts = new Map<string, Notice>();

  apply(notice: Notice): void {
    switch (notice.is) {
      case "signedOut":
        this.#conversations.clear();
        this.#contacts.clear();
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
      case "storage":
        this.#storage = notice;
        return;
      default:
        return;
    }
  }

  /** Tells it from the beginning. */
  tell(listener: (notice: Notice) => void): void {
    const first = [this.#account, ...this.#contacts.values(), ...this.#conversations.values()];
    for (const notice of [...first, this.#storage]) if (notice !== null) listener(notice);
  }
}
