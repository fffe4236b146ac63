// The words of the page. English is the complete list; every other language has the same keys, which
// the compiler checks. A text is a string with {places}, or a function of its arguments where a
// language has to choose (plurals).

import { signal, type ReadonlySignal } from "@preact/signals";

import { checked } from "../checked";
import * as en from "./en";

type Widen<T> = {
  [K in keyof T]: T[K] extends string
    ? string
    : T[K] extends (...args: infer A) => string
      ? (...args: A) => string
      : Widen<T[K]>;
};

/** What a language has to have. */
export type Words = Widen<typeof en>;

/** English is there at once; the others are loaded when somebody wants them. */
const LATER: Record<string, () => Promise<Words>> = { de: () => checked("de", () => import("./de")) };
const loaded = new Map<string, Words>([["en", en]]);

/** Languages that are complete, as people call them in their own. */
export const NAMES: Record<string, string> = { en: "English", de: "Deutsch" };

const spoken = signal("en");

/** The tag of the language in use. */
export const language: ReadonlySignal<string> = spoken;

/** The tag for times and dates: with the customs of the reader's region, if it is of the language in use. */
export function region(): string {
  const tag = language.value;
  return navigator.languages.find((one) => one === tag || one.startsWith(`${tag}-`)) ?? tag;
}

/** The words in the language in use. Read it while drawing: `words().chat.reply`. */
export function words(): Words {
  return loaded.get(language.value) ?? en;
}

let wanted = "en";

/** Changes the language, as soon as its words are here; without them it stays as it is. */
export async function speak(tag: string): Promise<void> {
  wanted = tag;
  try {
    const later = LATER[tag];
    if (!loaded.has(tag) && later) loaded.set(tag, await later());
  } catch {
    return;
  }
  if (wanted === tag && loaded.has(tag)) spoken.value = tag;
}

/**
 * Puts arguments into the {places} of a text. What is written from right to left does so only within
 * itself, and what turns the line round is left out: it could end that, and turn the rest.
 */
export function fill(text: string, args: Record<string, string | number>): string {
  return text.replace(/\{(\w+)\}/g, (place, name: string) =>
    name in args ? isolated(String(args[name])) : place,
  );
}

/** A text without what turns the line round: for places that have no elements, such as titles. */
export function straight(text: string): string {
  return text.replace(/[\u202a-\u202e\u2066-\u2069]/g, "");
}

function isolated(text: string): string {
  const plain = straight(text);
  return /[\u0590-\u08ff\u200e\u200f\ufb1d-\ufdff\ufe70-\ufefc]/.test(plain) ? `\u2068${plain}\u2069` : plain;
}

/** One of two texts, by the rules for numbers that most languages of Europe share. */
export function plural(n: number, one: string, other: string): string {
  return fill(n === 1 ? one : other, { n: new Intl.NumberFormat(language.peek()).format(n) });
}

/** The language of the system, as far as there is one here; English otherwise. */
export function preferred(): string {
  for (const tag of navigator.languages) {
    const base = tag.split("-")[0] ?? "";
    if (base in NAMES) return base;
  }
  return "en";
}
