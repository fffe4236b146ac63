import type { File, Message } from "../../../core/types";
import type { Chat } from "../state";

export interface Transfer {
  /** Bytes are on their way, here or to the server. */
  busy: boolean;
  /** From 0 to 1; `null` while nothing is known. */
  done: number | null;
  /** Why it did not come. */
  failed: string | null;
}

/** How far the file of a message is. Read while drawing. */
export function useTransfer(chat: Chat, message: Message, file: File): Transfer {
  const fetching = chat.fetching.value.get(message.id);
  const bytes = chat.store.transfers.value.get(message.id);
  const sending = message.own && !file.uploaded && message.delivery?.is === "queued";
  const early = message.own && message.delivery?.is === "queued" && bytes !== undefined;
  const done = bytes !== undefined && file.size ? Math.min(1, bytes / file.size) : null;
  return {
    busy: fetching === "busy" || sending || (early && done !== 1),
    done,
    failed: typeof fetching === "object" ? fetching.failed : null,
  };
}
