// Choosing messages on the sample, what is done with them, and to whom things can be sent.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { AT_ONCE, becomes, hears, page, reused, settled } from "./seat.mjs";

const ROMEO = "chat/romeo%40verona.example";
const LONG = "chat/bench%40anemone.example";
const until = (on, what, arg) => on.waitForFunction(what, arg);
const button = (from, name) => from.getByRole("button", { name, exact: true });
const message = (on, text) => on.locator("[data-message]").filter({ hasText: text }).last();
const go = (on, hash) =>
  on.evaluate((hash) => {
    location.hash = hash;
    dispatchEvent(new PopStateEvent("popstate"));
  }, hash);

async function select(on, text) {
  await message(on, text).waitFor();
  await settled(on);
  await message(on, text).focus();
  await on.keyboard.press("x");
  await on.getByText("One selected").waitFor();
}

/** What is asked of the core from now on. */
const listen = (on) =>
  on.evaluate(() => {
    const { core } = globalThis.store;
    const request = core.request.bind(core);
    globalThis.asked = [];
    core.request = (command) => {
      globalThis.asked.push(command);
      return request(command);
    };
  });
const sent = (on) => on.evaluate(() => globalThis.asked.filter((one) => one.do === "send").map(({ to, text }) => [to, text]));

describe("choosing", { concurrency: AT_ONCE }, () => {
  test("what was chosen is copied and forwarded, wherever the window is meanwhile", async (t) => {
    const on = await page(t, { route: LONG });
    await on.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await select(on, "The end of a very long conversation");
    const id = await on.evaluate(() => globalThis.store.window("bench@anemone.example").messages.at(-1).id);
    await go(on, `#/chat/bench%40anemone.example/${id - 1500}`);
    await until(on, (id) => !globalThis.store.window("bench@anemone.example").messages.some((one) => one.id === id), id);
    await settled(on);
    await on.getByText("One selected").waitFor();
    await listen(on);
    await button(on, "Forward").click();
    const dialog = on.getByRole("dialog");
    await dialog.getByRole("checkbox", { name: "Nurse" }).click();
    await dialog.getByRole("checkbox", { name: "Portia" }).click();
    await button(dialog, "Send").click();
    await hears(on, "Forwarded to 2 chats");
    const text = "The end of a very long conversation";
    await becomes(() => sent(on), [["nurse@anemone.example", text], ["portia@belmont.example", text]]);
    await select(on, "👍");
    const [there] = await on.evaluate(() => [document.activeElement.querySelector(".bubble-text").textContent]);
    await button(on, "Copy").click();
    await becomes(async () => there.includes((await on.evaluate(() => navigator.clipboard.readText())) || "nothing"), true);
  });

  test("nothing is offered for what was chosen and is gone", async (t) => {
    const on = await reused(t, { route: ROMEO });
    await select(on, "I am already there");
    await on.evaluate(() => {
      const { store } = globalThis;
      const { messages, ...rest } = store.window("romeo@verona.example");
      const left = messages.filter((one) => one.content.text !== "I am already there");
      globalThis.tell({ is: "window", address: "romeo@verona.example", messages: left, ...rest });
    });
    await until(on, () => document.querySelector(".chat-selected").textContent.startsWith("0"));
    for (const name of ["Copy", "Forward", "Delete"]) await becomes(() => button(on, name).isDisabled(), true, name);
  });

  test("the trash says for whom it deletes, and asks that where it can be either", async (t) => {
    const on = await page(t, { route: ROMEO });
    const bar = on.getByRole("toolbar", { name: "One selected" });
    await on.locator("[data-message]").last().waitFor();
    const [own, theirs] = await on.evaluate(() => {
      const said = globalThis.store.window("romeo@verona.example").messages.filter((one) => one.content.is === "text");
      return [said.findLast((one) => one.own && one.delivery.is === "read"), said.findLast((one) => !one.own)].map((one) => one.id);
    });
    const pick = async (id) => {
      await on.locator(`[data-message="${id}"]`).focus();
      await on.keyboard.press("x");
    };
    await pick(theirs);
    await button(bar, "Delete on this device").click();
    await on.getByRole("dialog").getByText(/keeps it, and so do/).waitFor();
    await on.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
    await on.getByRole("dialog").waitFor({ state: "detached" });
    // Of two, one is ours alone to take back.
    await pick(own);
    await on.getByRole("toolbar", { name: /^2/ }).getByRole("button", { name: "Delete on this device" }).click();
    await on.getByRole("dialog").getByText(/keeps them, and so do .* They cannot/).waitFor();
    await on.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
    await on.getByRole("dialog").waitFor({ state: "detached" });
    await pick(theirs);
    await listen(on);
    for (const [choice, command] of [["Delete on this device", "deleteHere"], ["Delete for everyone", "retract"]]) {
      await button(bar, "Delete").click();
      await on.getByRole("menuitem", { name: `${choice}…` }).click();
      await button(on.getByRole("dialog"), choice).click();
      await until(on, (command) => globalThis.asked.some((one) => one.do === command), command);
      if (command === "retract") break;
      await on.locator(".chat-selection").waitFor({ state: "detached" });
      const next = await on.evaluate(() => {
        const said = globalThis.store.window("romeo@verona.example").messages;
        return said.findLast((one) => one.own && one.content.is === "text" && one.delivery.is === "read").id;
      });
      await pick(next);
    }
  });

  test("Esc ends choosing and searching before it leaves, wherever the focus is", async (t) => {
    const on = await reused(t, { route: ROMEO });
    const field = on.getByRole("textbox", { name: "message" });
    for (const focus of [() => field.focus(), () => button(on, "Copy").focus(), () => on.evaluate(() => document.activeElement.blur())]) {
      await select(on, "I am already there");
      await focus();
      await on.keyboard.press("Escape");
      await on.locator(".chat-selection").waitFor({ state: "detached" });
      assert.equal(await on.evaluate(() => location.hash), `#/${ROMEO}`);
    }
    await field.focus();
    await on.keyboard.press("Control+f");
    await on.getByRole("searchbox", { name: "Search in this chat" }).waitFor();
    await field.focus();
    await on.keyboard.press("Escape");
    await on.locator(".search-bar").waitFor({ state: "detached" });
    assert.equal(await on.evaluate(() => location.hash), `#/${ROMEO}`);
    await field.focus();
    await on.keyboard.press("Escape");
    await until(on, () => location.hash === "#/list");
  });

  test("on a phone going back ends choosing, then searching, then leaves", async (t) => {
    const on = await page(t, { size: "phone" });
    await on.getByRole("link", { name: /Romeo/ }).first().click();
    await button(on, "More for this chat").click();
    await on.getByRole("menuitem", { name: "Search" }).click();
    await on.locator(".search-bar").waitFor();
    await select(on, "I am already there");
    await on.goBack();
    await on.locator(".chat-selection").waitFor({ state: "detached" });
    await on.locator(".search-bar").waitFor();
    await on.goBack();
    await on.locator(".search-bar").waitFor({ state: "detached" });
    assert.equal(await on.evaluate(() => location.hash), `#/${ROMEO}`);
    // What was ended by itself leaves no step behind.
    await select(on, "I am already there");
    await button(on, "End selection").click();
    await on.locator(".chat-selection").waitFor({ state: "detached" });
    await until(on, () => !history.state.overs);
    await on.goBack();
    await until(on, () => location.hash === "#/list" || location.hash === "");
  });

  test("nothing can be forwarded to strangers, to who is blocked, and to rooms one is out of", async (t) => {
    const on = await reused(t, { route: ROMEO });
    await message(on, "I am already there").waitFor();
    await on.evaluate(async () => {
      await globalThis.store.ask({ do: "block", address: "mercutio@verona.example", report: false });
      await globalThis.store.ask({ do: "leaveRoom", address: "garden@conference.illyria.example" });
    });
    await select(on, "I am already there");
    await button(on, "Forward").click();
    const dialog = on.getByRole("dialog");
    await dialog.getByRole("checkbox", { name: /Horatio.*not encrypted/ }).waitFor();
    const offered = await dialog.getByRole("checkbox").allTextContents();
    const has = (name) => offered.some((one) => one.includes(name));
    for (const name of ["Nurse", "The masque", "Benvolio"]) assert.ok(has(name), name);
    for (const name of ["iago", "witches", "Mercutio", "Gardens", "The players", "Tybalt", "The Duke"]) assert.ok(!has(name), name);
  });

  test("what another app shares is shown, can be left out, and goes to contacts without a chat as well", async (t) => {
    const on = await reused(t);
    await on.locator(".conversation").first().waitFor();
    await on.evaluate(async () => {
      const cache = await caches.open("clownfish-shared");
      await cache.put("/share/1/text", new Response("Look at this"));
      for (const [at, name] of ["one.txt", "two.txt"].entries()) {
        const headers = { "content-type": "text/plain", "x-name": name };
        await cache.put(`/share/1/${at}`, new Response(`the contents of ${name}`, { headers }));
      }
    });
    await go(on, "#/share");
    await on.getByText("Look at this").waitFor();
    await button(on, "Leave out one.txt").click();
    await on.getByText("one.txt").waitFor({ state: "detached" });
    await until(on, async () => (await (await caches.open("clownfish-shared")).match("/share/1/0")) === undefined);
    assert.equal(await on.evaluate(async () => (await (await caches.open("clownfish-shared")).match("/share/1/1")).headers.get("x-name")), "two.txt");
    await on.getByRole("button", { name: /Horatio.*not encrypted/ }).waitFor();
    assert.equal(await on.getByRole("button", { name: /iago|The players/ }).count(), 0);
    await on.getByRole("main").getByRole("searchbox").fill("benvolio");
    // Pressed twice, it is said once.
    await on.getByRole("button", { name: "Benvolio" }).dblclick();
    await until(on, () => location.hash.startsWith("#/chat/benvolio"));
    await on.locator(".tray-item").waitFor();
    await until(on, () => document.querySelector(".composer-text").value === "Look at this");
  });
});
