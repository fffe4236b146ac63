import assert from "node:assert/strict";
import { test } from "node:test";

import "./browser";
import type { Conversation } from "../src/core/types";
import { initials } from "../src/ui/kit/initials";
import { countUnread, muted, nextUnread } from "../src/ui/shell/conversations";
import { read } from "../src/ui/shell/settings";
import { shortTime } from "../src/ui/shell/time";
import { range } from "../src/ui/shell/virtual";

const NOW = new Date(2026, 5, 17, 15, 30).getTime(); // A Wednesday.
const WORDS = { now: "now", minutes: (n: number) => `${n} min`, yesterday: "Yesterday" };
const short = (...moment: [number, number, number, number, number]) =>
  shortTime(new Date(...moment).getTime(), NOW, "en-GB", WORDS);

test("times get coarser the longer ago they are", () => {
  assert.equal(short(2026, 5, 17, 15, 30), "now");
  assert.equal(short(2026, 5, 17, 15, 29), "1 min");
  assert.equal(short(2026, 5, 17, 14, 31), "59 min");
  assert.equal(short(2026, 5, 17, 14, 30), "14:30");
  assert.equal(short(2026, 5, 17, 0, 0), "00:00");
  assert.equal(short(2026, 5, 16, 23, 59), "Yesterday");
  assert.equal(short(2026, 5, 15, 23, 59), "Mon");
  assert.equal(short(2026, 5, 11, 0, 0), "Thu");
  assert.equal(short(2026, 5, 10, 23, 59), "10 Jun");
  assert.equal(short(2025, 5, 10, 12, 0), "10/06/25");
});

test("a moment of tomorrow is now: a clock is wrong", () => {
  assert.equal(short(2026, 5, 18, 9, 0), "now");
  assert.equal(short(2036, 5, 18, 9, 0), "now");
});

function chat(address: string, more: Partial<Conversation> = {}): Conversation {
  return {
    address,
    room: false,
    name: address,
    preview: null,
    unread: 0,
    mentions: 0,
    draft: "",
    typing: [],
    mute: { is: "no" },
    notify: "usual",
    pinned: false,
    wallpaper: null,
    behind: false,
    encrypted: true,
    readers: { theirs: 1, own: 0, leftOut: 0, verified: false },
    waitsForKeys: false,
    request: false,
    order: "",
    shown: true,
    ...more,
  };
}

test("muted until a time that has come is not muted", () => {
  assert.equal(muted({ is: "until", time: NOW + 1 }, NOW), true);
  assert.equal(muted({ is: "until", time: NOW }, NOW), false);
  assert.equal(muted({ is: "forever" }, NOW), true);
  assert.equal(muted({ is: "no" }, NOW), false);
});

test("strangers and muted chats do not count", () => {
  const list = [
    chat("a", { unread: 2 }),
    chat("b", { unread: 3, mute: { is: "forever" } }),
    chat("c", { unread: 5, request: true }),
    chat("d", { unread: 7 }),
  ];
  assert.equal(countUnread(list, NOW), 9);
});

test("the next unread chat goes round, and takes muted ones last", () => {
  const list = [
    chat("a", { unread: 1 }),
    chat("b"),
    chat("c", { unread: 1, mute: { is: "forever" } }),
    chat("d", { unread: 1 }),
    chat("e", { unread: 9, request: true }),
  ];
  assert.equal(nextUnread(list, null, NOW), "a");
  assert.equal(nextUnread(list, "a", NOW), "d");
  assert.equal(nextUnread(list, "d", NOW), "a");
  assert.equal(nextUnread([chat("c", { unread: 1, mute: { is: "forever" } })], null, NOW), "c");
  assert.equal(nextUnread([chat("b")], "b", NOW), null);
  assert.equal(nextUnread([], null, NOW), null);
});

test("only lines near the window are drawn", () => {
  assert.deepEqual(range(0, 700, 70, 1000), { from: 0, to: 16 });
  assert.deepEqual(range(7000, 700, 70, 1000), { from: 94, to: 116 });
  assert.deepEqual(range(69_300, 700, 70, 1000), { from: 984, to: 1000 });
  assert.deepEqual(range(-500, 700, 70, 3), { from: 0, to: 3 });
  assert.deepEqual(range(99_999, 700, 70, 0), { from: 0, to: 0 });
});

test("initials are letters, whatever the name is", () => {
  const names: [string, string | null][] = [
    ["Romeo", "R"],
    ["Friar Laurence", "FL"],
    ["a b c d", "AD"],
    ["romeo@verona.example", "RE"],
    ["شهرزاد", "ش"],
    ["光源氏", "光"],
    ["🌙 Titania 🦋", "T"],
    ["🌙", null],
    ["", null],
    ["  ", null],
  ];
  for (const [name, wanted] of names) assert.equal(initials(name), wanted, name);
  assert.ok((initials("Y̸̢̛o̵̡͝r̷̨̕ǐ̶̢c̸̡̈k̴̨̋") ?? "").length <= 4);
});

test("settings that make no sense are as if they were not there", () => {
  const usual = read(null);
  for (const text of ["", "{", "null", "[]", "7", '{"theme":"pink","text":9,"language":"xx","notify":"yes","fetch":"sometimes","oneSide":1}']) {
    assert.deepEqual(read(text), usual, text);
  }
  const chosen = read('{"theme":"dark","text":"large","language":"de","sound":true,"notifyText":false,"fetch":"never","oneSide":true}');
  assert.deepEqual(chosen, { ...usual, theme: "dark", text: "large", language: "de", sound: true, notifyText: false, fetch: "never", oneSide: true });
});
