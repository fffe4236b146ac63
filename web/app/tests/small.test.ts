// Small pictures: originals are read one after the other, for who looks, and let go.

import assert from "node:assert/strict";
import { test } from "node:test";

import "./browser";
import type { Core } from "../src/core/api";
import { Smalls } from "../src/ui/chat/media/small";

/** A PNG of ten by ten pixels, as far as its head says. */
function png(): Blob {
  const head = new Uint8Array(24);
  head.set([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  new DataView(head.buffer).setUint32(16, 10);
  new DataView(head.buffer).setUint32(20, 10);
  return new Blob([head], { type: "image/png" });
}

/** A core that has every file but "gone", and counts how many it gave out at once. */
function some() {
  const read: string[] = [];
  let [open, most] = [0, 0];
  const core = {
    file: async (local: string) => {
      read.push(local);
      most = Math.max(most, ++open);
      await Promise.resolve();
      return local === "gone" ? null : png();
    },
  } as unknown as Core;
  const smalls = new Smalls(async () => {
    await Promise.resolve();
    open--;
    return new Blob(["small"]);
  });
  const ask = (local: string) => new Promise<Blob | null>((done) => smalls.ask(core, local, "image/png", done));
  return { core, smalls, read, ask, most: () => most };
}

test("originals are read one at a time, and once", async () => {
  const { ask, read, most } = some();
  await Promise.all(["a", "b", "c", "a"].map(ask));
  assert.equal(most(), 1);
  assert.deepEqual([...read].sort(), ["a", "b", "c"]);
  assert.equal(await (await ask("b"))?.text(), "small");
  assert.equal(read.length, 3);
});

test("what nobody waits for any more is not read, and what came into sight last comes first", async () => {
  const { core, smalls, read, ask } = some();
  const first = ask("first");
  const told: unknown[] = [];
  const leave = smalls.ask(core, "passed", "image/png", (small) => told.push(small));
  const late = ask("late");
  const last = ask("last");
  leave();
  await Promise.all([first, late, last]);
  assert.deepEqual(read, ["first", "last", "late"]);
  assert.deepEqual(told, []);
});

test("what is not there or cannot be read is nothing, and is asked for again", async () => {
  const { core, ask, read } = some();
  assert.equal(await ask("gone"), null);
  assert.equal(await ask("gone"), null);
  assert.equal(read.length, 2);
  const broken = new Smalls(() => Promise.reject(new Error("no picture")));
  assert.equal(await new Promise((done) => broken.ask(core, "a", "image/png", done)), null);
});

test("all are forgotten when nobody looks any more, also one that is being made", async () => {
  const { core, smalls, ask, read } = some();
  await ask("a");
  const coming = new Promise((done) => smalls.ask(core, "b", "image/png", done));
  smalls.clear();
  assert.equal(smalls.size, 0);
  await coming;
  assert.equal(smalls.size, 0);
  await ask("a");
  assert.deepEqual(read, ["a", "b", "a"]);
});

test("of many a bounded number is kept", async () => {
  const { smalls, ask, read } = some();
  for (let at = 0; at < 1500; at++) await ask(String(at));
  assert.equal(smalls.size, 500);
  await ask("1499");
  assert.equal(read.length, 1500);
  await ask("0");
  assert.equal(read.length, 1501);
});
