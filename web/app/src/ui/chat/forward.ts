// Sending on what was written here, to one or several others.

import type { Message } from "../../core/types";
import { fill, words } from "../../i18n";
import { ask } from "../ask";
import { confirm, toast } from "../kit";
import { reasonText } from "../reason";
import { whilePassing } from "./composer/tray-state";
import type { Chat } from "./state";
import { isPlain } from "./timeline/describe";

/** Somebody, or a group, to send something to. */
export interface To {
  address: string;
  name: string;
}

/** Whether what is written to somebody leaves without encryption. */
export function writesPlain(chat: Chat, address: string): boolean {
  return chat.store.conversation(address)?.encrypted === false;
}

/**
 * Sends messages on to all of them, in their order. Whether somebody wanted it: what was encrypted goes out in
 * plain text only if they say so.
 */
export async function forward(chat: Chat, messages: readonly Message[], to: readonly To[]): Promise<boolean> {
  if (messages.length === 0 || to.length === 0 || !(await mayForward(chat, messages, to))) return false;
  chat.chosen.value = null;
  const reached: To[] = [];
  // Leaving the page meanwhile would lose the rest.
  await whilePassing(async () => {
    // Each is in the timeline there before the next one: that is their order.
    for (const one of to) {
      let failed = false;
      for (const message of messages) failed = !(await forwardOne(chat, message, one.address)) || failed;
      if (!failed) reached.push(one);
    }
  });
  const [first] = reached;
  if (first) toast(reached.length === 1 ? fill(words().chat.forwarded, { name: first.name }) : words().chat.forwardedTo(reached.length));
  return true;
}

/** What came encrypted, or leaves so, does not go out in plain text unless somebody says so. */
async function mayForward(chat: Chat, messages: readonly Message[], to: readonly To[]): Promise<boolean> {
  // What has not left is as its conversation is.
  const secret = messages.some((one) => one.encryption.is !== "none" || (chat.encrypted && !isPlain(one)));
  const open = to.filter((one) => writesPlain(chat, one.address));
  if (!secret || open.length === 0) return true;
  const say = words().chat;
  return confirm({
    title: say.forwardPlainTitle,
    text: fill(say.forwardPlainText, { name: open.map((one) => one.name).join(", ") }),
    action: say.forwardPlainConfirm,
    danger: true,
  });
}

async function forwardOne(chat: Chat, message: Message, to: string): Promise<boolean> {
  const { store } = chat;
  const { content } = message;
  if (content.is === "text") return ask(store, { do: "send", to, text: content.text, replyTo: null });
  if (content.is !== "file") return true;
  const local = await chat.fetch(message);
  const { name, mediaType } = content.file;
  const blob = local === null ? null : await store.core.file(local, mediaType);
  if (!blob) {
    toast({ text: words().chat.gone, problem: true });
    return false;
  }
  let file: string;
  try {
    file = await store.core.give(blob);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    toast({ text: fill(words().chat.notSent, { reason: reasonText(reason) }), problem: true });
    return false;
  }
  const type = mediaType ?? "application/octet-stream";
  const { caption } = content;
  const { picture } = content.file;
  // How long it plays is only told on by whoever made it: another may have said anything.
  const length = message.own ? content.file.length : null;
  const told = { name, size: blob.size, mediaType: type, caption, picture, length };
  return ask(store, { do: "sendFile", to, file, ...told, replyTo: null });
}
