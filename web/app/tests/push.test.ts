// How often the server is told where this browser can be woken.

import assert from "node:assert/strict";
import { test } from "node:test";

import "./browser";
import type { Core } from "../src/core/api";
import type { Account, Command, Connection, Notice } from "../src/core/types";
import { Store } from "../src/state/store";
import { permission } from "../src/ui/shell/notify";
import { startPush } from "../src/ui/shell/push";

const settle = () => new Promise((done) => setTimeout(done));

function account(connection: Connection, queued = 0): Notice {
  const known: Account = {
    address: "juliet@example.org", connection, nickname: null, avatar: null, device: null, queued,
    privacy: { typing: true, read: true, idle: false },
  };
  return { is: "account", ...known };
}

test("push is agreed once for a connection, however many messages are sent", async () => {
  const asked: Command["do"][] = [];
  let subscribed = 0;
  let gone = 0;
  const key = new Uint8Array([4, 1]).buffer;
  const subscription = {
    options: { applicationServerKey: key },
    toJSON: () => ({ endpoint: "https://push.example.org/1", keys: { p256dh: "a", auth: "b" } }),
    unsubscribe: async () => {
      gone += 1;
      return true;
    },
  };
  const pushManager = {
    getSubscription: async () => (subscribed > 0 ? subscription : null),
    subscribe: async () => {
      subscribed += 1;
      return subscription;
    },
  };
  Object.assign(navigator, { serviceWorker: { getRegistration: async () => ({ pushManager }) } });
  let say: (notice: Notice) => void = () => {};
  const core = {
    request: async (command: Command) => {
      asked.push(command.do);
      return command.do === "pushKey" ? { is: "text", text: "BAE" } : { is: "done" };
    },
    listen: (listener: (notice: Notice) => void) => void (say = listener),
  } as unknown as Core;
  permission.value = "granted";
  startPush(new Store(core));
  say(account({ is: "connecting" }));
  say(account({ is: "online" }));
  for (let sent = 0; sent < 20; sent += 1) {
    say(account({ is: "online" }, 1));
    say(account({ is: "online" }, 0));
    await settle();
  }
  assert.deepEqual(asked, ["pushKey", "setPush"]);
  say(account({ is: "connecting" }));
  say(account({ is: "online" }));
  await settle();
  assert.deepEqual(asked, ["pushKey", "setPush", "pushKey", "setPush"]);
  permission.value = "denied";
  await settle();
  assert.equal(asked.length, 5);
  // Nobody is signed in: whoever still knows the subscription finds it gone.
  const before = gone;
  say({ is: "signedOut" });
  await settle();
  assert.equal(gone, before + 1);
});
