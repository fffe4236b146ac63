// Writing on the sample: input methods, the clipboard, replies from notifications, emoji and the lock in the field.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { AT_ONCE, page, reused, settled } from "./seat.mjs";

const ROMEO = "chat/romeo%40verona.example";
const MASQUE = "chat/masque%40conference.anemone.example";
const until = (on, what, arg) => on.waitForFunction(what, arg);
const button = (from, name) => from.getByRole("button", { name, exact: true });
const field = (on) => on.locator(".composer-text");

/** A key as an input method gives it: in the middle of a composition, or as Safari does when it has just ended. */
async function composed(on, key, safari) {
  await on.evaluate(
    ([key, safari]) => {
      const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, isComposing: !safari });
      Object.defineProperty(event, "keyCode", { value: 229 });
      document.activeElement.dispatchEvent(event);
    },
    [key, safari],
  );
  await settled(on);
}

describe("writing", { concurrency: AT_ONCE }, () => {
  for (const safari of [false, true]) {
    test(`Enter of an input method does nothing of ours${safari ? " in Safari" : ""}`, async (t) => {
      const on = await reused(t, { route: MASQUE });
      await on.locator("[data-message]").last().waitFor();
      const count = () => on.evaluate(() => globalThis.store.window("masque@conference.anemone.example").messages.length);
      const before = await count();
      await field(on).focus();
      await on.keyboard.type("@Ben");
      await on.getByRole("option").first().waitFor();
      await composed(on, "Enter", safari);
      assert.equal(await field(on).inputValue(), "@Ben");
      await field(on).fill("にほん");
      await composed(on, "Enter", safari);
      assert.equal(await field(on).inputValue(), "にほん");
      assert.equal(await count(), before);
      await on.keyboard.press("Control+k");
      await on.getByRole("combobox", { name: "Go to" }).fill("laur");
      await composed(on, "Enter", safari);
      assert.ok((await on.evaluate(() => location.hash)).includes("masque"));
      await on.keyboard.press("Escape");
      await on.locator(".list-search-field").fill("portia");
      await on.locator(".result").first().waitFor();
      await composed(on, "Enter", safari);
      assert.ok((await on.evaluate(() => location.hash)).includes("masque"));
      await field(on).focus();
      await on.keyboard.press("Control+f");
      await on.getByRole("searchbox", { name: "Search in this chat" }).fill("the");
      await on.getByText(/^1 of \d+/).waitFor();
      await composed(on, "Enter", safari);
      await on.getByText(/^1 of \d+/).waitFor();
    });
  }

  test("the text of a spreadsheet is pasted, though a picture of it lies beside it", async (t) => {
    const on = await page(t, { route: ROMEO });
    await on.locator("[data-message]").last().waitFor();
    await on.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await on.evaluate(async () => {
      const canvas = new OffscreenCanvas(40, 30);
      canvas.getContext("2d").fillRect(0, 0, 40, 30);
      const text = new Blob(["torches\t12"], { type: "text/plain" });
      await navigator.clipboard.write([new ClipboardItem({ "image/png": await canvas.convertToBlob(), "text/plain": text })]);
    });
    await field(on).focus();
    await on.keyboard.press("Control+v");
    await until(on, () => document.querySelector(".composer-text").value === "torches\t12");
    await settled(on);
    assert.equal(await on.locator(".tray-item").count(), 0);
  });

  test("a reply in a notification that cannot be sent stands in the field of its conversation", async (t) => {
    const on = await reused(t, { route: ROMEO });
    await on.locator("[data-message]").last().waitFor();
    await field(on).fill("I come");
    await on.evaluate(async () => {
      const { core } = globalThis.store;
      const request = core.request.bind(core);
      core.request = (command) =>
        command.do === "send" ? Promise.resolve({ is: "failed", problem: { kind: "storage", words: "full" } }) : request(command);
      const act = { address: "romeo@verona.example", reply: "At nine, then" };
      await (await caches.open("clownfish-notes")).put("/notes/act/1", Response.json(act));
      navigator.serviceWorker.dispatchEvent(new MessageEvent("message", { data: { act: true } }));
    });
    await until(on, () => document.querySelector(".composer-text").value === "At nine, then\nI come");
    await field(on).press("End");
    await on.keyboard.type("!");
    await until(on, () => globalThis.store.conversation("romeo@verona.example").draft === "At nine, then\nI come!");
    await until(on, async () => (await (await caches.open("clownfish-notes")).match("/notes/act/1")) === undefined);
  });

  test("the field says whether what is written in it is encrypted", async (t) => {
    const on = await reused(t, { route: ROMEO });
    await on.getByRole("textbox", { name: "Encrypted message", exact: true }).waitFor();
    await on.evaluate(() => globalThis.store.ask({ do: "setEncryption", address: "romeo@verona.example", encrypted: false }));
    await on.getByRole("textbox", { name: "Message, not encrypted", exact: true }).waitFor();
  });

  test("emoji that do not come are told, and come when the page is loaded again", async (t) => {
    const on = await page(t, { route: ROMEO });
    await on.locator("[data-message]").last().waitFor();
    await settled(on);
    let asked = 0;
    await on.route(/\/data-[^/]+\.js/, (route) => ((asked += 1) === 1 ? route.fulfill({ contentType: "text/javascript", body: "throw new Error()" }) : route.continue()));
    await button(on, "Emoji").click();
    await on.getByText("The emoji could not be loaded.").waitFor();
    await button(on, "Reload").click();
    await on.locator(".picker").waitFor({ state: "detached" });
    await button(on, "Emoji").click();
    await on.locator(".picker-emoji").first().waitFor();
    assert.ok(asked >= 2);
  });

  test("a skin tone is chosen once, and remembered", async (t) => {
    const on = await page(t, { route: ROMEO });
    await button(on, "Emoji").click();
    await button(on, "Skin tone").click();
    // By the keyboard: the place is kept.
    await on.locator('[role="radio"]:focus').waitFor();
    await on.keyboard.press("ArrowLeft");
    await on.locator('[role="radio"]:focus').and(on.getByRole("radio", { name: "Dark skin tone", exact: true })).waitFor();
    await on.keyboard.press("Enter");
    await on.locator(".picker-tone:focus").and(button(on, "Skin tone")).waitFor();
    await on.getByRole("searchbox", { name: "Search emoji" }).fill("thumbs up");
    await on.keyboard.press("Enter");
    await until(on, () => document.querySelector(".composer-text").value === "👍🏿");
    await on.reload();
    await button(on, "Emoji").click();
    await on.getByRole("button", { name: /^🙏🏿/ }).first().waitFor();
    assert.equal(await on.evaluate(() => Object.keys(localStorage).includes("clownfish:tone")), true);
  });
});
