import "./browser";

import assert from "node:assert/strict";
import { test } from "node:test";

import type { Content, Message } from "../src/core/types";
import { waiting } from "../src/ui/chat/logic/waiting";

function said(id: number, text: string, own = false): Message {
  const content: Content = { is: "text", text, lines: [], action: false };
  return message(id, content, own);
}

function message(id: number, content: Content, own = false): Message {
  return {
    id, content, own, place: String(id).padStart(9, "0"), sender: "square@rooms.example", nick: "Romeo", time: id,
    encryption: { is: "none" }, delivery: null, reached: [], reply: null, reactions: [], starred: false, versions: [],
  };
}

test("what waits is counted behind what was seen, and the first that names us is next", () => {
  const happened = message(4, { is: "room", happenings: [] });
  const all = [said(1, "Juliet?"), said(2, "seen"), said(3, "one"), happened, said(5, "@Juliet"), said(6, "me: Juliet", true), said(7, "juliet!"), said(8, "Juliette")];
  const seen = all[1]!.place;
  assert.deepEqual(waiting(all, seen, "Juliet"), { count: 4, mentions: 2, next: 5 });
  assert.deepEqual(waiting(all, all[7]!.place, "Juliet"), { count: 0, mentions: 0, next: null });
  assert.deepEqual(waiting(all, seen, null), { count: 4, mentions: 0, next: null });
});
