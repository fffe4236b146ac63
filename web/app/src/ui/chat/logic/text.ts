// The text of a message, cut into what is drawn.

import { MOST_TEXT_BYTES } from "../../../core/limits";
import type { Line, Message, Span } from "../../../core/types";

/** Lines of one kind that stand together. */
export interface Block {
  quote: number;
  preformatted: boolean;
  lines: Span[][];
}

/** Deeper quotations than this look like this one: bars need room. */
const DEEPEST = 4;

export function blocks(lines: readonly Line[]): Block[] {
  const found: Block[] = [];
  for (const line of trimmed(lines)) {
    const quote = Math.min(line.quote, DEEPEST);
    const last = found.at(-1);
    if (last && last.quote === quote && last.preformatted === line.preformatted) {
      last.lines.push(line.spans);
    } else {
      found.push({ quote, preformatted: line.preformatted, lines: [line.spans] });
    }
  }
  return found;
}

/** Without the empty lines at the beginning and at the end. */
function trimmed(lines: readonly Line[]): readonly Line[] {
  const empty = (line: Line) => !line.preformatted && line.spans.every((span) => span.text.trim() === "");
  const start = lines.findIndex((line) => !empty(line));
  if (start < 0) return lines.slice(0, 1);
  return lines.slice(start, lines.findLastIndex((line) => !empty(line)) + 1);
}

/** So much of a text is shown at first. */
export const FOLD = { characters: 1_600, lines: 24 };
/** A text is folded only if that hides more than a little. */
const SLACK = 1.25;
/** "Show more" shows so much more of a text that is too long to be drawn at once. */
export const STEP = 20_000;

export interface Folded {
  lines: Line[];
  /** Something is left out. */
  cut: boolean;
}

/** The beginning of a text, up to `characters` and `lines`. */
export function folded(all: readonly Line[], characters: number, lines: number): Folded {
  if (all.length <= lines * SLACK && length(all) <= characters * SLACK) {
    return { lines: [...all], cut: false };
  }
  const kept: Line[] = [];
  let left = characters;
  for (const line of all.slice(0, lines)) {
    const spans: Span[] = [];
    for (const span of line.spans) {
      if (left <= 0) break;
      spans.push(span.text.length <= left ? span : { ...span, text: start(span.text, left) });
      left -= span.text.length;
    }
    kept.push({ ...line, spans });
    left -= 1;
    if (left <= 0) break;
  }
  return { lines: kept, cut: true };
}

/** Cut where no character is torn apart. */
function start(text: string, length: number): string {
  return text.slice(0, length).replace(/[\uD800-\uDBFF]$/, "");
}

export function length(lines: readonly Line[]): number {
  let sum = lines.length;
  for (const line of lines) for (const span of line.spans) sum += span.text.length;
  return sum;
}

const RIGHT_TO_LEFT =
  /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}\p{Script=Adlam}]/u;

/** The direction of a text, by its first letter (UAX #9 P2); `null` if it has none. */
export function direction(text: string): "ltr" | "rtl" | null {
  const letter = /\p{L}/u.exec(text.slice(0, 500))?.[0];
  if (!letter) return null;
  return RIGHT_TO_LEFT.test(letter) ? "rtl" : "ltr";
}

/** What a message says in one line; empty if it says nothing. */
export function gist(message: Message): string {
  const { content } = message;
  if (content.is === "text") return content.text.slice(0, 400).replace(/\s+/g, " ").trim();
  if (content.is === "file") return content.caption || content.file.name;
  return "";
}

/** Whether there is something to copy. */
export function copyable(message: Message): string | null {
  const { content } = message;
  if (content.is === "text") return content.text;
  if (content.is === "file") return content.caption;
  return null;
}

/** Parts of a text, in which what is searched for stands out. */
export interface Part {
  text: string;
  found: boolean;
}

/** Splits a text at what is searched for, which is found in any case. */
export function marked(text: string, wanted: string): Part[] {
  const words = [...new Set(wanted.toLocaleLowerCase().split(/\s+/).filter(Boolean))];
  if (words.length === 0) return [{ text, found: false }];
  const pattern = new RegExp(`(${words.map(escaped).join("|")})`, "giu");
  return text
    .split(pattern)
    .map((part, index) => ({ text: part, found: index % 2 === 1 }))
    .filter((part) => part.text !== "");
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
}

/** How many characters at its end a text has too many to be sent; 0 if it fits. */
export function excess(text: string): number {
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(MOST_TEXT_BYTES));
  let count = 0;
  for (const _ of text.slice(read)) count += 1;
  return count;
}
