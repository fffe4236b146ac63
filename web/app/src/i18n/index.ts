// The words of the page. English is the complete list; every other language has the same keys, which
// the compiler checks. A text is a string with {places}, or a function of its arguments where a
// language has to choose (plurals).

import { signal } from "@preact/signals";

import * as de from "./de";
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

const LANGUAGES: Record<string, Words> = { en, de };

/** Languages that are complete, as people call them in their own. */
export const NAMES: Record<string, string> = { en: "English", de: "Deutsch" };

/** The tag of the language in use. */
export const language = signal(preferred());

/** The words in the language in use. Read it while drawing: `words().chat.reply`. */
export function words(): Words {
  return LANGUAGES[language.value] ?? en;
}

/**
 * Puts arguments into the {places} of a text. What is written from right to left, or turns the line
 * round, does so only within itself.
 */
export function fill(text: string, args: Record<string, string | number>): string {
  return text.replace(/\{(\w+)\}/g, (place, name: string) =>
    name in args ? isolated(String(args[name])) : place,
  );
}

function isolated(text: string): string {
  return /[\u0590-\u08ff\u200e\u200f\u202a-\u202e\u2066-\u2069\ufb1d-\ufefc]/.test(text)
    ? `\u2068${text}\u2069`
    : text;
}

/** One of two texts, by the rules for numbers that most languages of Europe share. */
export function plural(n: number, one: string, other: string): string {
  return fill(n === 1 ? one : other, { n: new Intl.NumberFormat(language.peek()).format(n) });
}

/** The language of the system, as far as there is one here; English otherwise. */
export function preferred(): string {
  for (const tag of navigator.languages) {
    const base = tag.split("-")[0] ?? "";
    if (base in LANGUAGES) return base;
  }
  return "en";
}
