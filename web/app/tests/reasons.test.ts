// Why something did not work is said in the language of the page: everything that the core can say is
// known, and has words in every language.

import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { before, test } from "node:test";

import "./browser";
import { speak } from "../src/i18n";
import * as german from "../src/i18n/de/reasons";
import * as english from "../src/i18n/en/reasons";
import type { Problem } from "../src/core/types";
import * as forms from "../src/ui/reason-forms";
import { problemText, searchProblemText } from "../src/ui/people/problem";
import { reasonOf, reasonText } from "../src/ui/reason";

before(() => speak("de"));

test("a reason is told in German, with what belongs to it", () => {
  assert.equal(reasonText("localhost does not answer"), "localhost antwortet nicht");
  assert.equal(reasonText("the file is larger than 20 MiB"), "die Datei ist größer als 20 MiB");
  assert.equal(reasonText("no device of a@b.example is trusted; compare their keys first"), "keinem Gerät von a@b.example wird vertraut; vergleicht zuerst die Schlüssel");
  assert.equal(reasonText("the server takes files of up to 104857600 bytes"), "der Server nimmt Dateien bis 105 MB");
  // A reason in a reason.
  assert.equal(reasonText("the server ended the stream: policy violation"), "der Server hat die Verbindung beendet: gegen die Regeln");
  assert.equal(reasonText("Adding a@b.example did not work: there was no answer."), "a@b.example hinzuzufügen hat nicht geklappt: es kam keine Antwort.");
  // What the server itself says comes behind.
  assert.equal(reasonText("the room was destroyed: we moved"), "sie wurde von einem Eigentümer geschlossen: we moved");
  assert.equal(reasonText("Come back tomorrow"), "Come back tomorrow");
});

test("a problem says what it is once", () => {
  const words = "it was refused: forbidden";
  assert.equal(problemText({ kind: "refused", words }), "Der Server lehnt ab: nicht erlaubt");
});

test("what a server cannot do is said with the reason", () => {
  const words = "the server cannot do that: it deletes no history when it is asked to";
  assert.equal(problemText({ kind: "unsupported", words }), "Der Server kann das nicht: er löscht keine Nachrichten, wenn man ihn darum bittet");
});

test("why a search did not get to its end is told in German, whatever it was", () => {
  const said = (kind: Problem["kind"], words: string) => searchProblemText({ kind, words });
  assert.equal(said("restarted", "unreachable executed"), "Die Suche wurde abgebrochen, weil Clownfish neu starten musste.");
  assert.equal(said("invalid", "at most 1024 bytes can be looked for"), "Das geht nicht: gesucht werden können höchstens etwa 1024 Zeichen");
  assert.match(said("storage", "there is no space left for messages and keys"), /^Auf diesem Gerät lässt sich gerade nichts speichern: /);
});

test("every reason has its places in every language", () => {
  const places = (text: string) => [...text.matchAll(/\{\d\}/g)].map(String).sort().join();
  for (const [code, text] of Object.entries(forms)) {
    for (const language of [english, german]) assert.equal(places(language[code as keyof typeof forms]), places(text), code);
    // No two are taken for each other.
    assert.equal(reasonOf(text.replaceAll(/\{\d\}/g, "7"))?.code, code);
  }
});

const ROOT = new URL("../../", import.meta.url);

/** Texts of the core that nobody is shown: parts of names, what is written into stanzas, and the like. */
const OTHERS = [
  /^(chat states|caps |room \{|an error$|gone too|an address|never there|roster version|too many timers)/,
  // How programs are damaged is told as part of `storeDamaged`.
  /^(bookmarks|what was seen|what notifies|what waits for messages|starred messages|conversations with moved ticks|a room|requests|receipts): /,
  // Of lists of specifications.
  /^(streams and sessions|personal nodes)$/,
  /bytes are too many for one value$/,
  /^a text, not /,
  // Names of what is kept in PEP, for the log of the program.
  /^(who may read this device's keys|questions for the list of devices|this device's keys|the list of devices|another program keeps changing it)$/,
  /^\{\} \(\{room\}\)$/,
  /^\{reason\}: \{\}$/,
];

/** What may be shown of a source: texts that begin small and have more than one word. */
async function said(folder: URL, ending: string, texts: RegExp): Promise<string[]> {
  const found: string[] = [];
  for (const name of await readdir(folder, { recursive: true })) {
    if (!name.endsWith(ending) || name.includes("conformance")) continue;
    const source = (await readFile(new URL(name, folder), "utf8")).split("#[cfg(test)]")[0] ?? "";
    const code = source.replaceAll(/^\s*\/\/.*$/gm, "");
    for (const [, text = ""] of code.matchAll(texts)) {
      const whole = text.replaceAll(/\\\s*\n\s*/g, "");
      // In the list of chats sentences begin large.
      const begins = /(timeline\/show|promises)\.rs$/.test(name) ? /^[A-Za-z{]/ : /^[a-z{]/;
      if (begins.test(whole) && /^[^<>]* [^<>]*$/.test(whole) && whole.length >= 8) found.push(whole);
    }
  }
  return found;
}

test("everything that the core and the worker can say is in the list", async () => {
  const core = await said(new URL("crates/client/src/", ROOT), ".rs", /"((?:[^"\\]|\\[\s\S])*)"/g);
  const worker = await said(new URL("web/app/src/core/", ROOT), ".ts", /(?:Error|words|reason|#end|#giveUp|#refuse|failed|refused)\b[^"`\n]*["`]([^"`]+)["`]/g);
  assert.ok(core.length > 60 && worker.length > 8, `${core.length} and ${worker.length}`);
  const unknown = [...core, ...worker].filter((text) => {
    if (OTHERS.some((one) => one.test(text))) return false;
    const example = text.replaceAll(/\$?\{[^}]*\}+/g, "7");
    return reasonOf(example) === null;
  });
  assert.deepEqual([...new Set(unknown)], [], "ui/reason-forms.ts, i18n/en/reasons.ts and i18n/de/reasons.ts lack them");
});
