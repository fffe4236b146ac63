// Notifications: heard each time, with what was written last, and what can be done in them.

import assert from "node:assert/strict";
import { test } from "node:test";

import { signal } from "@preact/signals";

import "./browser";
import type { Core, CoreState } from "../src/core/api";
import type { Command, Conversation, Message, Notice, Outcome } from "../src/core/types";
import { speak, words } from "../src/i18n";
import { Store } from "../src/state/store";
import { reasonText } from "../src/ui/reason";
import { forgetHeld, heldCount, hold } from "../src/ui/shell/held";
import { notify, permission, startNotifying } from "../src/ui/shell/notify";
import { change } from "../src/ui/shell/settings";
import { keepAct, NOTES, WOKEN_TAG } from "../src/woken";

interface Made {
  title: string;
  options: NotificationOptions & { renotify: boolean; actions: { action: string }[] };
}

/** Ends when nobody has the lock. */
let locked: Promise<unknown> = Promise.resolve();
const made: Made[] = [];
let woken: { close(): void }[] = [];
let onMessage: (event: { data: unknown }) => void = () => {};
const registration = {
  active: {},
  showNotification: async (title: string, options: Made["options"]) => void made.push({ title, options }),
  getNotifications: async ({ tag }: { tag: string }) => (tag === WOKEN_TAG ? woken.splice(0) : []),
};
/** What the page handed to its service worker. */
const handed: { show: Made }[] = [];
/** What the browser tells before it stops the page. */
const stops: (() => void)[] = [];
const listens = (what: string, listener: () => void) => {
  if (what === "freeze" || what === "pagehide") stops.push(listener);
};
Object.assign(globalThis, { addEventListener: listens });
Object.assign(document, { addEventListener: listens });
Object.assign(navigator, {
  serviceWorker: {
    controller: { postMessage: (message: { show: Made }) => void handed.push(message) },
    getRegistration: async () => registration,
    addEventListener: (_: string, listener: typeof onMessage) => (onMessage = listener),
  },
  locks: {
    request: (_: string, work: () => Promise<void>) => {
      const turn = locked.then(work);
      locked = turn.catch(() => undefined);
      return turn;
    },
  },
});

/** Caches that are gone with the test. */
const kept = new Map<string, Map<string, string>>();
const address = (what: string | Request) => new URL(typeof what === "string" ? what : what.url, "https://example.org").href;
Object.assign(globalThis, {
  caches: {
    has: async (name: string) => kept.has(name),
    delete: async (name: string) => kept.delete(name),
    match: async (path: string, { cacheName }: { cacheName: string }) => {
      const text = kept.get(cacheName)?.get(address(path));
      return text === undefined ? undefined : new Response(text);
    },
    open: async (name: string) => {
      const cache = kept.get(name) ?? new Map<string, string>();
      kept.set(name, cache);
      return {
        put: async (path: string | Request, answer: Response) => void cache.set(address(path), await answer.text()),
        keys: async () => [...cache.keys()].map((url) => ({ url })),
        match: async (what: Request) => new Response(cache.get(address(what))),
        delete: async (what: Request) => cache.delete(address(what)),
      };
    },
  },
});

const settle = () => new Promise((done) => setTimeout(done, 1));
const waiting = () => [...(kept.get(NOTES)?.keys() ?? [])].filter((path) => path.includes("/act/")).length;
const says = (text: string) => notify({ address: "romeo@example.org", occasion: "said", title: "Romeo", text, message: 1 });

/** What stands on the icon of the app. */
const badges: number[] = [];
Object.assign(navigator, {
  setAppBadge: async (count: number) => void badges.push(count),
  clearAppBadge: async () => void badges.push(0),
});

