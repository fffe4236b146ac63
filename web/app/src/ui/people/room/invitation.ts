// Answering an invitation to a room.

import { words } from "../../../i18n";
import type { Store } from "../../../state/store";
import { toast } from "../../kit";
import { problemText } from "../problem";

/** Whether somebody who is a contact invites to a room; what strangers send waits apart. */
export function fromFriend(store: Store, address: string): boolean {
  const by = store.room(address)?.invitedBy ?? null;
  return by !== null && store.contact(by)?.inRoster === true;
}

/** Enters; whether that went well. */
export async function accept(store: Store, address: string): Promise<boolean> {
  return ask(store, { do: "joinRoom", address, nick: null, password: null });
}

/** Refuses, and takes it out of the list; whether that went well. */
export async function decline(store: Store, address: string): Promise<boolean> {
  if (!(await ask(store, { do: "leaveRoom", address }))) return false;
  if (!(await ask(store, { do: "hide", address }))) return false;
  toast(words().rooms.invitation.declined);
  return true;
}

async function ask(store: Store, command: Parameters<Store["ask"]>[0]): Promise<boolean> {
  const outcome = await store.ask(command);
  if (outcome.is === "failed") toast({ text: problemText(outcome.problem), problem: true });
  return outcome.is !== "failed";
}
