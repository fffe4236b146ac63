// One account and several windows; signing out.

import assert from "node:assert/strict";
import { test } from "node:test";

import { composer, inside, open } from "./acts.mjs";
import { becomes, eventually } from "./harness.mjs";
import { PASSWORD, stage } from "./stage.mjs";

const there = stage();

test("a second window can take over, and gets it when the first is closed", async () => {
  const juliet = await there.sit("juliet");
  await open(juliet.page, "romeo@localhost");
  const second = await juliet.window();
  await second.goto(there.server.url);
  await second.getByText("Clownfish is open in another tab").waitFor();
  await juliet.accessible(second);
  await juliet.picture("elsewhere-phone", second);
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
    await (await caches.open("clownfish-shared")).put("/share/1/text", new Response("secret"));
    location.hash = "#/settings/appearance";
  });
  await page.getByRole("radio", { name: "Dark" }).check({ force: true });
  await becomes(async () => (await kept(page)).local, ["clownfish:has-account", "clownfish:settings"]);
  await becomes(async () => (await kept(page)).caches.includes("clownfish-notes"), true);
  const before = await kept(page);
  assert.ok(before.key && before.files.length > 0, "there is something to wipe");
  assert.equal(before.extractable, false, "no script can read the key that wraps the others");
  assert.ok(before.caches.includes("clownfish-shared"), before.caches.join());
  // Another window had the account, and knows of it.
  const other = await juliet.window();
  await other.goto(`${there.server.url}#/chat/romeo%40localhost`);
  await other.getByRole("button", { name: "Use here" }).click();
  await inside(other);
  await page.getByRole("button", { name: "Use here" }).click();
  await inside(page);
  await other.getByText("Clownfish is open in another tab").waitFor();
  await page.evaluate(() => {
    globalThis.before = true;
    location.hash = "#/chat/romeo%40localhost";
    location.hash = "#/settings/account";
  });
  await page.getByRole("button", { name: "Sign out" }).click();
  await juliet.accessible();
  await page.getByRole("dialog").getByRole("button", { name: "Sign out" }).click();
  await started(page);
  // The page is another one: whatever the old one remembered is gone with it.
  await page.waitForFunction(() => globalThis.before === undefined);
  await started(page);
  // What the next account will need is there again, under another key.
  await eventually(page, async () => (await indexedDB.databases()).length === 1);
  await eventually(page, async () => localStorage.length === 0 && (await caches.keys()).every((name) => name.startsWith("clownfish-app-")));
  const left = await kept(page);
  // The files of the app are not the account's: without them it would not start.
  assert.equal(left.caches.length, 1, left.caches.join());
  assert.deepEqual(left.local, []);
  assert.notEqual(left.key, before.key, "the key is another one");
  assert.deepEqual(left.files.filter((path) => path.includes("/files/")), [], "and there is no file");

  // Neither going back nor loading it anew, nor another window, shows anything of it.
  await page.goBack();
  await started(page);
  await page.reload();
  await started(page);
  await started(other);
  // The window that is looked at is the one to sign in with.
  await other.evaluate(() => dispatchEvent(new Event("focus")));
  await other.getByRole("button", { name: "Sign in" }).first().click();
  await other.getByRole("textbox", { name: "Address" }).fill("juliet@localhost");
  await other.getByRole("textbox", { name: "Password" }).fill(PASSWORD);
  await other.getByRole("button", { name: "Sign in" }).last().click();
  await inside(other);
  await page.getByText("Clownfish is open in another tab").waitFor();
  await juliet.leave();
});

test("a page that the browser kept for going back shows nothing once somebody has signed out", async () => {
  const juliet = await there.sit("juliet", { known: true });
  const { page } = juliet;
  const left = (what) => page.evaluate((what) => dispatchEvent(new PageTransitionEvent(what, { persisted: true })), what);
  await left("pagehide");
  await page.locator("body").waitFor({ state: "hidden" });
  await left("pageshow");
  await inside(page);
  await left("pagehide");
  await page.evaluate(() => {
    globalThis.before = true;
    localStorage.removeItem("clownfish:has-account");
  });
  await left("pageshow");
  await page.waitForFunction(() => globalThis.before === undefined);
  await juliet.leave();
});

/** Somebody without an account sees the start page, and no name of anybody: not in the address bar either. */
async function started(page) {
  await page.getByRole("heading", { name: "Welcome to Clownfish" }).waitFor();
  await page.waitForFunction(() => !/romeo|juliet/.test(location.hash + document.title + document.body.innerText));
}

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