test("each message of a conversation is heard, and the last ones can be read", async () => {
  permission.value = "granted";
  await says("But soft!");
  await says("What light?");
  assert.equal(made.length, 2);
  const last = made.at(-1);
  assert.equal(last?.title, "Romeo (2)");
  assert.equal(last?.options.body, "But soft!\nWhat light?");
  assert.deepEqual([last?.options.silent, last?.options.renotify], [false, true]);
  assert.deepEqual(last?.options.actions.map((one) => one.action), ["read", "reply"]);
  change({ sound: false });
  await says("It is the east");
  assert.deepEqual([made.at(-1)?.options.silent, made.at(-1)?.options.renotify], [true, false]);
  change({ sound: true, notifyText: false });
  await says("and Juliet is the sun");
  assert.deepEqual([made.at(-1)?.title, made.at(-1)?.options.body], ["New message", ""]);
  change({ notifyText: true });
});

test("what the core says itself is said in the language of the page, and cannot be answered", async () => {
  await notify({ address: "stranger@example.org", occasion: "said", title: "A request", text: "Somebody wants to be in touch", message: null });
  assert.deepEqual([made.at(-1)?.title, made.at(-1)?.options.body], ["A request", "Somebody wants to be in touch"]);
  assert.deepEqual(made.at(-1)?.options.actions, []);
});

test("what happens in a room is said in the language of the page, and what somebody wrote is not touched", async () => {
  await speak("de");
  const say = (text: string) => notify({ address: "masque@rooms.example.org", occasion: "said", title: "Masque", text, message: 9 });
  await say("Somebody asks to be let in");
  await say("bad request");
  assert.deepEqual(made.at(-1)?.options.body?.split("\n"), [reasonText("Somebody asks to be let in"), "bad request"]);
  assert.notEqual(reasonText("Somebody asks to be let in"), "Somebody asks to be let in");
  await speak("en");
});

test("a stranger is told of without a word of theirs, and cannot be answered unseen", async () => {
  await notify({ address: "buy-now@example.org", occasion: "stranger", title: "", text: "", message: 7 });
  const last = made.at(-1);
  assert.deepEqual([last?.title, last?.options.body], [words().shell.notifyStranger, words().shell.notifyStrangerText]);
  assert.deepEqual(last?.options.actions, []);
});

test("what the service worker has made a sound for is not heard twice", async () => {
  woken = [{ close: () => {} }];
  await says("Arise, fair sun");
  assert.equal(made.at(-1)?.options.silent, true);
});

const ACCOUNT: Notice = {
  is: "account", address: "juliet@example.org", connection: { is: "offline" }, nickname: null, avatar: null, device: null,
  queued: 0, privacy: { typing: true, read: true, idle: false },
};
const RESTARTED: Outcome = { is: "failed", problem: { kind: "restarted", words: "unreachable executed" } };

/** A window whose core answers as it is told. */
function sit(answer: (command: Command) => Outcome | Promise<Outcome>) {
  const asked: Command[] = [];
  let say: (notice: Notice) => void = () => {};
  const core = {
    request: async (command: Command) => {
      asked.push(command);
      return answer(command);
    },
    listen: (listener: (notice: Notice) => void) => void (say = listener),
  } as unknown as Core;
  const state = signal<CoreState>({ is: "working" });
  startNotifying(new Store(core), { state });
  const sent = () => asked.filter((one) => one.do === "send");
  const drafts = () => asked.flatMap((one) => (one.do === "draft" ? [one.text] : []));
  const leave = () => (state.value = { is: "elsewhere" });
  return { asked, sent, drafts, state, leave, say: (notice: Notice) => say(notice) };
}

