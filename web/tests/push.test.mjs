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
    click: () =>
      worker.evaluate(async () => {
        const [notification] = await self.registration.getNotifications();
        self.dispatchEvent(new NotificationEvent("notificationclick", { notification }));
      }),
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
  const { push, shown, click } = await worker(juliet);

  // Somebody looks: the page itself says what there is.
  await push(JSON.stringify({ kind: "message" }));
  await push("nonsense");
  assert.deepEqual(await shown(), []);

  // Somebody looks elsewhere. The session stays with this tab, whose page is another one now.
  await juliet.page.goto("about:blank");
  for (const [data, title] of [
    ["nonsense", "New message"],
    [JSON.stringify({ kind: "request" }), "Somebody wants to be in touch"],
    [JSON.stringify({ kind: "stranger", from: "buy-now@pills.example", text: "cheap" }), "A message from somebody new"],
    [JSON.stringify({ kind: "call" }), "Somebody called"],
    [JSON.stringify({ kind: "message", text: "no text is told" }), "New message"],
  ]) {
    await push(data);
    await until(async () => (await shown()).some((one) => one.title === title));
    const [one, ...others] = await shown();
    assert.deepEqual(others, [], "one takes the place of the other");
    assert.equal(one.body, "", "nobody is named, and no word of theirs is shown");
  }

  // The window that is there comes to the place that the notification is for.
  await juliet.page.goto(`${there.server.url}#/settings/about`);
  await inside(juliet.page);
  await until(async () => (await shown()).length > 0);
  await click();
  await eventually(juliet.page, () => location.hash === "#/");
  await until(async () => (await shown()).length === 0);
  await juliet.leave();
});
