// A new version of the app while an old page is open: it is offered, it waits, and it takes over without
// losing anything. The server is Anemone, with the files of one version and then of the next.

import assert from "node:assert/strict";
import { test } from "node:test";

import { befriend, composer, message, open, sees, ticks, write } from "./acts.mjs";
import { becomes, eventually } from "./harness.mjs";
import { stage } from "./stage.mjs";
import { version } from "./versions.mjs";

const [OLD, NEW] = [await version(1), await version(2)];
/** The next version on a server that has none of the assets of the one before. */
const NOTHING_OLD = new Map([...NEW].filter(([path]) => !path.startsWith("/assets/") || !OLD.has(path)));
const HOURS = 60 * 60 * 1000;

const there = stage({ site: OLD });

/** Two contacts in their conversation; the first page is one that a service worker gave. */
async function pair(names, size) {
  there.server.serve(OLD);
  const [romeo, juliet] = [await there.sit(names[0], { size }), await there.sit(names[1])];
  const [asking, asked] = names.map((name) => `${name}@localhost`);
  await befriend(romeo, juliet, { asking, asked });
  await romeo.page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  return [romeo, juliet];
}

/** The script that a page runs. */
const running = (page) => page.evaluate(() => document.querySelector('script[src*="/main-"]').getAttribute("src"));
const bar = (page) => page.locator(".bar").filter({ hasText: "A new version is ready." });
const press = (page, name) => bar(page).getByRole("button", { name, exact: true }).click();

/** Somebody comes back to the page: then it looks for a new version. */
function comeBack(page) {
  return page.evaluate(() => void document.dispatchEvent(new Event("visibilitychange")));
}

/** So many messages with this text are in the conversation. */
const count = (page, text) => page.locator("[data-message]").filter({ hasText: text }).count();

for (const size of ["phone", "desktop"]) {
  test(`a new version is offered, waits, and takes over without losing anything: ${size}`, async () => {
    const [romeo, juliet] = await pair([`romeo-${size}`, `juliet-${size}`], size);
    const { page } = romeo;
    const first = await running(page);
    assert.equal(await bar(page).count(), 0);
    await composer(page).fill("half a thought");
    there.server.serve(NEW);
    await comeBack(page);
    await bar(page).waitFor();
    await romeo.accessible();
    await romeo.picture(`update-${size}`);

    await press(page, "Later");
    await bar(page).waitFor({ state: "detached" });
    assert.equal(await composer(page).inputValue(), "half a thought");
    await write(juliet.page, "meanwhile");
    await sees(page, "meanwhile");
    await comeBack(page);
    assert.equal(await bar(page).count(), 0, "it is not offered again at once");
    await page.evaluate((later) => {
      const now = Date.now;
      Date.now = () => now() + later;
    }, 8 * HOURS);
    await comeBack(page);
    await bar(page).waitFor();
    assert.equal(await running(page), first, "nothing changed by itself");

    // What was sent, and typed, a moment before is not lost, and not there twice.
    await write(page, "said just before");
    await composer(page).fill("a thought, and the rest of it");
    const place = page.url();
    const loaded = page.waitForEvent("load");
    await press(page, "Update");
    await loaded;
    await composer(page).waitFor();
    assert.match(await running(page), /main-v2-/);
    assert.equal(page.url(), place, "the conversation is still open");
    await becomes(() => composer(page).inputValue(), "a thought, and the rest of it");
    for (const one of [page, juliet.page]) {
      await sees(one, "said just before");
      assert.equal(await count(one, "said just before"), 1);
      assert.equal(await count(one, "meanwhile"), 1);
    }
    await ticks(page, "said just before", /Delivered|Read/);
    await write(juliet.page, "welcome");
    await sees(page, "welcome");
    assert.equal(await bar(page).count(), 0);
    await eventually(page, async () => {
      const names = await caches.keys();
      return names.filter((name) => name.startsWith("clownfish-app-")).join() === "clownfish-app-v2";
    });
    await write(page, "and on");
    await open(juliet.page, `romeo-${size}@localhost`);
    await sees(juliet.page, "and on");
    await Promise.all([romeo.leave(), juliet.leave()]);
  });
}

test("an old service worker starts its page from a server that has nothing of it any more", async () => {
  const [romeo, juliet] = await pair(["romeo-old", "juliet-old"], "phone");
  const { page } = romeo;
  const first = await running(page);
  await composer(page).fill("half a thought");
  await composer(page).blur();
  there.server.serve(NOTHING_OLD);
  const asked = [];
  page.on("response", (response) => {
    if (response.url().includes("/assets/") && !response.fromServiceWorker()) asked.push(response.url());
  });
  await page.reload();
  await composer(page).waitFor();
  assert.equal(await running(page), first);
  await bar(page).waitFor();
  await romeo.picture("update-old-worker");
  // What it loads when it is wanted is there as well.
  await page.evaluate(() => {
    location.hash = "#/settings/appearance";
  });
  await page.getByRole("heading", { name: "Appearance" }).first().waitFor();
  await open(page, "juliet-old@localhost");
  await becomes(() => composer(page).inputValue(), "half a thought");
  await write(juliet.page, "still there?");
  await sees(page, "still there?");
  assert.deepEqual(asked, [], "it asks the server for no part of itself");

  const loaded = page.waitForEvent("load");
  await press(page, "Update");
  await loaded;
  await sees(page, "still there?");
  assert.match(await running(page), /main-v2-/);
  await Promise.all([romeo.leave(), juliet.leave()]);
});

test("a change of a message that was begun is not thrown away without a question", async () => {
  const [romeo, juliet] = await pair(["romeo-edits", "juliet-edits"], "desktop");
  const { page } = romeo;
  const first = await running(page);
  await write(page, "a slip of the pen");
  await ticks(page, "a slip of the pen", /Sent|Delivered|Read/);
  await composer(page).press("ArrowUp");
  await page.waitForFunction(() => document.querySelector("textarea")?.value === "a slip of the pen");
  await composer(page).fill("a slip of the tongue");
  there.server.serve(NEW);
  await comeBack(page);
  await press(page, "Update");
  const question = page.getByRole("alertdialog").or(page.getByRole("dialog")).filter({ hasText: "Update now?" });
  await question.getByRole("button", { name: "Cancel" }).click();
  assert.equal(await composer(page).inputValue(), "a slip of the tongue");
  assert.equal(await running(page), first);
  await press(page, "Update");
  const loaded = page.waitForEvent("load");
  await question.getByRole("button", { name: "Update" }).click();
  await loaded;
  await composer(page).waitFor();
  assert.match(await running(page), /main-v2-/);
  assert.equal(await message(page, "a slip of the pen").count(), 1);
  await Promise.all([romeo.leave(), juliet.leave()]);
});