test("what was pressed in a notification is done once, by the window that has the account", async () => {
  const { asked, sent, say, state } = sit(() => ({ is: "done" }));
  await keepAct({ address: "romeo@example.org", reply: "Good night" });
  await settle();
  assert.deepEqual(asked, [], "nobody is signed in");
  state.value = { is: "elsewhere" };
  say(ACCOUNT);
  onMessage({ data: { act: true } });
  await settle();
  assert.deepEqual(asked, [], "another window has the account");
  assert.equal(waiting(), 1);
  state.value = { is: "working" };
  await settle();
  assert.deepEqual(sent(), [{ do: "send", to: "romeo@example.org", text: "Good night", replyTo: null }]);
  const after = asked.slice(asked.findIndex((one) => one.do === "send") + 1);
  assert.deepEqual(after, [{ do: "markAllRead", address: "romeo@example.org" }], "it is read, and nobody else's window is touched");
  await keepAct({ address: "romeo@example.org", reply: null });
  onMessage({ data: { act: true } });
  await settle();
  assert.equal(sent().length, 1);
  assert.equal(waiting(), 0);
  // The words for the service worker are in the language of the page.
  const told = [...(kept.get(NOTES)?.entries() ?? [])].find(([path]) => path.endsWith("/notes/told"));
  assert.match(told?.[1] ?? "", /New message.*"silent":false/);
  state.value = { is: "elsewhere" };
});

test("a reply waits until it is kept, whatever happens to the window that sends it", async () => {
  // The window loses the account while it sends the first.
  const first = sit((command) => {
    if (command.do !== "send") return RESTARTED;
    first.leave();
    return RESTARTED;
  });
  for (const reply of ["Good night", "Parting is such sweet sorrow"]) await keepAct({ address: "romeo@example.org", reply });
  first.say(ACCOUNT);
  await settle();
  assert.equal(first.sent().length, 1);
  assert.equal(waiting(), 2);

  // Another one does not send what may be on its way, but keeps it where it can be sent, and sends the rest.
  const second = sit(() => ({ is: "done" }));
  second.say(ACCOUNT);
  await settle();
  assert.deepEqual(second.drafts(), ["Good night"]);
  assert.deepEqual(second.sent().map((one) => one.do === "send" && one.text), ["Parting is such sweet sorrow"]);
  assert.equal(waiting(), 0);
  second.leave();
});

test("a reply that was kept before the core broke is neither sent again nor a draft", async () => {
  const content = { is: "text", text: "Good night", lines: [], action: false };
  const window = sit((command) => {
    if (command.do === "send") return RESTARTED;
    const messages = [{ id: 1, own: true, time: Date.now(), content }] as unknown as Message[];
    window.say({ is: "window", address: "romeo@example.org", messages, older: false, newer: false, firstUnread: null });
    return { is: "done" };
  });
  window.say(ACCOUNT);
  await keepAct({ address: "romeo@example.org", reply: "Good night" });
  onMessage({ data: { act: true } });
  await settle();
  assert.equal(window.sent().length, 1);
  assert.deepEqual(window.drafts(), []);
  assert.equal(waiting(), 0);
  window.leave();
});

test("what waits for another device is handed over when the page is stopped, and is not shown again when it is due", async () => {
  stops.length = 0;
  const window = sit(() => ({ is: "done" }));
  window.say(ACCOUNT);
  const before = made.length;
  const notice = (message: number, text: string, waits: boolean): Notice =>
    ({ is: "notify", address: "tybalt@example.org", occasion: "said", title: "Tybalt", text, message, waits });
  window.say(notice(1, "Thou art a villain", true));
  await settle();
  assert.equal(made.length, before, "it waits");
  // It is due.
  window.say(notice(1, "Thou art a villain", false));
  window.say(notice(2, "Turn and draw", true));
  await settle();
  assert.equal(made.length, before + 1);
  for (const stop of stops) stop();
  assert.deepEqual(handed.map(({ show }) => [show.title, show.options.body]), [["Tybalt (2)", "Thou art a villain\nTurn and draw"]]);
  assert.deepEqual(handed[0]?.show.options.actions.map((one) => one.action), ["read", "reply"]);
  window.say(notice(2, "Turn and draw", false));
  await settle();
  assert.equal(made.length, before + 1, "the service worker has shown it");
  // What was read on the other device, and what is of an account that is gone, is for nobody.
  window.say(notice(3, "Boy!", true));
  window.say(chat("tybalt@example.org", 0));
  for (const stop of stops) stop();
  window.say(notice(4, "I am for you", true));
  window.say({ is: "signedOut" });
  for (const stop of stops) stop();
  assert.equal(handed.length, 1);
  window.leave();
});

