// Who a text in a room names: oneself, as the core finds it (a word of the text that is the own
// nickname, in any case), and others behind an @.

/** A part of a text. */
export interface Named {
  text: string;
  /** Whom it names. */
  who: "self" | "other" | null;
}

/** An `@` beyond these is only a letter. */
const MOST = 100;

/** Splits a text where it names somebody. `others` are nicknames. */
export function named(text: string, own: string | null, others: readonly string[]): Named[] {
  const lower = text.toLowerCase();
  // Few letters change their length with their case; where one does, places would not fit.
  if (lower.length !== text.length) return [{ text, who: null }];
  const found = [...ownPlaces(lower, own), ...otherPlaces(lower, others)].sort((a, b) => a.from - b.from);
  const parts: Named[] = [];
  let at = 0;
  for (const { from, to, who } of found) {
    if (from < at) continue;
    if (from > at) parts.push({ text: text.slice(at, from), who: null });
    parts.push({ text: text.slice(from, to), who });
    at = to;
  }
  if (at < text.length || parts.length === 0) parts.push({ text: text.slice(at), who: null });
  return parts;
}

/** Whether a text names this account. */
export function namesUs(text: string, own: string | null): boolean {
  return ownPlaces(text.toLowerCase(), own).length > 0;
}

interface Place {
  from: number;
  to: number;
  who: "self" | "other";
}

function ownPlaces(lower: string, own: string | null): Place[] {
  const nick = (own ?? "").trim().toLowerCase();
  const places: Place[] = [];
  if (nick === "") return places;
  for (let at = lower.indexOf(nick); at >= 0; at = lower.indexOf(nick, at + nick.length)) {
    const to = at + nick.length;
    if (isLetter(lower[at - 1]) || isLetter(lower[to])) continue;
    places.push({ from: lower[at - 1] === "@" ? at - 1 : at, to, who: "self" });
  }
  return places;
}

function otherPlaces(lower: string, others: readonly string[]): Place[] {
  const places: Place[] = [];
  let at = lower.indexOf("@");
  if (at < 0) return places;
  const nicks = others.map((one) => one.toLowerCase()).sort((a, b) => b.length - a.length);
  for (let left = MOST; at >= 0 && left > 0; left--) {
    const from = at;
    const nick = nicks.find((one) => lower.startsWith(one, from + 1) && !isLetter(lower[from + 1 + one.length]));
    if (nick && !isLetter(lower[from - 1])) places.push({ from, to: from + 1 + nick.length, who: "other" });
    at = lower.indexOf("@", from + 1);
  }
  return places;
}

function isLetter(letter: string | undefined): boolean {
  return letter !== undefined && /[\p{L}\p{N}]/u.test(letter);
}

/** The beginning of a name that is being typed behind an `@`. */
export interface Begun {
  /** Where the `@` stands. */
  from: number;
  typed: string;
}

const LONGEST = 40;

/** Whether the letters before the caret begin to name somebody. */
export function begun(text: string, caret: number): Begun | null {
  const from = text.lastIndexOf("@", caret - 1);
  if (from < 0 || caret - from > LONGEST) return null;
  if (from > 0 && !/\s/u.test(text[from - 1] ?? "")) return null;
  const typed = text.slice(from + 1, caret);
  return /[\n@]/u.test(typed) || /^\s/u.test(typed) ? null : { from, typed };
}

/** Those of the names that fit what was typed: first whose beginning fits, then whose words do. */
export function fitting<T extends { nick: string; name: string }>(all: readonly T[], typed: string, most: number): T[] {
  const wanted = typed.toLowerCase();
  const rank = (one: T): number => {
    const names = [one.nick.toLowerCase(), one.name.toLowerCase()];
    if (names.some((name) => name.startsWith(wanted))) return 0;
    return names.some((name) => name.split(/\s+/u).some((word) => word.startsWith(wanted))) ? 1 : 2;
  };
  return all
    .map((one) => ({ one, rank: rank(one) }))
    .filter((entry) => entry.rank < 2)
    .sort((a, b) => a.rank - b.rank || a.one.name.localeCompare(b.one.name))
    .slice(0, most)
    .map((entry) => entry.one);
}
