// What is chosen, pasted and picked.

import assert from "node:assert/strict";
import { test } from "node:test";

import "./browser";
import type { Message } from "../src/core/types";
import { pastedFiles } from "../src/ui/chat/composer/pasted";
import { isEmoji } from "../src/ui/chat/logic/emoji";
import { plainForm, toned, TONES } from "../src/ui/chat/emoji/tone";
import { selected, toggle, type Chosen } from "../src/ui/chat/selection";

const one = (id: number, text = `${id}`) =>
  ({ id, place: String(id).padStart(5, "0"), content: { is: "text", text, lines: [], action: false } }) as unknown as Message;
const window = (ids: readonly number[], newer = false) => ({ messages: ids.map((id) => one(id)), older: true, newer, firstUnread: null });
const ids = (chosen: Chosen | null, at: ReturnType<typeof window> | undefined) => selected(chosen ?? new Map(), at).map(({ id }) => id);

test("what is chosen stays so when the window is put somewhere else", () => {
  const chosen = toggle(toggle(null, one(8)), one(5));
  assert.deepEqual(ids(chosen, window([4, 5, 6, 7, 8])), [5, 8]);
  assert.deepEqual(ids(chosen, window([100, 101])), [5, 8], "further down");
  assert.deepEqual(ids(chosen, window([1, 2], true)), [5, 8], "further up");
  assert.deepEqual(ids(chosen, window([5, 6], true)), [5, 8], "partly there");
  assert.deepEqual(ids(chosen, undefined), [5, 8], "while the core starts again");
});

test("what is gone from among its neighbours is chosen no longer, and what was edited is as it is now", () => {
  const chosen = toggle(toggle(null, one(5, "before")), one(8));
  assert.deepEqual(ids(chosen, window([4, 5, 6, 7, 9])), [5]);
  assert.deepEqual(ids(chosen, window([4, 5, 6, 7])), [5], "the last one");
  const [first] = selected(chosen ?? new Map(), window([4, 5]));
  assert.equal(first?.content.is === "text" && first.content.text, "5");
  assert.equal(toggle(toggle(null, one(5)), one(5)), null);
});

const clipboard = (text: string, ...names: string[]) => ({
  getData: (type: string) => (type === "text/plain" ? text : ""),
  files: names.map((name) => new File(["x"], name)) as unknown as FileList,
});
const pasted = (text: string, ...names: string[]) => pastedFiles(clipboard(text, ...names)).map(({ name }) => name);

test("the text of a spreadsheet is pasted, not its picture", () => {
  assert.deepEqual(pasted("1\t2\n3\t4", "image.png"), []);
  assert.deepEqual(pasted("", "image.png"), ["image.png"]);
  assert.deepEqual(pasted("  \n", "image.png"), ["image.png"]);
  assert.deepEqual(pastedFiles(null), []);
});

test("a file whose name lies beside it is pasted", () => {
  assert.deepEqual(pasted("garden.jpg", "garden.jpg"), ["garden.jpg"]);
  assert.deepEqual(pasted("file:///home/juliet/my%20garden.jpg\r\n/home/juliet/b.pdf", "my garden.jpg", "b.pdf"), ["my garden.jpg", "b.pdf"]);
  assert.deepEqual(pasted("file:///%E0%A4%A", "garden.jpg"), []);
});

test("people get a tone, and nothing else does", () => {
  const dark = TONES[5];
  assert.equal(toned("👍", dark), "👍🏿");
  assert.equal(toned("✌️", dark), "✌🏿");
  assert.equal(toned("👩‍💻", dark), "👩🏿‍💻");
  assert.equal(toned("👍", ""), "👍");
  for (const other of ["😀", "❤️", "🏳️‍🌈", "👨‍👩‍👧", "🌹"]) assert.equal(toned(other, dark), other);
  for (const emoji of ["👍", "✌️", "👩‍💻", "🤝"]) {
    assert.ok(TONES.every((tone) => isEmoji(toned(emoji, tone))), emoji);
    assert.ok(TONES.every((tone) => plainForm(toned(emoji, tone)) === plainForm(emoji)), emoji);
  }
});
