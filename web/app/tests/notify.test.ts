// Notifications: heard each time, with what was written last, and what can be done in them.

import assert from "node:assert/strict";
import { test } from "node:test";

import "./browser";
import type { Core } from "../src/core/api";
import type { Command, Notice } from "../src/core/types";
import { Store } from "../src/state/store";
import { notify, permission, startNotifying } from "../src/ui/shell/notify";
import { change } from "../src/ui/shell/settings";
import { keepAct, NOTES, WOKEN_TAG } from "../src/woken";

interface Made {
  title: string;
  options: NotificationOptions & { renotify: boolean; actions: { action: string }[] };
}

const made: Made[] = [];
let woken: { close(): void }[] = [];
let onMessage: (event: { data: unknown }) => void = () => {};
const registration = {
  active: {},
  showNotification: async (title: string, options: Made["options"]) => void made.push({ title, options }),
  getNotifications: async ({ tag }: { tag: string }) => (tag === WOKEN_TAG ? woken.splice(0) : []),
};
Object.assign(navigator, {
  serviceWorker: {
    getRegistration: async () => registration,
    addEventListener: (_: string, listener: typeof onMessage) => (onMessage = listener),
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
        put: async (path: string, answer: Response) => void cache.set(address(path), await answer.text()),
        keys: async () => [...cache.keys()].map((url) => ({ url })),
        match: async (what: Request) => new Response(cache.get(address(what))),
        delete: async (what: Request) => cache.delete(address(what)),
      };
    },
  },
});

const settle = () => new Promise((done) => setTimeout(done, 1));
const says = (text: string) => notify({ address: "romeo@example.org", title: "Romeo", text, message: 1 });

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

test("what the service worker has made a sound for is not heard twice", async () => {
  woken = [{ close: () => {} }];
  await says("Arise, fair sun");
  assert.equal(made.at(-1)?.options.silent, true);
});

test("what was pressed in a notification is done once, by the window that has the account", async () => {
  const asked: Command[] = [];
  let say: (notice: Notice) => void = () => {};
  const core = {
    request: async (command: Command) => {
      asked.push(command);
      return { is: "done" };
    },
    listen: (listener: (notice: Notice) => void) => void (say = listener),
  } as unknown as Core;
  await keepAct({ address: "romeo@example.org", reply: "Good night" });
  startNotifying(new Store(core));
  await settle();
  assert.deepEqual(asked, [], "nobody is signed in");
  const privacy = { typing: true, read: true };
  const connection = { is: "offline" } as const;
  say({ is: "account", address: "juliet@example.org", connection, nickname: null, avatar: null, device: null, queued: 0, privacy });
  await settle();
  const sent = () => asked.filter((one) => one.do === "send");
  assert.deepEqual(sent(), [{ do: "send", to: "romeo@example.org", text: "Good night", replyTo: null }]);
  assert.ok(asked.some((one) => one.do === "open"), "it is marked as read");
  await keepAct({ address: "romeo@example.org", reply: null });
  onMessage({ data: { act: true } });
  await settle();
  assert.equal(sent().length, 1);
  assert.equal([...(kept.get(NOTES)?.keys() ?? [])].filter((path) => path.includes("/act/")).length, 0);
  // The words for the service worker are in the language of the page.
  const told = [...(kept.get(NOTES)?.entries() ?? [])].find(([path]) => path.endsWith("/notes/told"));
  assert.match(told?.[1] ?? "", /New message.*"silent":false/);
});
