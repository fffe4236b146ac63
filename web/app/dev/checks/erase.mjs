// Deleting on this device alone, on the sample: it asks first and says who keeps what.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { AT_ONCE, page } from "./seat.mjs";

const ROMEO = "romeo@verona.example";
const row = (on) => on.locator("[data-message]");
const chats = (on) => on.getByRole("list", { name: "Chats" });
const choose = (on, name) => on.getByRole("menuitem", { name, exact: true }).click();
const asked = (on) => on.evaluate(() => globalThis.asked);
/** Counts what is asked of the core that deletes. */
const watch = (on) =>
  on.evaluate(() => {
    const { core } = globalThis.store;
    const request = core.request.bind(core);
    globalThis.asked = [];
    core.request = (command) => {
      if (/^(delete|clear)/.test(command.do)) globalThis.asked.push(command.do);
      return request(command);
    };
  });

describe("deleting on this device", { concurrency: AT_ONCE }, () => {
  test("a message of anybody goes after a question that says who keeps it", async (t) => {
    const on = await page(t, { route: `chat/${encodeURIComponent(ROMEO)}` });
    await row(on).last().waitFor();
    await watch(on);
    const id = await on.evaluate((address) => {
      const said = globalThis.store.window(address).messages;
      return said.findLast((one) => !one.own && one.content.is === "text").id;
    }, ROMEO);
    const theirs = on.locator(`[data-message="${id}"]`);
    await theirs.focus();
    await on.keyboard.press("Enter");
    await on.getByRole("menuitem").first().waitFor();
    assert.equal(await on.getByRole("menuitem", { name: "Delete for everyone…" }).count(), 0, "it is not ours");
    await choose(on, "Delete on this device…");
    const dialog = on.getByRole("dialog");
    await dialog.getByText(/everyone else in the chat keeps it, and so do your other devices/).waitFor();
    await dialog.getByRole("button", { name: "Cancel" }).click();
    await dialog.waitFor({ state: "detached" });
    assert.deepEqual(await asked(on), []);
    await theirs.focus();
    await on.keyboard.press("Enter");
    await choose(on, "Delete on this device…");
    await dialog.getByRole("button", { name: "Delete on this device" }).click();
    await theirs.waitFor({ state: "detached" });
    assert.deepEqual(await asked(on), ["deleteHere"]);
  });

  test("a history is cleared and a chat deleted from its menu", async (t) => {
    const on = await page(t, { route: `chat/${encodeURIComponent(ROMEO)}` });
    await row(on).last().waitFor();
    await watch(on);
    const dialog = on.getByRole("dialog");
    await on.getByRole("button", { name: "More for this chat" }).click();
    await choose(on, "Clear history…");
    await dialog.getByText(/the others keep theirs, and so do your other devices/).waitFor();
    await dialog.getByRole("button", { name: "Clear history" }).click();
    await row(on).first().waitFor({ state: "detached" });
    await chats(on).getByRole("link", { name: /Romeo/ }).waitFor();
    await on.getByRole("button", { name: "More for this chat" }).click();
    await choose(on, "Delete chat…");
    await dialog.getByRole("button", { name: "Delete chat" }).click();
    await chats(on).getByRole("link", { name: /Romeo/ }).waitFor({ state: "detached" });
    await on.waitForFunction(() => !location.hash.includes("romeo"));
    assert.deepEqual(await asked(on), ["clearHistory", "deleteConversation"]);
  });
});
