// Reasons in the language of the page. The core, the worker and the protocol say them in English, each in
// words that are nowhere else; the list of them (reason-forms.ts) says which one it is and what belongs to it.
// A test compares the list with what the core can say.

import { fill, language, words } from "../i18n";
import { sized } from "./chat/logic/files";
import * as forms from "./reason-forms";

export type ReasonCode = keyof typeof forms;

export interface Reason {
  code: ReasonCode;
  /** What belongs to it: an address, a number, another reason. */
  about: string[];
  /** What the server itself said behind it. */
  said: string | null;
}

interface Known {
  code: ReasonCode;
  form: RegExp;
  /** Letters that are no place for something: the more, the better it fits. */
  fixed: number;
}

let known: Known[] | undefined;

/** Which reason these words of the core are; `null` for what a server says in words of its own. */
export function reasonOf(said: string): Reason | null {
  const whole = fitting(said);
  if (whole) return whole;
  // What a server says comes behind what it is.
  for (let at = said.indexOf(": "); at >= 0; at = said.indexOf(": ", at + 1)) {
    const before = fitting(said.slice(0, at));
    if (before) return { ...before, said: said.slice(at + 2) };
  }
  return null;
}

/** The reason that these words are from the first to the last. */
function fitting(said: string): Reason | null {
  known ??= Object.entries(forms)
    .map(([code, text]) => ({ code: code as ReasonCode, ...formOf(text) }))
    .sort((a, b) => b.fixed - a.fixed);
  for (const { code, form } of known) {
    const found = form.exec(said);
    if (found) return { code, about: found.slice(1), said: null };
  }
  return null;
}

/** A reason for people. What a server says in words of its own stays as it is. */
export function reasonText(said: string): string {
  const reason = reasonOf(said);
  if (reason === null) return said;
  const about = reason.about.map((one, at) => [at, reason.code === "uploadSize" ? size(one) : reasonText(one)]);
  const text = fill(words().reasons[reason.code], Object.fromEntries(about) as Record<string, string>);
  return reason.said === null ? text : `${text}: ${reason.said}`;
}

/** A number of bytes as people say it. */
function size(bytes: string): string {
  return /^\d+$/.test(bytes) ? sized(Number(bytes), language.value) : bytes;
}

/** What is left without the kind of problem in front of it, which is said in other words. */
export function withoutKind(said: string): string {
  const kinds: ReasonCode[] = ["notEncryptable", "wasRefused", "serverCannot", "notTransferred"];
  const reason = reasonOf(said);
  const inner = reason && kinds.includes(reason.code) ? reason.about[0] : undefined;
  return inner === undefined ? said : [inner, reason?.said].filter(Boolean).join(": ");
}

function formOf(text: string): { form: RegExp; fixed: number } {
  const parts = text.split(/\{\d\}/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return { form: new RegExp(`^${parts.join("(.+?)")}$`, "s"), fixed: text.replace(/\{\d\}/g, "").length };
}
