// What a device keeps is gone although nobody signed out: the page says so, and leads back into the account.

import assert from "node:assert/strict";
import { test } from "node:test";

import { inside, open, register, sees, seesEncrypted, ticks, write } from "./acts.mjs";
import { eventually, Person } from "./harness.mjs";
import { PASSWORD, stage } from "./stage.mjs";

const there = stage();
const LOST = "What was kept on this device is gone";

/** A page of the same origin that keeps nothing open: what the app kept can be taken away from there. */
async function aside(page) {
  await page.goto(`${there.server.url}assets.json`);
}

function deleteKey(page) {
  return page.evaluate(() => new Promise((resolve, reject) => {
    const request = indexedDB.deleteDatabase("clownfish");
    request.onsuccess = resolve;
    request.onerror = () => reject(request.error);
  }));
}

/** The worker may hold the files for a moment longer than its page lives. */
function deleteFiles(page) {
  return eventually(page, async () => {
    const root = await navigator.storage.getDirectory();
    try {
      await root.removeEntry("clownfish", { recursive: true });
      return true;
    } catch (error) {
      return error.name === "NotFoundError";
    }
  });
}

/** What is in the files of the database is nothing that a database is. */
function damageFiles(page) {
  return eventually(page, async () => {
    const folder = async (within, name) => within.getDirectoryHandle(name);
    const all = async (within) => {
      const found = [];
      for await (const one of within.values()) {
        if (one.kind === "file") found.push(one);
        else found.push(...(await all(one)));
      }
      return found;
    };
    try {
      const root = await navigator.storage.getDirectory();
      for (const file of await all(await folder(await folder(root, "clownfish"), "database"))) {
        const { size } = await file.getFile();
        if (size <= 4096) continue;
        const writable = await file.createWritable({ keepExistingData: true });
        // What the file system of the database says of the file stays in front.
        await writable.write({ type: "write", position: 4096, data: new Uint8Array(size - 4096).fill(7) });
        await writable.close();
      }
      return true;
    } catch {
      return false;
    }
  });
}

async function signInAgain({ page }, address) {
  await page.getByRole("button", { name: "Sign in again" }).click();
  await page.getByRole("textbox", { name: "Address" }).fill(address);
  await page.getByRole("textbox", { name: "Password" }).fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).last().click();
  await inside(page);
}

const LOSSES = {
  "the key": deleteKey,
  "the messages": deleteFiles,
  "key and messages": async (page) => {
    await deleteKey(page);
    await deleteFiles(page);
  },
};

let number = 0;
for (const [what, lose] of Object.entries(LOSSES)) {
  test(`a browser that deleted ${what} says what happened and leads back in`, async () => {
    number += 1;
    const [romeo, juliet] = await there.pair(`romeo${number}`, `juliet${number}`);
    const { page } = romeo;
    await write(page, "Said before it was lost");
    await ticks(page, "Said before", /Delivered|Read/);
    await aside(page);
    await lose(page);
    for (const time of ["first", "second"]) {
      await page.goto(there.server.url);
      await page.getByRole("heading", { name: LOST }).waitFor();
      if (time === "first") await romeo.accessible();
    }
    if (number === 1) await romeo.picture("lost");
    await signInAgain(romeo, `romeo${number}@localhost`);
    await open(page, `juliet${number}@localhost`);
    await page.getByText("was not encrypted for this device").first().waitFor();
    await write(page, "It is me, on a new device");
    await seesEncrypted(juliet.page, "on a new device");
    await page.reload();
    await sees(page, "on a new device");
    assert.equal(await page.getByRole("heading", { name: LOST }).count(), 0);
    await Promise.all([romeo.leave(), juliet.leave()]);
  });
}

test("who has no account to go back to comes in with an invitation", async () => {
  const link = await there.server.invite();
  const tybalt = await there.sit("tybalt");
  const { page } = tybalt;
  await aside(page);
  await deleteKey(page);
  await page.goto(there.server.url);
  await page.getByRole("heading", { name: LOST }).waitFor();
  await page.getByRole("button", { name: "I have an invitation" }).click();
  await page.getByLabel("Invitation link").fill(link);
  await page.getByRole("button", { name: "Continue" }).click();
  await register(tybalt, "Tybalt the Second");
  await page.reload();
  await inside(page);
  await tybalt.leave();
});

test("it says so in German to whoever reads German", async () => {
  await there.server.addAccount("frida", PASSWORD);
  const frida = await Person.sit(there.browser, { name: "frida", lang: "de" });
  const { page } = frida;
  await page.goto(there.server.url);
  await page.getByRole("button", { name: "Anmelden" }).first().click();
  await page.getByRole("textbox", { name: "Adresse" }).fill("frida@localhost");
  await page.getByRole("textbox", { name: "Passwort" }).fill(PASSWORD);
  await page.getByRole("button", { name: "Anmelden" }).last().click();
  await inside(page);
  await aside(page);
  await deleteKey(page);
  await page.goto(there.server.url);
  await page.getByRole("heading", { name: "Was auf diesem Gerät aufbewahrt war, ist weg" }).waitFor();
  await page.getByRole("button", { name: "Neu anmelden" }).click();
  await page.getByRole("textbox", { name: "Adresse" }).waitFor();
  await frida.leave();
});

test("a database that cannot be read is told as such, and who erases it has lost nothing unasked", async () => {
  const benvolio = await there.sit("benvolio");
  const { page } = benvolio;
  await aside(page);
  await damageFiles(page);
  await page.goto(there.server.url);
  await page.getByRole("heading", { name: "Your chats cannot be opened" }).waitFor();
  await page.getByRole("button", { name: "Erase and sign in again" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Erase" }).click();
  await page.getByRole("heading", { name: "Welcome to Clownfish" }).waitFor();
  assert.equal(await page.evaluate(() => localStorage.getItem("clownfish:has-account")), null);
  await benvolio.leave();
});

test("who signed out is not told that something was lost", async () => {
  const mercutio = await there.sit("mercutio");
  const { page } = mercutio;
  await page.evaluate(() => {
    location.hash = "#/settings/account";
  });
  await page.getByRole("button", { name: "Sign out" }).click();
  // The page is gone before it hears that everything was removed.
  await page.evaluate(() => {
    globalThis.before = true;
    const noted = Storage.prototype.removeItem;
    Storage.prototype.removeItem = function (key) {
      if (key !== "clownfish:has-account") noted.call(this, key);
    };
  });
  await page.getByRole("dialog").getByRole("button", { name: "Sign out" }).click();
  await page.waitForFunction(() => globalThis.before === undefined);
  await page.getByRole("heading", { name: "Welcome to Clownfish" }).waitFor();
  await page.waitForFunction(() => localStorage.getItem("clownfish:has-account") === null);
  assert.equal(await page.getByRole("heading", { name: LOST }).count(), 0);
  await mercutio.leave();
});
