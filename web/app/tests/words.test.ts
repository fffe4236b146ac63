// The words of the page, in every language.

import assert from "node:assert/strict";
import { test } from "node:test";

import "./browser";
import * as german from "../src/i18n/de";
import * as english from "../src/i18n/en";

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