test("what waits is neither handed over by a window that gave the account away, nor when it was taken back", async () => {
  stops.length = 0;
  handed.length = 0;
  const window = sit(() => ({ is: "done" }));
  window.say(ACCOUNT);
  const stopped = () => {
    for (const stop of stops) stop();
    return handed.splice(0).map(({ show }) => show.options.body?.split("\n").at(-1));
  };
  const waits = (message: number, text: string): void =>
    window.say({ is: "notify", address: "paris@example.org", occasion: "said", title: "Paris", text, message, waits: true });
  waits(21, "Sleep dwell upon thine eyes");
  window.leave();
  window.state.value = { is: "working" };
  assert.deepEqual(stopped(), [], "the other window has told of it");
  waits(22, "Come you to make confession");
  waits(23, "to this father?");
  window.say({ is: "messageRemoved", address: "paris@example.org", message: 22 });
  assert.deepEqual(stopped(), ["to this father?"]);
  // No window is open on it: the list says that the last was taken back.
  waits(24, "Poor soul");
  waits(25, "thy face is much abused with tears");
  const preview = { own: false, author: null, text: "This message was taken back", said: false, time: 1, delivery: null };
  window.say(chat("paris@example.org", 2, { preview }));
  assert.deepEqual(stopped(), ["Poor soul"]);
  waits(26, "Thy face is mine");
  window.say({ is: "conversationRemoved", address: "paris@example.org" });
  assert.deepEqual(stopped(), []);
  window.leave();
});

test("what nobody was told of in time makes room for what comes", async () => {
  const late = Date.now() + 60_000;
  for (let message = 1; message <= 1100; message += 1) {
    hold({ address: "crowd@example.org", occasion: "said", title: "Crowd", text: "Hail", message });
  }
  assert.equal(heldCount(), 1000, "so many at most");
  const real = Date.now;
  Date.now = () => late;
  hold({ address: "crowd@example.org", occasion: "said", title: "Crowd", text: "Hush", message: 2000 });
  Date.now = real;
  assert.equal(heldCount(), 1);
  forgetHeld();
});

/** A conversation with so many unread messages. */
const chat = (address: string, unread: number, more: Partial<Conversation> = {}): Notice => ({
  is: "conversation", address, room: false, name: address, preview: null, unread, mentions: 0, draft: "", typing: [],
  mute: { is: "no" }, notify: "usual", pinned: false, wallpaper: null, behind: false, encrypted: true,
  readers: { theirs: 1, own: 0, leftOut: 0, verified: false }, waitsForKeys: false, request: false, order: address, shown: true,
  ...more,
});

test("the number on the icon follows what is unread, and goes with it", () => {
  const window = sit(() => ({ is: "done" }));
  window.say(ACCOUNT);
  assert.equal(badges.at(-1), 0, "what the service worker left there is taken away");
  window.say(chat("romeo@example.org", 2));
  assert.equal(badges.at(-1), 2);
  window.say(chat("nurse@example.org", 3));
  assert.equal(badges.at(-1), 5);
  assert.equal(document.title, "(5) Clownfish");
  window.say(chat("paris@example.org", 7, { mute: { is: "forever" } }));
  window.say(chat("iago@example.org", 1, { request: true }));
  assert.equal(badges.at(-1), 5, "neither muted ones nor strangers count");
  window.say(chat("romeo@example.org", 0));
  assert.equal(badges.at(-1), 3);
  window.say({ is: "conversationRemoved", address: "nurse@example.org" });
  assert.equal(badges.at(-1), 0);
  window.say(chat("romeo@example.org", 1));
  window.say({ is: "signedOut" });
  assert.deepEqual([badges.at(-1), document.title], [0, "Clownfish"]);
  window.leave();
});
