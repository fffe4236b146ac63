// A page without anything to see: tests talk to the core as the page of the product does.

import { startCore } from "../../app/src/core/client";
import type { Command, Notice, Outcome } from "../../app/src/core/types";

const host = startCore();
const notices: Notice[] = [];
host.listen((notice) => notices.push(notice));

/** Messages of open windows, by their id, as the notices say. */
const messages = new Map<string, Map<number, unknown>>();
host.listen((notice) => {
  if (!("address" in notice)) return;
  const window = messages.get(notice.address) ?? new Map();
  messages.set(notice.address, window);
  if (notice.is === "window") window.clear();
  if (notice.is === "window" || notice.is === "messages" || notice.is === "older") {
    for (const message of notice.messages) window.set(message.id, message);
  }
  if (notice.is === "messageRemoved") window.delete(notice.message);
});

Object.assign(globalThis, {
  host,
  notices,
  messages,
  ask: (command: Command): Promise<Outcome> => host.request(command),
  /** The last account notice. */
  account: () => notices.findLast((one) => one.is === "account" || one.is === "signedOut"),
});
