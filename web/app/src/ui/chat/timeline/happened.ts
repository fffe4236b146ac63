// What happened in a room, in words.

import type { Happening } from "../../../core/types";
import { fill, words } from "../../../i18n";
import type { Chat } from "../state";

/** So many are told when there are more. */
export const FEW = 3;

/** The last of them, in a sentence. */
export function gistOf(chat: Chat, all: readonly Happening[]): string {
  const few = all.slice(-FEW).map((one) => said(chat, one));
  const earlier = all.length > FEW ? [words().rooms.happenings.earlier(all.length - FEW)] : [];
  return [...earlier, ...few].join(". ");
}

/** What happened, in words. */
export function said(chat: Chat, one: Happening): string {
  const w = words().rooms.happenings;
  const { what } = one;
  const who = one.address ?? (one.nick === null ? "" : `${chat.address}/${one.nick}`);
  const known = chat.nameOf(who);
  const name = known === who ? (one.nick ?? known) : known;
  const self = who === chat.self || (one.nick !== null && one.nick === chat.nick.value && one.address === null);
  const because = (plain: string, reasoned: string, reason: string | null) =>
    reason === null ? fill(plain, { name }) : fill(reasoned, { name, reason });
  switch (what.is) {
    case "putOut":
      return because(w.putOut, w.putOutReason, what.reason);
    case "banned":
      return because(w.banned, w.bannedReason, what.reason);
    case "affiliation":
      return fill((self ? w.youBecame : w.became)[what.affiliation], { name });
    case "role":
      return fill((self ? w.youMay : w.may)[what.role], { name });
    case "nick":
      return fill(w.nick, { old: one.nick ?? name, name: what.nick });
    case "subject":
      if (what.subject === null) return w.noSubject;
      return name === "" ? fill(w.subject, { subject: what.subject }) : fill(w.subjectBy, { name, subject: what.subject });
    case "name":
      return fill(w.name, { name: what.name });
    case "picture":
      return w.picture;
    default:
      return fill(w[what.is], { name });
  }
}
