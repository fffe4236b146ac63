import type { Message } from "../../../core/types";
import { words } from "../../../i18n";
import { toast } from "../../kit";
import { legible } from "../logic/files";
import type { Chat } from "../state";

/** Saves the file of a message where the browser keeps downloads; fetches it before if need be. */
export async function save(chat: Chat, message: Message): Promise<void> {
  const { content } = message;
  if (content.is !== "file") return;
  const local = await chat.fetch(message);
  if (local === null) {
    const state = chat.fetching.peek().get(message.id);
    if (typeof state === "object") toast({ text: state.failed, problem: true });
    return;
  }
  const blob = await chat.store.core.file(local, content.file.mediaType);
  if (!blob) {
    toast({ text: words().chat.gone, problem: true });
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
