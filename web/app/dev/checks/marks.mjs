// What stands at messages on the sample, and what a press on it says: states, reactions, days; and voice messages.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { AT_ONCE, becomes, page, reused, settled } from "./seat.mjs";

const ROMEO = "chat/romeo%40verona.example";
const VIOLA = "chat/viola%40illyria.example";
const until = (on, what, arg) => on.waitForFunction(what, arg);
const button = (from, name) => from.getByRole("button", { name, exact: true });
const message = (on, text) => on.locator("[data-message]").filter({ hasText: text }).last();

async function finger(on) {
  const devtools = await on.context().newCDPSession(on);
  return (type, x, y) =>
    devtools.send("Input.dispatchTouchEvent", { type, touchPoints: type === "touchEnd" ? [] : [{ x, y }] });
}

async function middle(on, element) {
  await element.evaluate((one) => one.scrollIntoView({ block: "center" }));
  await settled(on);
  const { x, y, width, height } = await element.boundingBox();
  return [Math.round(x + width / 2), Math.round(y + height / 2)];
}

/** More kinds of reactions than fit below a bubble. */
const crowd = (on) =>
  on.evaluate(() => {
    const { store } = globalThis;
    const old = store.window("romeo@verona.example").messages.at(-1);
    const kinds = [..."👍😂😮😢🙏🎉🦋🌹🔥👏🤔😍🕊🚀"];
    const reactions = kinds.map((emoji, i) => ({ sender: i === 0 ? "nurse@anemone.example" : `reader-${i}@verona.example`, nick: null, emoji: [emoji], time: i }));
    globalThis.tell({ is: "messages", address: "romeo@verona.example", messages: [{ ...old, reactions }] });
  });

describe("what stands at messages", { concurrency: AT_ONCE }, () => {
  test("a press on the state of a message says when it got where", async (t) => {
    const on = await reused(t, { route: ROMEO });
    await message(on, "And do not be late").waitFor();
    await settled(on);
    await button(message(on, "And do not be late"), "Delivered to a device: details").click();
    const dialog = on.getByRole("dialog", { name: "About this message" });
    await dialog.getByText("Devices that have it").waitFor();
    await dialog.getByText(/^Delivered/).nth(1).waitFor();
    await on.keyboard.press("Escape");
    assert.equal(await message(on, "I am already there").locator(".tick").count(), 0, "nobody asks how far somebody else's got");
  });

  test("a finger that rests on a reaction says whose it is, and the rest are counted", async (t) => {
    const on = await page(t, { size: "phone", route: ROMEO });
    await message(on, "Look out of your window!").waitFor();
    await settled(on);
    await crowd(on);
    const row = message(on, "Look out of your window!");
    const touch = await finger(on);
    const [x, y] = await middle(on, row.locator(".reaction").first());
    await touch("touchStart", x, y);
    const dialog = on.getByRole("dialog", { name: "Reactions" });
    await dialog.waitFor();
    await touch("touchEnd");
    await dialog.getByText("Nurse").waitFor();
    assert.equal(await on.getByRole("menu").count(), 0, "the menu of the message stays closed");
    assert.ok(await on.evaluate(() => globalThis.store.window("romeo@verona.example").messages.at(-1).reactions.length === 14), "none was added");
    await button(dialog, "Close").click();
    await button(row, "2 more reactions").click();
    await dialog.getByRole("region", { name: "🚀" }).getByText("reader-13@verona.example").waitFor();
    await button(dialog, "React with 🚀").click();
    await until(on, () => globalThis.store.window("romeo@verona.example").messages.at(-1).reactions.some((one) => one.sender.startsWith("juliet") && one.emoji.includes("🚀")));
  });

  test("the menu key on a reaction says whose it is", async (t) => {
    const on = await reused(t, { route: ROMEO });
    await message(on, "Look out of your window!").waitFor();
    await settled(on);
    await crowd(on);
    await message(on, "Look out of your window!").focus();
    await message(on, "Look out of your window!").locator(".reaction").first().focus();
    await on.keyboard.press("Shift+F10");
    await on.getByRole("dialog", { name: "Reactions" }).getByText("Nurse").waitFor();
  });

  test("who goes from message to message hears of the day, and where the unread ones begin", async (t) => {
    // At another time of the day these messages are of two days.
    const on = await page(t, { route: ROMEO, now: "2026-11-28T17:24:00Z" });
    await message(on, "I am already there").waitFor();
    await settled(on);
    await becomes(async () => /^3 unread messages\. Romeo/.test(await message(on, "I am already there").getAttribute("aria-label")), true);
    await on.locator(".timeline-box").focus();
    await on.keyboard.press("Home");
    await until(on, () => document.activeElement.getAttribute("aria-label")?.includes("Hello Romeo"));
    await until(on, () => /^(Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day\. You/.test(document.activeElement.getAttribute("aria-label")));
  });

  test("one press on a sound that is not here fetches it and plays it", async (t) => {
    const on = await reused(t, { route: VIOLA });
    const song = on.locator("[data-message]").filter({ has: on.getByRole("group", { name: "Sound: willow-cabin.mp3" }) });
    await song.getByRole("button", { name: /^Play willow-cabin\.mp3, 3\.8/ }).click();
    await button(song, "Pause").waitFor();
  });

  test("small sounds of contacts come by themselves", async (t) => {
    const on = await reused(t, { route: ROMEO });
    await message(on, "Look out of your window!").waitFor();
    await on.evaluate(() => {
      const old = globalThis.store.window("romeo@verona.example").messages.findLast((one) => one.content.is === "file" && one.content.file.name === "voice-message.ogg");
      globalThis.sample.forgets(old.id);
    });
    const voice = on.locator("[data-message]").filter({ has: on.getByRole("group", { name: /^Voice message/ }) });
    await voice.first().evaluate((row) => row.scrollIntoView({ block: "center" }));
    await button(voice, "Play").waitFor();
    // It is decoded, so that its length is seen.
    await voice.getByText("0:04").waitFor();
  });

  test("while a finger records, the lock above it and the way back move with it", async (t) => {
    const on = await page(t, { size: "phone", route: ROMEO });
    await message(on, "Look out of your window!").waitFor();
    await settled(on);
    const touch = await finger(on);
    const [x, y] = await middle(on, button(on, "Record a voice message"));
    await touch("touchStart", x, y);
    const lock = on.locator(".recorder-lock");
    await lock.waitFor();
    const place = async (one) => on.evaluate((one) => document.querySelector(one).getBoundingClientRect(), one);
    const [still, words] = [await place(".recorder-lock"), await place(".recorder-slide")];
    assert.ok(still.bottom < y && still.left < x && still.right > x, "above the finger");
    await touch("touchMove", x - 40, y - 50);
    await on.locator(".recorder-lock-near").waitFor();
    assert.ok((await place(".recorder-lock")).top > still.top, "it comes to meet the finger");
    assert.ok((await place(".recorder-slide")).left < words.left, "the words go with the finger");
    await touch("touchMove", x, y - 80);
    await button(on, "Pause").waitFor();
    await touch("touchEnd");
    await lock.waitFor({ state: "detached" });
    await on.getByRole("group", { name: "Record a voice message" }).waitFor();
  });
});
