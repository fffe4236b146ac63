// What hands do on the sample: paste, drop, record, swipe, tap, react, block.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { AT_ONCE, becomes, fingers, middle, page, reused, settled } from "./seat.mjs";

const ROMEO = "chat/romeo%40verona.example";
const button = (from, name) => from.getByRole("button", { name, exact: true });
const tray = (on) => on.getByRole("group", { name: "Files to send" });
const message = (on, text) => on.locator("[data-message]").filter({ hasText: text }).last();

async function ready(on) {
  await on.locator("[data-message]").last().waitFor();
  await settled(on);
}

describe("hands", { concurrency: AT_ONCE }, () => {
  test("a picture is pasted, looked at, and sent", async (t) => {
    const on = await page(t, { route: ROMEO });
    await ready(on);
    await on.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await on.evaluate(async () => {
      const canvas = new OffscreenCanvas(40, 30);
      canvas.getContext("2d").fillRect(0, 0, 40, 30);
      const picture = await canvas.convertToBlob();
      await navigator.clipboard.write([new ClipboardItem({ "image/png": picture })]);
    });
    await on.getByRole("textbox", { name: "Message" }).focus();
    await on.keyboard.press("Control+v");
    await tray(on).getByRole("button", { name: /^ALT: Describe picture-\d{4}-.*\.png$/ }).waitFor();
    await button(on, "Send").click();
    await tray(on).waitFor({ state: "detached" });
    await on.locator("[data-message] .picture").last().waitFor();
  });

  test("a file is dragged over the conversation, and dropped there", async (t) => {
    const on = await reused(t, { route: ROMEO });
    await ready(on);
    const drag = await on.evaluateHandle(() => {
      const drag = new DataTransfer();
      drag.items.add(new File(["To be, or not to be"], "soliloquy.txt", { type: "text/plain" }));
      return drag;
    });
    const over = on.locator(".drop");
    const does = (what) => on.locator(".timeline-box").dispatchEvent(what, { dataTransfer: drag });
    for (const what of ["dragenter", "dragover"]) await does(what);
    await over.getByText("Drop files here to send them to Romeo").waitFor();
    await does("dragleave");
    await over.waitFor({ state: "detached" });
    for (const what of ["dragenter", "dragover", "drop"]) await does(what);
    await over.waitFor({ state: "detached" });
    await tray(on).getByText("soliloquy.txt").waitFor();
    await button(on, "Remove soliloquy.txt").click();
    await tray(on).waitFor({ state: "detached" });
  });

  test("a voice message is recorded and sent, and can be played", async (t) => {
    const on = await reused(t, { route: ROMEO });
    await ready(on);
    const before = Number(await on.locator("[data-message]").last().getAttribute("data-message"));
    await button(on, "Record a voice message").click();
    // Shorter ones are a slip of the finger.
    await on.getByRole("timer", { name: /^Recording, (?!0:00)/ }).waitFor();
    await button(on, "Send the voice message").click();
    const sent = on.locator("[data-message]").filter({ has: on.getByRole("group", { name: /^Voice message: voice-message-\d{4}/ }) });
    await sent.waitFor();
    await becomes(async () => Number(await sent.getAttribute("data-message")) === before, false);
    await button(sent, "Play").click();
    await button(sent, "Pause").or(button(sent, "Play")).waitFor();
    await button(on, "Record a voice message").waitFor();
  });

  test("a swipe answers, a short one does not, and a second tap takes the heart back", async (t) => {
    const on = await reused(t, { size: "phone", route: ROMEO });
    await ready(on);
    const touch = await fingers(on);
    const row = message(on, "Look out of your window!");
    const text = row.locator(".bubble-text").first();
    const swipe = async (far) => {
      const [x, y] = await middle(on, text);
      const way = Array.from({ length: far / 8 }, (_, step) => ["touchMove", x + 8 * (step + 1), y]);
      await touch(["touchStart", x, y], ...way, ["touchEnd"]);
    };
    await swipe(48);
    await settled(on);
    assert.equal(await button(on, "Do not reply").count(), 0);
    await swipe(120);
    await button(on, "Do not reply").click();
    await settled(on);
    const heart = row.getByRole("button", { name: "You: ❤️" });
    const twice = async () => {
      const [x, y] = await middle(on, text);
      await touch(["touchStart", x, y], ["touchEnd"], ["touchStart", x, y], ["touchEnd"]);
    };
    await twice();
    await heart.waitFor();
    await settled(on);
    await twice();
    await heart.waitFor({ state: "detached" });
  });

  test("a reaction is added from the menu, joined, and taken back", async (t) => {
    const on = await reused(t, { route: ROMEO });
    await ready(on);
    const row = message(on, "I am already there");
    await row.click({ button: "right" });
    await button(on, "React with 👍").click();
    const own = row.getByRole("button", { name: "You: 👍" });
    await own.waitFor();
    await becomes(() => own.getAttribute("aria-pressed"), "true");
    await row.click({ button: "right" });
    await button(on, "Take back 👍").waitFor();
    await button(on, "React with 😂").click();
    await row.getByRole("button", { name: "You: 😂" }).waitFor();
    await own.click();
    await own.waitFor({ state: "detached" });
    await row.getByRole("button", { name: "You: 😂" }).click();
    await row.locator(".reaction").waitFor({ state: "detached" });
  });

  test("below what was not sent stands the one thing that helps, and the menu has the rest", async (t) => {
    const on = await reused(t, { route: "chat/ophelia%40elsinore.example" });
    await ready(on);
    const failed = message(on, "There’s fennel for you");
    await becomes(() => failed.locator(".failure button").allInnerTexts(), ["Try again"]);
    await failed.click({ button: "right" });
    await on.getByRole("menuitem", { name: "Try again" }).waitFor();
    await on.getByRole("menuitem", { name: "Discard" }).waitFor();
    await on.keyboard.press("Escape");
    await button(failed, "Try again").click();
    await failed.locator(".failure").waitFor({ state: "detached" });
    // The same file again would be as large.
    const large = message(on, "the server takes files of up to");
    await becomes(() => large.locator(".failure button").allInnerTexts(), ["Discard"]);
    await button(large, "Discard").click();
    await on.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
  });

  test("a contact is blocked and reported after asking, and can be unblocked at once", async (t) => {
    const on = await reused(t, { route: "details/mercutio%40verona.example" });
    await on.getByRole("button", { name: /Block and report/ }).click();
    const dialog = on.getByRole("dialog");
    await button(dialog, "Cancel").click();
    await dialog.waitFor({ state: "detached" });
    await on.evaluate(() => {
      const { core } = globalThis.store;
      const request = core.request.bind(core);
      core.request = (command) => {
        if (command.do === "block") globalThis.blocked = command;
        return request(command);
      };
    });
    await on.getByRole("button", { name: /Block and report/ }).click();
    await button(dialog, "Block and report").click();
    await on.getByText("Mercutio is blocked").first().waitFor();
    assert.deepEqual(await on.evaluate(() => globalThis.blocked), { do: "block", address: "mercutio@verona.example", report: true });
    await on.locator(".toast").getByRole("button", { name: "Unblock" }).click();
    await on.waitForFunction(() => globalThis.store.contact("mercutio@verona.example").blocked === false);
  });
});
