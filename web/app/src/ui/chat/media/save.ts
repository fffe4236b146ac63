import type { File, Message } from "../../../core/types";
import { fill, words } from "../../../i18n";
import { toast } from "../../kit";
import { legible } from "../logic/files";
import type { Chat } from "../state";

/** The bytes of a file; what is gone from this device is fetched anew. */
export async function bytes(chat: Chat, message: Message, file: File): Promise<Blob | null> {
  const local = await chat.fetch(message);
  const there = local === null ? null : await chat.store.core.file(local, file.mediaType);
  if (there || local === null || file.local === null || !file.uploaded) return there;
  const again = await chat.fetch(message, true);
  return again === null ? null : chat.store.core.file(again, file.mediaType);
}

/** Saves the file of a message where the browser keeps downloads; fetches it before if need be. */
export async function save(chat: Chat, message: Message): Promise<void> {
  const { content } = message;
  if (content.is !== "file") return;
  const blob = await bytes(chat, message, content.file);
  if (!blob) {
    const state = chat.fetching.peek().get(message.id);
    if (state === "busy") return;
    toast({ text: state ? fill(words().chat.fetchFailed, { reason: state.failed }) : words().chat.gone, problem: true });
    return;
  }
  // Opaque bytes: the browser must not open them in the origin of the page.
  const url = URL.createObjectURL(new Blob([blob], { type: "application/octet-stream" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = legible(content.file.name);
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
