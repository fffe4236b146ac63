// The people of a room, from inside of its conversation.

import { fill, words } from "../../i18n";
import { go } from "../../route";
import { openMenu, type MenuItem, type Point } from "../kit";
import { nameOf as localPart } from "../people/address";
import type { Chat } from "./state";

/** Somebody who can be named in a message. */
export interface Nameable {
  /** Tells people apart: an address, or that of an occupant. */
  who: string;
  /** What is written to name them. */
  nick: string;
  /** What they are called here. */
  name: string;
}

/** Everybody else in the room, once: who is there first. */
export function nameable(chat: Chat): Nameable[] {
  const room = chat.room.value;
  const found = new Map<string, Nameable>();
  for (const { nick, address } of room?.members ?? []) {
    if (address === chat.self || (nick !== null && nick === room?.nick)) continue;
    const who = address ?? `${chat.address}/${nick ?? ""}`;
    // Who is not there has the name they had when they last wrote, or else that of their address.
    const written = nick ?? lastNick(chat, who) ?? localPart(who);
    if (!found.has(who)) found.set(who, { who, nick: written, name: chat.nameOf(who) });
  }
  return [...found.values()];
}

function lastNick(chat: Chat, who: string): string | null {
  return chat.messages.peek().findLast((one) => one.sender === who)?.nick ?? null;
}

/** What can be done about somebody who wrote. */
export function openMember(chat: Chat, who: string, name: string, at: Point | Element): void {
  const say = words().rooms;
  const nick = nameable(chat).find((one) => one.who === who)?.nick;
  const items: MenuItem[] = [];
  if (nick !== undefined) {
    items.push({ label: fill(say.mention, { name }), icon: "mention", run: () => chat.mention(nick) });
  }
  if (!who.startsWith(`${chat.address}/`)) {
    items.push(
      { label: fill(say.writeTo, { name }), icon: "chat", run: () => go({ at: "chat", address: who, message: null }) },
      { label: say.member.profile, icon: "info", run: () => go({ at: "details", address: who }) },
    );
  }
  items.push({ label: say.details.members, icon: "people", run: () => go({ at: "details", address: chat.address }) });
  openMenu({ label: fill(say.memberMenu, { name }), at, items });
}
