// What is said of a room in several places.

import type { Member, Room } from "../../../core/types";
import { words } from "../../../i18n";

/** How many belong to it, or are there where it does not tell who belongs to it. */
export function memberCount(room: Room): string {
  const say = words().rooms;
  const count = room.members.length;
  return room.private ? say.members(count) : say.present(count);
}

/** What somebody is in a room; nothing if there is nothing to say. */
export function standing(member: Member): string {
  const say = words().rooms.member;
  const parts = [
    member.affiliation === "owner" || member.affiliation === "admin" || member.affiliation === "outcast"
      ? say[member.affiliation]
      : member.role === "moderator"
        ? say.moderator
        : member.role === "visitor"
          ? say.visitor
          : "",
    ...member.hats,
  ];
  return parts.filter(Boolean).join(" · ");
}
