// What is different in a room: who came and went, what somebody is now, what it is about.

import type { Affiliation, Member, Room } from "../../../core/types";

export type News =
  | { is: "joined" | "left"; who: string; nick: string | null }
  | { is: "became"; who: string; nick: string | null; affiliation: Affiliation }
  | { is: "subject"; subject: string | null }
  | { is: "named"; name: string };

/** In larger channels nobody wants to know who comes and goes. */
const MOST = 40;

/** What changed from one state of a room to the next. In a private group the members count, in a
 * channel those who are there. */
export function news(before: Room, after: Room): News[] {
  if (before.state.is !== "in" || after.state.is !== "in") return [];
  const found: News[] = [];
  if (before.subject !== after.subject) found.push({ is: "subject", subject: after.subject });
  if (before.name !== after.name) found.push({ is: "named", name: after.name });
  const [old, now] = [people(before), people(after)];
  const few = Math.max(old.size, now.size) <= MOST;
  for (const [who, one] of now) {
    const known = old.get(who);
    if (!known && few) found.push({ is: "joined", who, nick: one.nick });
    // Somebody who is nothing more than before they came is no news.
    else if (known && known.affiliation !== one.affiliation) {
      found.push({ is: "became", who, nick: one.nick, affiliation: one.affiliation });
    }
  }
  for (const [who, one] of old) {
    if (!now.has(who) && few) found.push({ is: "left", who, nick: one.nick });
  }
  return found;
}

/** Everybody else, by what tells them apart. */
function people(room: Room): Map<string, Member> {
  const found = new Map<string, Member>();
  for (const one of room.members) {
    if (one.nick !== null && one.nick === room.nick) continue;
    if (room.private && one.affiliation === "none") continue;
    found.set(one.address ?? `${room.address}/${one.nick ?? ""}`, one);
  }
  return found;
}
