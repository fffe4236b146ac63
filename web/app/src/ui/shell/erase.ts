// Deleting what was said: on this device alone, or on the server alone.

import { fill, words } from "../../i18n";
import { go } from "../../route";
import type { Conversation } from "../../core/types";
import type { Store } from "../../state/store";
import { ask } from "../ask";
import { confirm, toast, type MenuItem } from "../kit";
import { current } from "./conversations";

type Chat = Pick<Conversation, "address" | "name">;

/** What can be deleted of a conversation. A room is left before it goes from the list. */
export function erasing(store: Store, one: Chat): MenuItem[] {
  const w = words().shell;
  const state = store.room(one.address)?.state.is;
  // Without a connection every room is out of reach, and none can be left.
  const online = store.account.peek()?.connection.is === "online";
  const items: MenuItem[] = [
    { label: w.clearHistory, icon: "trash", danger: true, run: () => void clearHistory(store, one) },
  ];
  if (state !== "in" && state !== "entering" && (state !== "out" || online)) {
    items.push({ label: w.deleteChat, icon: "trash", danger: true, run: () => void deleteChat(store, one) });
  }
  return items;
}

/** Everything that was said in it, once somebody is sure. */
export async function clearHistory(store: Store, { address, name }: Chat): Promise<void> {
  const w = words().shell;
  const sure = await confirm({ title: fill(w.clearTitle, { name }), text: w.clearText, action: w.clearAction, danger: true });
  if (sure && (await ask(store, { do: "clearHistory", address }))) toast(fill(w.cleared, { name }));
}

/** All of it, and it is in the list no more. */
export async function deleteChat(store: Store, { address, name }: Chat): Promise<void> {
  const w = words().shell;
  const sure = await confirm({ title: fill(w.deleteTitle, { name }), text: w.clearText, action: w.deleteAction, danger: true });
  if (!sure) return;
  // One that nobody gets into any more is still one to be in, until it is left.
  const room = store.room(address)?.state.is;
  if ((room === "refused" || room === "out") && !(await ask(store, { do: "leaveRoom", address }))) return;
  if (!(await ask(store, { do: "deleteConversation", address }))) return;
  if (current() === address) go({ at: "list" }, true);
  toast(fill(w.deleted, { name }));
}

/** All that the server keeps of what was said, once somebody is sure. */
export async function deleteServerHistory(store: Store): Promise<void> {
  const w = words().shell;
  const sure = await confirm({
    title: w.deleteHistoryTitle,
    text: w.deleteHistoryText,
    action: w.deleteHistoryAction,
    danger: true,
  });
  if (sure && (await ask(store, { do: "deleteServerHistory" }))) toast(w.deletedHistory);
}
