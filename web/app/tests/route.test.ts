import assert from "node:assert/strict";
import { test } from "node:test";

import "./browser";
import { above, again, format, go, parse } from "../src/route";

type Route = ReturnType<typeof parse>;

const ROUTES: Route[] = [
  { at: "list" },
  { at: "chat", address: "romeo@verona.example", message: null },
  { at: "chat", address: "romeo@verona.example", message: 42 },
  { at: "chat", address: "a/b?c#d e%@verona.example", message: null },
  { at: "chat", address: "光源氏@heian.example", message: null },
  { at: "details", address: "nurse@anemone.example" },
  { at: "add" },
  { at: "group" },
  { at: "channel" },
  { at: "join", address: null },
  { at: "join", address: "xmpp:garden@conference.illyria.example?join;password=a/b" },
  { at: "requests" },
  { at: "starred", address: null },
  { at: "starred", address: "nurse@anemone.example" },
  { at: "share" },
  { at: "settings", page: null },
  { at: "settings", page: "invite" },
];

test("every place survives the address bar", () => {
  for (const route of ROUTES) assert.deepEqual(parse(format(route)), route);
});

test("what makes no sense is the list", () => {
  for (const hash of ["", "#", "#/", "#/nowhere", "#/chat", "#/chat/", "#/chat/%E0%A4%A", "#/details"]) {
    assert.deepEqual(parse(hash), { at: "list" }, hash);
  }
});

test("a message that is no number is none", () => {
  for (const hash of ["#/chat/a%40b/x", "#/chat/a%40b/1.5", "#/chat/a%40b/", "#/chat/a%40b/1e99"]) {
    assert.deepEqual(parse(hash), { at: "chat", address: "a@b", message: null }, hash);
  }
});

test("one level up ends at the list", () => {
  for (let route of ROUTES) {
    for (let steps = 0; route.at !== "list"; steps += 1) {
      assert.ok(steps < 3, format(route));
      route = above(route);
    }
  }
});

test("an address in the bar is the one under which notices come", () => {
  assert.deepEqual(parse("#/chat/Juliet%40Example.org"), { at: "chat", address: "juliet@example.org", message: null });
  assert.deepEqual(parse("#/details/Juliet@Example.org"), { at: "details", address: "juliet@example.org" });
  assert.deepEqual(parse("#/chat/rooms.example.org"), { at: "chat", address: "rooms.example.org", message: null });
});

test("going where one is already is told", () => {
  const before = again.value;
  location.hash = format({ at: "settings", page: null });
  go({ at: "settings", page: null });
  assert.equal(again.value, before + 1);
  location.hash = "";
});
