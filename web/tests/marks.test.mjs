// What is known of a message besides its words: on which devices it is, and whether it is to be found again.

import assert from "node:assert/strict";
import { test } from "node:test";

import { message, open, sees, ticks, write } from "./acts.mjs";
import { stage } from "./stage.mjs";

const there = stage();

/** Chooses from the menu of a message. */
async function choose(page, text, name) {
  await message(page, text).click({ button: "right" });
  await page.getByRole("menuitem", { name, exact: true }).click();
}

test("details of an own message name the devices that have it, and when it was seen there", async () => {
  const [romeo, juliet] = await there.pair("romeo", "juliet");
  await open(romeo.page, "juliet@localhost");
  await write(romeo.page, "With love's light wings");
  await sees(juliet.page, "light wings");
  await ticks(romeo.page, "light wings", /Read/);
  await choose(romeo.page, "light wings", "Details");
  const dialog = romeo.page.getByRole("dialog");
  const device = dialog.getByRole("listitem").filter({ hasText: "Delivered" });
  await device.getByText(/ on Linux$/).waitFor();
  await device.getByText("Read").waitFor();
  await romeo.accessible();
  await romeo.picture("details-phone");
  await romeo.page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  await romeo.leave();
  await juliet.leave();
});

test("a star is there on the account's other devices, and the server cannot read it", async () => {
  const [anna, bert] = await there.pair("anna", "bert");
  const other = await there.sit("anna", { size: "desktop", known: true });
  await write(bert.page, "A rose by any other name");
  await sees(anna.page, "any other name");
  await open(other.page, "bert@localhost");
  await sees(other.page, "any other name");
  await choose(anna.page, "any other name", "Star");
  await message(anna.page, "any other name").getByTitle("Starred").waitFor();
  await message(other.page, "any other name").getByTitle("Starred").waitFor();
  await anna.picture("star-phone");
  await other.page.evaluate(() => {
    location.hash = "#/starred";
  });
  const line = other.page.getByRole("listitem").filter({ hasText: "any other name" });
  await line.waitFor();
  await other.accessible();
  await other.picture("starred-desktop");
  await line.getByRole("button", { name: "Remove star" }).click();
  await other.page.getByText("No starred messages").waitFor();
  await message(anna.page, "any other name").getByTitle("Starred").waitFor({ state: "detached" });
  assert.ok(!(await there.server.holds("clownfish:stars")), "the server holds nothing that can be read");
  for (const person of [anna, bert, other]) await person.leave();
});
