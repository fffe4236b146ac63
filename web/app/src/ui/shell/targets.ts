// To whom something that is there already can be sent: what is forwarded, and what other apps share.

import type { Room } from "../../core/types";
import type { Store } from "../../state/store";

export interface Target {
  address: string;
  name: string;
  group: boolean;
  /** What is written there leaves without encryption. */
  plain: boolean;
}

/** Whether this account can write into a room, as far as is known. */
export function roomTakes(room: Room, online: boolean): boolean {
  switch (room.state.is) {
    case "entering":
      return true;
    case "in":
      return room.role !== "visitor";
    default:
      // Without a connection it is in no room, and what is written waits.
      return room.state.is === "out" && !online;
  }
}

/**
 * Those in the list of chats, then contacts without a chat. Not strangers, who would learn of this account, nor
 * who is blocked, nor rooms that would not take it.
 */
export function targets(store: Store): Target[] {
  const online = store.account.value?.connection.is === "online";
  const chats = store.list.value.filter((one) => {
    if (one.request || store.contact(one.address)?.blocked) return false;
    const room = store.room(one.address);
    return !one.room || !room || roomTakes(room, online);
  });
  const listed = new Set(store.list.value.map((one) => one.address));
  const others = [...store.contacts.value.values()]
    .filter((one) => one.inRoster && !one.blocked && !listed.has(one.address))
    .sort((a, b) => a.name.localeCompare(b.name));
  return [
    ...chats.map(({ address, name, room, encrypted }) => ({ address, name, group: room, plain: !encrypted })),
    ...others.map(({ address, name }) => ({
      address,
      name,
      group: false,
      plain: store.conversation(address)?.encrypted === false,
    })),
  ];
}
