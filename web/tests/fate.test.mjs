// What becomes of messages that wait: each is sent once or not at all, as the person said, whatever
// happens to the network, the core and the page meanwhile.

import assert from "node:assert/strict";
import { test } from "node:test";

import { composer, inside, message, seesEncrypted, ticks, write } from "./acts.mjs";
import { becomes, hears, NO_SERVER, Person } from "./harness.mjs";
import { PASSWORD, stage } from "./stage.mjs";

const there = stage();
const people = there.pair;

/** How often a text stands in somebody's conversation. */
const count = (page, text) => page.locator("[data-message]").filter({ hasText: text }).count();

const act = async (page, text, name) => {
  await message(page, text).click({ button: "right" });
  await page.getByRole("menuitem", { name }).click();
};

test("what waits is sent once, or not at all where it was called off", async () => {
  const [anna, bert] = await people("anna", "bert");
  const { page } = anna;
  for (const text of ["Act one", "Act two", "Act three"]) await write(page, text);
  await ticks(page, "Act three", /Delivered|Read/);
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  // Everything that the other side ever shows.
  await bert.page.evaluate(() => {
    globalThis.ever = "";
    new MutationObserver(() => {
      for (const one of document.querySelectorAll("[data-message]")) globalThis.ever += one.innerText;
    }).observe(document.body, { subtree: true, childList: true, characterData: true });
  });
  for (const person of [anna, bert]) person.expects(NO_SERVER);
  await there.server.stop();

  // It is not plain because it has not left yet.
  await write(page, "Written without a network");
  await ticks(page, "without a network", "Waiting to be sent");
  assert.equal(await message(page, "without a network").getByText("not encrypted").count(), 0);

  // Nobody ever hears of what is discarded.
  await write(page, "DISCARDED");
  await ticks(page, "DISCARDED", "Waiting to be sent");
  await act(page, "DISCARDED", "Discard");
  await page.getByRole("dialog").getByRole("button", { name: "Discard" }).click();
  await message(page, "DISCARDED").waitFor({ state: "detached" });

  // A file that waits can be called off.
  await page.locator(".composer-file").last().setInputFiles([
    { name: "wrong.pdf", mimeType: "application/pdf", buffer: Buffer.alloc(50_000, 7) },
  ]);
  await page.getByRole("button", { name: "Send", exact: true }).click();
  await page.getByRole("button", { name: "Cancel the transfer" }).click();
  await page.getByText(/^Not sent/).waitFor();
  await page.getByRole("button", { name: "Cancel the transfer" }).waitFor({ state: "detached" });

  // Several are forwarded at once.
  await act(page, "Act one", "Select");
  await message(page, "Act two").click();
  await message(page, "Act three").click();
  await page.getByRole("button", { name: /Forward/ }).first().click();
  await page.getByRole("dialog").getByRole("checkbox", { name: /bert/ }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Send" }).click();
  await hears(page, "Forwarded to");
  for (const text of ["Act one", "Act two", "Act three"]) await becomes(() => count(page, text), 2, text);

  // The core breaks: what is in the timeline does not come back into the field.
  const [worker] = page.workers();
  const ended = worker.waitForEvent("close");
  const begun = page.waitForEvent("worker");
  await worker.evaluate(() => {
    setTimeout(() => {
      throw new WebAssembly.RuntimeError("unreachable executed");
    });
  });
  await ended;
  await begun;
  await write(page, "Written into the gap");
  await ticks(page, "into the gap", "Waiting to be sent");
  await becomes(() => composer(page).inputValue(), "");
  assert.equal(await page.locator(".toast-problem").count(), 0);

  await page.reload();
  await inside(page);
  await message(page, "into the gap").waitFor();
  assert.equal(await composer(page).inputValue(), "");
  await there.server.begin();
  await ticks(page, "into the gap", /Delivered|Read/);
  await seesEncrypted(bert.page, "into the gap");
  for (const text of ["without a network", "into the gap"]) {
    await becomes(() => count(bert.page, text), 1, text);
    assert.equal(await count(page, text), 1, text);
  }
  for (const text of ["Act one", "Act two", "Act three"]) await becomes(() => count(bert.page, text), 2, text);
  const ever = await bert.page.evaluate(() => globalThis.ever);
  assert.ok(!/DISCARDED|wrong|deleted/.test(ever), ever);

  // A part of the app that cannot be fetched is no reason to erase anything.
  anna.expects(/ERR_FAILED|Failed to load|core-/);
  await anna.context.route("**/assets/core-*.wasm", (route) => route.abort());
  await page.evaluate(async () => {
    for (const name of await caches.keys()) {
      const cache = await caches.open(name);
      for (const one of await cache.keys()) if (one.url.endsWith(".wasm")) await cache.delete(one);
    }
  });
  const devtools = await anna.context.newCDPSession(page);
  await devtools.send("Network.clearBrowserCache");
  await page.reload();
  await page.getByText("Clownfish could not be loaded").first().waitFor();
  assert.equal(await page.getByRole("button", { name: /Erase/ }).count(), 0);
  await anna.context.unroute("**/assets/core-*.wasm");
  await page.getByRole("button", { name: "Reload" }).click();
  await inside(page);
  await message(page, "into the gap").waitFor();
  await anna.leave();
  await bert.leave();
});

test("what goes wrong is said in German to whoever reads German", async () => {
  await there.server.addAccount("frida", PASSWORD);
  const frida = await Person.sit(there.browser, { name: "frida", lang: "de" });
  const { page } = frida;
  frida.expects(NO_SERVER);
  await page.goto(there.server.url);
  const signsIn = async (password) => {
    await page.getByRole("textbox", { name: "Adresse" }).fill("frida@localhost");
    await page.getByRole("textbox", { name: "Passwort" }).fill(password);
    await page.getByRole("button", { name: "Anmelden" }).last().click();
  };
  await page.getByRole("button", { name: "Anmelden" }).first().click();
  await signsIn("a wrong one");
  await page.getByRole("button", { name: "Anmelden" }).last().waitFor();
  await signsIn(PASSWORD);
  await inside(page);
  // There is nobody to encrypt for.
  await page.evaluate(() => {
    location.hash = "#/chat/nobody%40localhost";
  });
  await page.getByRole("textbox", { name: "Nachricht" }).fill("Hört mich jemand?");
  await page.getByRole("button", { name: "Senden", exact: true }).click();
  await page.getByText(/^Nicht gesendet: /).waitFor();
  await there.server.stop();
  await page.getByText(/^Keine Verbindung: /).waitFor();
  const said = await page.evaluate(() => document.body.innerText);
  assert.ok(!/\b(the|device|server does|answer|read|keys|connection|was)\b/i.test(said), said);
  await there.server.begin();
  await frida.leave();
});
