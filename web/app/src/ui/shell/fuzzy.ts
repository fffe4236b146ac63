// Finding names by a few of their letters.

/** Letters without marks and case, so that "Özil" is found by "oz". */
export function plain(text: string): string {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
}

/**
 * How well a name fits what was typed; 0 when it does not. All letters have to be there in their
 * order. The start of the name counts most, then starts of words, then letters in a row.
 */
export function score(name: string, typed: string): number {
  const wanted = [...plain(typed).replace(/\s+/g, "")];
  if (wanted.length === 0) return 1;
  const there = [...plain(name)];
  if (plain(name).startsWith(plain(typed).trim())) return 1000 - there.length;
  let total = 0;
  let from = 0;
  let last = -2;
  for (const letter of wanted) {
    const at = next(there, letter, from, last);
    if (at < 0) return 0;
    total += at === last + 1 ? 8 : startsWord(there, at) ? 10 : 1;
    last = at;
    from = at + 1;
  }
  // Letters that are scattered over a long name fit by chance.
  const spread = last + 1 - wanted.length;
  return total >= wanted.length * 4 ? Math.max(1, total * 4 - spread) : 0;
}

/** Where the letter is best taken: right after the last one, else at the start of a word. */
function next(there: string[], letter: string, from: number, last: number): number {
  if (from === last + 1 && there[from] === letter) return from;
  for (let at = from; at < there.length; at++) {
    if (there[at] === letter && startsWord(there, at)) return at;
  }
  return there.indexOf(letter, from);
}

function startsWord(there: string[], at: number): boolean {
  return at === 0 || !/[\p{L}\p{N}]/u.test(there[at - 1] ?? "");
}

export interface Named {
  address: string;
  name: string;
}

/** Those that fit, the best first. An address counts less than a name, and only as a whole piece. */
export function best<T extends Named>(all: readonly T[], typed: string, most: number): T[] {
  const piece = plain(typed).trim();
  return all
    .map((one) => ({ one, points: score(one.name, typed) * 2 || (plain(one.address).includes(piece) ? 1 : 0) }))
    .filter(({ points }) => points > 0)
    .sort((a, b) => b.points - a.points)
    .slice(0, most)
    .map(({ one }) => one);
}

/** The first of the words in a text, from a place on; the longest of those that begin there. */
function first(text: string, words: string[], from: number): { at: number; end: number } | null {
  const places = words.map((word) => ({ at: text.indexOf(word, from), word })).filter(({ at }) => at >= 0);
  places.sort((a, b) => a.at - b.at || b.word.length - a.word.length);
  const [found] = places;
  return found ? { at: found.at, end: found.at + found.word.length } : null;
}

function wordsOf(typed: string): string[] {
  return typed.toLowerCase().split(/\s+/).filter(Boolean);
}

/** A text in parts that are words that were typed, or not; for marking. */
export function marked(text: string, typed: string): { text: string; hit: boolean }[] {
  const words = wordsOf(typed);
  const folded = text.toLowerCase();
  // A few letters change their length with their case; then nothing is marked.
  if (words.length === 0 || folded.length !== text.length) return [{ text, hit: false }];
  const parts: { text: string; hit: boolean }[] = [];
  let from = 0;
  for (let found = first(folded, words, 0); found; found = first(folded, words, from)) {
    if (found.at > from) parts.push({ text: text.slice(from, found.at), hit: false });
    parts.push({ text: text.slice(found.at, found.end), hit: true });
    from = found.end;
  }
  if (from < text.length) parts.push({ text: text.slice(from), hit: false });
  return parts;
}

/** The part of a long text around what was typed, on one line. */
export function excerpt(text: string, typed: string, room = 90): string {
  const line = text.replace(/\s+/g, " ").trim();
  const at = first(line.toLowerCase(), wordsOf(typed), 0)?.at ?? -1;
  if (line.length <= room || at < room / 2) return line.slice(0, room * 2);
  const start = line.indexOf(" ", at - room / 3);
  return `…${line.slice(start >= 0 && start < at ? start : at, at + room * 2)}`;
}
