// What the worker does around the core: what was asked for is done before it takes leave.

import assert from "node:assert/strict";
import { test } from "node:test";

import "./browser";
import { answers, given } from "./fake-core";
import { Driver } from "../src/core/driver";
import type { FromWorker } from "../src/core/protocol";
import type { Command, Outcome } from "../src/core/types";
import type { Device } from "../src/core/worker-types";

/** Private files whose entries are removed only when the test lets them. */
const removals: { name: string; done: () => void }[] = [];
const folder = {
  getDirectoryHandle: async () => folder,
  removeEntry: (name: string) => new Promise<void>((done) => removals.push({ name, done })),
};
Object.assign(globalThis, { self: { addEventListener: () => {}, removeEventListener: () => {} } });
Object.assign(navigator, { storage: { getDirectory: async () => folder } });

const later = setTimeout;
const settle = () => new Promise((done) => later(done, 1));
const text = { do: "send", to: "romeo@example.org", text: "hello", replyTo: null } as const;
const file: Command = {
  do: "sendFile", to: "romeo@example.org", file: "f1", name: "rose.txt", size: 1, mediaType: "text/plain", caption: null,
  picture: null, length: null, replyTo: null,
};

function start() {
  given.length = 0;
  removals.length = 0;
  const told: FromWorker[] = [];
  const driver = new Driver(new Uint8Array(32), {} as Device, (message) => told.push(message), () => {});
  driver.start();
  const outcomes = () =>
    told.flatMap((one) => (one.is === "notices" ? one.notices : [])).filter((one) => one.is === "done");
  return { driver, outcomes };
}

const asked = () => given.map((one) => one && (one.is === "asked" ? one.request.command.do : one.is));

test("who takes leave first does what was asked for, also what waits for a file", async () => {
  const { driver } = start();
  driver.request(1, file);
  driver.request(2, text);
  let stopped = false;
  const stopping = driver.stop().then(() => (stopped = true));
  await settle();
  assert.equal(stopped, false);
  assert.deepEqual(removals.map(({ name }) => name), ["f1"]);
  removals.shift()?.done();
  await stopping;
  assert.deepEqual(asked(), ["start", "sendFile", "send", null]);
});

test("what ended because the store failed is not done afterwards, and its file is nobody's", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { driver, outcomes } = start();
  await settle();
  driver.request(1, file);
  await settle();
  answers.of = () => {
    throw new Error("the disk is full");
  };
  driver.wake();
  await settle();
  answers.of = () => [];
  const failed: Outcome = { is: "failed", problem: { kind: "storage", words: "the disk is full" } };
  assert.deepEqual(outcomes(), [{ is: "done", number: 1, outcome: failed }]);
  // Its place among those that nobody has, and itself.
  assert.deepEqual(removals.map(({ name }) => name), ["f1", "f1"]);
  // The store is opened again before the file is let go.
  t.mock.timers.tick(1_000);
  removals.forEach(({ done }) => done());
  await settle();
  assert.ok(!asked().includes("sendFile"));
  await driver.stop();
});
