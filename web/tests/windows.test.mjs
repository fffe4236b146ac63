// One account and several windows; signing out.

import assert from "node:assert/strict";
import { test } from "node:test";

import { composer, inside, open } from "./acts.mjs";
import { eventually } from "./harness.mjs";
import { stage } from "./stage.mjs";

const there = stage();

test("a second window can take over, and gets it when the first is closed", async () => {
  const juliet = await there.sit("juliet");
  await open(juliet.page, "romeo@localhost");
  const second = await juliet.window();
  await second.goto(there.server.url);
  await second.getByText("Clownfish is open in another tab").waitFor();
  await juliet.accessible(second);
  await juliet.picture("elsewhere-phone", { page: second });
  assert.ok(await composer(juliet.page).isVisible(), "the first window goes on");

  await second.getByRole("button", { name: "Use here" }).click();
  await inside(second);
  await juliet.page.getByText("Clownfish is open in another tab").waitFor();
  await juliet.page.getByRole("button", { name: "Use here" }).click();
  await inside(juliet.page);
  await second.getByText("Clownfish is open in another tab").waitFor();

  await juliet.page.close();
  await inside(second);
  await juliet.leave();
});

test("signing out leaves nothing behind", async () => {
  const juliet = await there.sit("juliet", { size: "desktop", known: true });
  const { page } = juliet;
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  await page.evaluate(async () => {
    // What another app shared, and what was chosen.
    await (await caches.open("clownfish-shared")).put("/share/text", new Response("secret"));
    location.hash = "#/settings/appearance";
  });
  await page.getByRole("radio", { name: "Dark" }).check({ force: true });
  const before = await kept(page);
  assert.ok(before.key && before.files.length > 0, "there is something to wipe");
  assert.equal(before.extractable, false, "no script can read the key that wraps the others");
  assert.ok(before.caches.includes("clownfish-shared") && before.caches.includes("clownfish-notes"), before.caches.join());
  assert.deepEqual(before.local, ["clownfish:has-account", "clownfish:settings"]);
  await page.evaluate(() => {
    location.hash = "#/settings/account";
  });
  await page.getByRole("button", { name: "Sign out" }).click();
  await juliet.accessible();
  await page.getByRole("dialog").getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "Welcome to Clownfish" }).waitFor();
  // What the next account will need is there again, under another key.
  await eventually(page, async () => (await indexedDB.databases()).length === 1);
  await eventually(page, async () => localStorage.length === 0 && (await caches.keys()).every((name) => name.startsWith("clownfish-app-")));
  const left = await kept(page);
  // The files of the app are not the account's: without them it would not start.
  assert.equal(left.caches.length, 1, left.caches.join());
  assert.deepEqual(left.local, []);
  assert.notEqual(left.key, before.key, "the key is another one");
  assert.deepEqual(left.files.filter((path) => path.includes("/files/")), [], "and there is no file");
  await juliet.leave();
});

/** What a browser keeps of the app, but for the app itself. */
function kept(page) {
  return page.evaluate(async () => {
    const files = [];
    const walk = async (folder, path) => {
      for await (const [name, handle] of folder.entries()) {
        if (handle.kind === "directory") await walk(handle, `${path}/${name}`);
        else files.push(`${path}/${name}`);
      }
    };
    await walk(await navigator.storage.getDirectory(), "");
    const sealed = await new Promise((done) => {
      const open = indexedDB.open("clownfish");
      open.onsuccess = () => {
        const read = open.result.transaction("keys").objectStore("keys").get("account");
        read.onsuccess = () => {
          open.result.close();
          const { sealed, wrapping } = read.result ?? {};
          done({ bytes: new Uint8Array(sealed ?? 0), extractable: wrapping?.extractable });
        };
      };
    });
    const { bytes, extractable } = sealed;
    const local = Object.keys(localStorage).sort();
    return { files, key: bytes.join(), extractable, caches: await caches.keys(), local };
  });
}
