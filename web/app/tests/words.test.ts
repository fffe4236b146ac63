// The words of the page, in every language.

import assert from "node:assert/strict";
import { test } from "node:test";

import "./browser";
import { region } from "../src/i18n";
import * as german from "../src/i18n/de";
import * as english from "../src/i18n/en";
import { minute } from "../src/ui/chat/logic/times";
import { shortTime } from "../src/ui/shell/time";

const WORDS = { now: "now", minutes: (n: number) => `${n} min`, yesterday: "yesterday" };

/** The names of all texts that hold a word. */
function holding(word: RegExp, words: object): string[] {
  return Object.entries(words).flatMap(([name, text]) => {
    if (typeof text === "object" && text !== null) return holding(word, text);
    return word.test(String(text)) ? [name] : [];
  });
}

test("only who asks for details reads the name of the encryption", () => {
  for (const words of [english, german]) {
    assert.deepEqual(holding(/omemo/i, words).sort(), ["encryptedWith", "encryptionHint"]);
  }
});

test("times are written alike everywhere, as the reader's region does", (t) => {
  const moment = new Date(2026, 1, 3, 6, 5).getTime();
  const before = navigator.languages;
  t.after(() => Object.assign(navigator, { languages: before }));
  for (const [languages, time] of [[["en-GB"], /^06:05$/], [["en-US"], /^6:05\sAM$/], [["fr", "en"], /^6:05\sAM$/]] as const) {
    Object.assign(navigator, { languages });
    for (const written of [minute(moment), shortTime(moment, moment + 5 * 3_600_000, region(), WORDS)]) {
      assert.match(written, time, languages.join());
    }
  }
});
