// What the service worker does when the server wakes it: a push message is handed to it as the browser
// would, because no push service is at hand.

import assert from "node:assert/strict";
import { test } from "node:test";

import { inside } from "./acts.mjs";
import { eventually } from "./harness.mjs";
import { stage } from "./stage.mjs";

const there = stage();

/** The service worker of somebody's browser, and how to wake it. */
async function worker(person) {
  const { page, context } = person;
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  const [worker] = context.serviceWorkers();
  const devtools = await context.newCDPSession(page);
  const registered = new Promise((found) => {
    devtools.on("ServiceWorker.workerRegistrationUpdated", ({ registrations }) => {
      const one = registrations.find((one) => !one.isDeleted && there.server.url.startsWith(one.scopeURL));
      if (one) found(one.registrationId);
    });
  });
  await devtools.send("ServiceWorker.enable");
  const registrationId = await registered;
  const origin = new URL(there.server.url).origin;
  return {
    push: (data) => devtools.send("ServiceWorker.deliverPushMessage", { origin, registrationId, data }),
    shown: () =>
      worker.evaluate(async () => {
        const all = await self.registration.getNotifications();
        return all.map(({ title, body, tag, data }) => ({ title, body, tag, data }));
      }),
    /** Whether no page is in sight: one that is being left may still be, for a moment. */
    unseen: () =>
      worker.evaluate(async () => {
        const windows = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
        return windows.every((one) => one.visibilityState !== "visible");
      }),
    click: (tag) =>
      worker.evaluate(async (tag) => {
        const [notification] = await self.registration.getNotifications({ tag });
        self.dispatchEvent(new NotificationEvent("notificationclick", { notification }));
      }, tag),
    /** Shows one as a page would that waits in the background. */
    show: (tag, hash) =>
      worker.evaluate(([tag, hash]) => self.registration.showNotification("Somebody", { tag, data: { hash } }), [tag, hash]),
  };
}

async function until(condition) {
  for (const end = Date.now() + 60_000; !(await condition()); ) {
    if (Date.now() > end) throw new Error(`never: ${condition}`);
    await new Promise((again) => setTimeout(again, 20));
  }
}

test("a push shows what is there while no page is in sight, and a click leads to it", async () => {
  const juliet = await there.sit("juliet");
  const { push, shown, show, click, unseen } = await worker(juliet);

  // Somebody looks: the page itself says what there is.
  await push(JSON.stringify({ kind: "message" }));
  await push("nonsense");
  assert.deepEqual(await shown(), []);

  // Somebody looks elsewhere. The session stays with this tab, whose page is another one now.
  await juliet.page.goto("about:blank");
  await until(unseen);
  for (const [data, title] of [
    ["nonsense", "New message"],
    [JSON.stringify({ kind: "request" }), "Somebody wants to be in touch"],
    [JSON.stringify({ kind: "stranger", from: "buy-now@pills.example", text: "cheap" }), "A message from somebody new"],
    [JSON.stringify({ kind: "call" }), "Somebody called"],
    [JSON.stringify({ kind: "message", text: "no text is told" }), "New message"],
  ]) {
    await push(data);
    let all;
    await until(async () => (all = await shown()).some((one) => one.title === title));
    assert.equal(all.length, 1, "one takes the place of the other");
    assert.equal(all[0].body, "", "nobody is named, and no word of theirs is shown");
  }

  // Who opens the app sees what there is, and needs no word of it any more.
  await juliet.page.goto(`${there.server.url}#/settings/about`);
  await inside(juliet.page);
  await until(async () => (await shown()).length === 0);

  // The window that is there comes to the place that a notification is for.
  await show("of a contact", "#/settings/devices");
  await until(async () => (await shown()).length > 0);
  await click("of a contact");
  await eventually(juliet.page, () => location.hash === "#/settings/devices");
  await until(async () => (await shown()).length === 0);
  await juliet.leave();
});
