// Going back: what is open over a place, and the steps of the history that belong to it.

import assert from "node:assert/strict";
import { test } from "node:test";

import "./browser";

interface Entry {
  state: unknown;
  hash: string;
}

/** The history of a browser, which goes back a moment after it is told to. */
class Past {
  entries: Entry[] = [{ state: null, hash: "#/list" }];
  at = 0;
  told: () => void = () => {};

  get state(): unknown {
    return this.entries[this.at]?.state ?? null;
  }

  pushState(state: unknown, _: string, hash: string): void {
    this.entries = [...this.entries.slice(0, this.at + 1), { state, hash }];
    this.at += 1;
  }

  replaceState(state: unknown, _: string, hash: string): void {
    this.entries[this.at] = { state, hash };
  }

  back(): void {
    setTimeout(() => this.travel(-1));
  }

  go(by: number): void {
    setTimeout(() => this.travel(by));
  }

  /** Somebody goes there. */
  travel(by: number): void {
    const to = this.at + by;
    if (!this.entries[to]) return;
    this.at = to;
    this.told();
  }
}

const past = new Past();
Object.assign(globalThis, {
  history: past,
  location: {
    get hash() {
      return past.entries[past.at]?.hash;
    },
  },
  addEventListener: (what: string, listener: () => void) => {
    if (what === "popstate") past.told = listener;
  },
});
const { back, closeOver, format, go, openOver, parse, route } = await import("../src/route");

const settle = () => new Promise((done) => setTimeout(done, 5));
const chat = (name: string) => parse(`#/chat/${name}%40verona.example`);
const here = () => [format(route.peek()), past.entries[past.at]?.hash].map((hash) => hash?.replace("%40verona.example", ""));

/** Nothing but the list, then a chat. */
function begin(): void {
  [past.entries, past.at] = [[{ state: null, hash: "#/list" }], 0];
  past.told();
  go(chat("romeo"));
}

/** Something that is open until it is closed, by whatever. */
function open(how: "here" | "step" | "window" | "windowStep") {
  const one = { open: true, close: () => {} };
  const end = openOver(() => one.close(), how);
  one.close = () => {
    if (!one.open) return;
    one.open = false;
    end();
  };
  return one;
}

test("going back closes what is open, from above, and then leaves", async () => {
  begin();
  const [search, chosen] = [open("step"), open("step")];
  past.travel(-1);
  assert.deepEqual([search.open, chosen.open], [true, false]);
  past.travel(-1);
  assert.equal(search.open, false);
  assert.deepEqual(here(), ["#/chat/romeo", "#/chat/romeo"]);
  past.travel(-1);
  assert.deepEqual(here(), ["#/list", "#/list"]);
});

test("what lies below may be closed first", async () => {
  begin();
  const [search, chosen] = [open("step"), open("step")];
  search.close();
  await settle();
  assert.ok(chosen.open);
  past.travel(-1);
  assert.equal(chosen.open, false);
  past.travel(-1);
  assert.deepEqual(here(), ["#/list", "#/list"]);
});

test("several steps at once close all of them", () => {
  begin();
  const all = [open("step"), open("step")];
  past.travel(-2);
  assert.deepEqual(all.map((one) => one.open), [false, false]);
  assert.deepEqual(here(), ["#/chat/romeo", "#/chat/romeo"]);
});

test("going elsewhere as something closes ends there, and back is the place before", async () => {
  begin();
  const chosen = open("step");
  chosen.close();
  go(chat("nurse"));
  assert.equal(here()[0], "#/chat/nurse");
  await settle();
  assert.deepEqual(here(), ["#/chat/nurse", "#/chat/nurse"]);
  back();
  await settle();
  assert.deepEqual(here(), ["#/chat/romeo", "#/chat/romeo"]);
  back();
  await settle();
  assert.deepEqual(here(), ["#/list", "#/list"]);
});

test("something that opens as another closes has a step of its own", async () => {
  begin();
  const search = open("step");
  search.close();
  const chosen = open("step");
  const gone = open("step");
  gone.close();
  await settle();
  past.travel(-1);
  assert.equal(chosen.open, false);
  assert.deepEqual(here(), ["#/chat/romeo", "#/chat/romeo"]);
  past.travel(-1);
  assert.deepEqual(here(), ["#/list", "#/list"]);
});

test("a step of what is not open any more is passed over", async () => {
  begin();
  const both = [open("step"), open("step")];
  go(chat("nurse"));
  for (const one of both) one.close();
  await settle();
  assert.deepEqual(here(), ["#/chat/nurse", "#/chat/nurse"]);
  past.travel(-1);
  await settle();
  assert.deepEqual(here(), ["#/chat/romeo", "#/chat/romeo"]);
  past.travel(-1);
  assert.deepEqual(here(), ["#/list", "#/list"], "once was enough");
  // Forward to where something was open.
  begin();
  open("step");
  past.travel(-1);
  past.travel(1);
  await settle();
  past.travel(-1);
  assert.deepEqual(here(), ["#/list", "#/list"]);
});

test("a window over a place is gone with it, and Esc is its own affair", () => {
  begin();
  const question = open("window");
  assert.equal(closeOver(), false);
  past.travel(-1);
  assert.equal(question.open, false);
  begin();
  const chosen = open("here");
  assert.equal(closeOver(), true);
  assert.equal(chosen.open, false);
});

test("going back under a question ends the question, not what it lies over", () => {
  begin();
  const [chosen, question] = [open("step"), open("windowStep")];
  past.travel(-1);
  assert.deepEqual([chosen.open, question.open], [true, false]);
  past.travel(-1);
  assert.equal(chosen.open, false);
  assert.deepEqual(here(), ["#/chat/romeo", "#/chat/romeo"]);
});

test("a window without a step goes with what it lies over", () => {
  begin();
  const [search, chosen, question] = [open("step"), open("step"), open("window")];
  past.travel(-1);
  assert.deepEqual([search.open, chosen.open, question.open], [true, false, false]);
});

test("who goes elsewhere for good from a window does not come back to the place below it", async () => {
  begin();
  go(chat("nurse"));
  const question = open("windowStep");
  go(parse("#/list"), true);
  question.close();
  assert.equal(here()[0], "#/list");
  await settle();
  assert.deepEqual(here(), ["#/list", "#/list"]);
  past.travel(-1);
  assert.deepEqual(here(), ["#/chat/romeo", "#/chat/romeo"]);
});

test("the button back, pressed as a window closes, leads one place back and not out of the page", async () => {
  [past.entries, past.at] = [[{ state: null, hash: "#/elsewhere" }, { state: null, hash: "#/settings" }], 1];
  past.told();
  const question = open("windowStep");
  question.close();
  back();
  await settle();
  assert.deepEqual(here(), ["#/list", "#/list"]);
  assert.equal(past.at, 1);
});
