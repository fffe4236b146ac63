// From the name somebody goes by to the name in an address.

import { nameProblem, prepared } from "../people/address";

/** Letters that are two elsewhere: a mark that is left out would make another word of them. */
const SPELT: Readonly<Record<string, string>> = {
  ä: "ae", ö: "oe", ü: "ue", ß: "ss", æ: "ae", œ: "oe", ø: "o", å: "aa", ł: "l", đ: "d", ð: "d", þ: "th", ı: "i",
};

const LONGEST = 64;

/**
 * The name in the address for what somebody typed: "Anna Müller" becomes "anna.mueller", which can
 * be typed on every keyboard. Empty when nothing of it can be in an address.
 */
export function addressName(typed: string): string {
  const letters = prepared(typed.trim().normalize("NFKC"));
  const spelt = [...letters].map((letter) => SPELT[letter] ?? plain(letter)).join("");
  const dotted = spelt.replace(/[\s,]+/gu, ".");
  const kept = [...dotted].filter((letter) => nameProblem(letter) === null).join("");
  return kept.replace(/\.{2,}/gu, ".").replace(/^\.+|\.+$/gu, "").slice(0, LONGEST);
}

/** A Latin letter without its marks; letters of other scripts as they are. */
function plain(letter: string): string {
  const [base = letter] = letter.normalize("NFD");
  return /^[a-z]$/u.test(base) ? base : letter;
}

/** Another name like one that is taken; another one at each try. */
export function otherName(taken: string, random: (below: number) => number): string {
  const stem = taken.replace(/[.\-_]?\d+$/u, "") || taken;
  return `${stem}.${10 + random(90)}`;
}
