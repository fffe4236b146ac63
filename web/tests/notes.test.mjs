// A conversation with oneself: notes that are on all of one's devices, and on no server in plain text.

import assert from "node:assert/strict";
import { test } from "node:test";

import { composer, devices, message, open, seesEncrypted, ticks, write } from "./acts.mjs";
import { stage } from "./stage.mjs";

const there = stage();

async function sit(size) {
  const person = await there.sit("juliet", { size, known: size === "desktop" });
  const { page } = person;
  await page.getByRole("button", { name: "More", exact: true }).click();
  await page.getByRole("menuitem", { name: "Notes to yourself" }).click();
  await composer(page).waitFor();
  return person;
}

test("what somebody notes on one device is on the other, once, and encrypted", async () => {
  const phone = await sit("phone");
  const desktop = await sit("desktop");
  // What is written before this one knows of the other is not encrypted for it.
  await phone.page.evaluate(() => {
    location.hash = "#/settings/devices";
  });
  await devices(phone.page).nth(1).waitFor();
  await open(phone.page, "juliet@localhost");
  await write(phone.page, "What's in a name?");
  await seesEncrypted(desktop.page, "in a name?");
  await ticks(phone.page, "in a name?", /Sent|Delivered|Read/);
  await write(desktop.page, "That which we call a rose");
  await seesEncrypted(phone.page, "we call a rose");
  for (const { page } of [phone, desktop]) {
    for (const text of ["in a name?", "we call a rose"]) {
      assert.equal(await page.locator("[data-message]").filter({ hasText: text }).count(), 1, text);
      assert.ok(await message(page, text).evaluate((row) => row.classList.contains("message-row-own")), text);
    }
  }
  assert.equal(await there.server.holds("What's in a name?"), false);
  await phone.accessible();
  await phone.leave();
  await desktop.leave();
});
