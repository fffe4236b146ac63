// The page's side of the core: which requests end how, when the worker breaks or has to go.

import assert from "node:assert/strict";
import { test } from "node:test";

import { effect } from "@preact/signals";

import "./browser";
import { startCore } from "../src/core/client";
import { Picture } from "../src/core/picture";
import type { FromWorker, ToWorker } from "../src/core/protocol";
import type { Account, Notice, Room } from "../src/core/types";
import { Store } from "../src/state/store";

/** Workers that do what the test says, the newest last. */
class FakeWorker {
  static readonly all: FakeWorker[] = [];
  readonly got: ToWorker[] = [];
  onmessage: (event: { data: FromWorker }) => void = () => {};
  onerror: (event: unknown) => void = () => {};
  ended = false;

  constructor() {
    FakeWorker.all.push(this);
  }

  static get last(): FakeWorker {
    const last = FakeWorker.all.at(-1);
    assert.ok(last);
    return last;
  }

  postMessage(message: ToWorker): void {
    this.got.push(message);
  }

  terminate(): void {
    this.ended = true;
  }

  says(data: FromWorker): void {
    this.onmessage({ data });
  }

  tells(...notices: Notice[]): void {
    this.says({ is: "notices", notices });
  }
}

/** The channel between the tabs: the test is the other tab. */
let otherTab: (word: string) => void = () => {};
class FakeChannel {
  set onmessage(listener: (event: { data: string }) => void) {
    otherTab = (data) => listener({ data });
  }
  postMessage(): void {}
}

Object.assign(globalThis, { Worker: FakeWorker, BroadcastChannel: FakeChannel, isSecureContext: true, indexedDB: {}, screen: { width: 1280, height: 800 } });
Object.assign(navigator, {
  locks: { request: async (_: string, options: unknown, hold?: (lock: object) => unknown) => (hold ?? (options as (lock: object) => unknown))({}) },
  storage: { getDirectory: async () => ({}) },
});

const settle = () => new Promise((done) => setTimeout(done));
const send = { do: "send", to: "romeo@example.org", text: "hello", replyTo: null } as const;

async function start() {
  const host = startCore();
  await settle();
  const worker = FakeWorker.last;
  worker.says({ is: "started" });
  const numberOf = (at: number) => {
    const asked = FakeWorker.last.got.filter((one) => one.is === "request").at(at);
    assert.ok(asked?.is === "request");
    return asked.number;
  };
  return { host, worker, numberOf };
}

test("what is kept does not fail when the core breaks, and what is not does", async () => {
  const { host, worker, numberOf } = await start();
  const kept = host.request(send);
  worker.tells({ is: "done", number: numberOf(-1), outcome: { is: "kept", message: 7 } });
  const lost = host.request(send);
  worker.says({ is: "failed", why: "crashed", reason: "unreachable executed" });
  assert.deepEqual(await kept, { is: "kept", message: 7 });
  const outcome = await lost;
  // Nothing is said about the disk: that is not what happened.
  assert.equal(outcome.is === "failed" && outcome.problem.kind, "restarted");
  assert.equal(host.state.value.is, "starting");
});

test("a correction that fails after it was kept is told to who listens, and a message is not", async () => {
  const { host, worker, numberOf } = await start();
  const late: Notice[] = [];
  host.listen((notice) => void (notice.is === "done" && late.push(notice)));
  const failed = { is: "failed", problem: { kind: "notEncryptable", words: "nobody could read it" } } as const;
  for (const command of [send, { do: "correct", message: 7, text: "hello!" } as const]) {
    const asked = host.request(command);
    const number = numberOf(-1);
    worker.tells({ is: "done", number, outcome: { is: "kept", message: 7 } });
    await asked;
    worker.tells({ is: "done", number, outcome: failed });
  }
  assert.equal(late.length, 1);
});

test("a tab that takes leave starts nothing new, even when its core breaks meanwhile", async (t) => {
  const { host, worker } = await start();
  const before = FakeWorker.all.length;
  t.mock.timers.enable({ apis: ["setTimeout"] });
  otherTab("let go");
  assert.ok(worker.got.some((one) => one.is === "stop"));
  worker.says({ is: "failed", why: "crashed", reason: "unreachable executed" });
  await new Promise((done) => setImmediate(done));
  // Longer than the wait before another start, shorter than the other tab may take.
  t.mock.timers.tick(4_000);
  assert.equal(host.state.value.is, "elsewhere");
  assert.equal(worker.ended, true);
  assert.equal(FakeWorker.all.length, before);
});

test("an app that cannot be loaded says so, and is not started again and again", async () => {
  const { host, worker } = await start();
  const before = FakeWorker.all.length;
  worker.says({ is: "failed", why: "load", reason: "Failed to fetch" });
  await settle();
  assert.deepEqual(host.state.value, { is: "failed", why: "load", words: "Failed to fetch" });
  assert.equal(FakeWorker.all.length, before);
});

const ROOM = { is: "room", address: "masque@rooms.example.org", name: "Masque" } as unknown as Notice & Room;
const ACCOUNT = { is: "account", address: "juliet@example.org" } as unknown as Notice & Account;

test("who begins to listen later hears of rooms as well", () => {
  const picture = new Picture();
  for (const notice of [ACCOUNT, ROOM]) picture.apply(notice);
  const told: string[] = [];
  picture.tell((notice) => told.push(notice.is));
  assert.deepEqual(told, ["account", "room"]);
  picture.apply({ is: "signedOut" });
  told.length = 0;
  picture.tell((notice) => told.push(notice.is));
  assert.deepEqual(told, ["signedOut"]);
});

test("nothing of an account is left in the page after it was signed out", () => {
  let say: (notice: Notice) => void = () => {};
  const store = new Store({ listen: (listener: typeof say) => void (say = listener) } as unknown as ConstructorParameters<typeof Store>[0]);
  say(ACCOUNT);
  say({ is: "storage", reason: "full" });
  say({ is: "transfer", message: 1, done: 10 });
  say({ is: "devices", address: "romeo@example.org", devices: [] });
  say({ is: "signedOut" });
  assert.equal(store.storage.value, null);
  assert.equal(store.transfers.value.size + store.devices.value.size, 0);
});

test("what comes in one message is worked out once, however many conversations and contacts it tells of", async () => {
  const { host, worker } = await start();
  const store = new Store(host);
  const drawn = { lists: 0, contacts: 0, rooms: 0 };
  const draws = (what: { value: unknown }, name: keyof typeof drawn) =>
    effect(() => {
      void what.value;
      drawn[name] += 1;
    });
  draws(store.list, "lists");
  draws(store.contacts, "contacts");
  draws(store.rooms, "rooms");
  const many = Array.from({ length: 2_000 }, (_, at) => `person${at}@example.org`);
  const conversation = (address: string) => ({ is: "conversation", address, shown: true, pinned: false, order: address }) as unknown as Notice;
  const contact = (address: string) => ({ is: "contact", address, name: address }) as unknown as Notice;
  worker.tells(...many.map(conversation), ...many.map(contact), ROOM);
  assert.equal(store.list.value.length, 2_000);
  assert.equal(store.contact("person7@example.org")?.name, "person7@example.org");
  assert.deepEqual(drawn, { lists: 2, contacts: 2, rooms: 2 });
  worker.tells({ is: "contactRemoved", address: "person7@example.org" });
  assert.equal(store.contact("person7@example.org"), undefined);
  assert.equal(store.contacts.value.size, 1_999);
  worker.tells({ is: "signedOut" });
  assert.equal(store.contacts.value.size + store.rooms.value.size, 0);
});
