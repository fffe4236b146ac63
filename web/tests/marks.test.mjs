// What is known of a message besides its words: on which devices it is, and whether it is to be found again.

import assert from "node:assert/strict";
import { test } from "node:test";

import { composer, knows, message, open, sees, seesEncrypted, ticks, write } from "./acts.mjs";
import { becomes } from "./harness.mjs";
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
  await knows(bert, "anna@localhost", 2);
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
  const starred = other.page.getByRole("region", { name: "Starred messages" });
  const line = starred.getByRole("listitem").filter({ hasText: "any other name" });
  await line.waitFor();
  await other.accessible();
  await other.picture("starred-desktop");
  await line.getByRole("button", { name: "Remove star" }).click();
  await other.page.getByText("No starred messages").waitFor();
  await message(anna.page, "any other name").getByTitle("Starred").waitFor({ state: "detached" });
  assert.ok(!(await there.server.holds("clownfish:stars")), "the server holds nothing that can be read");
  for (const person of [anna, bert, other]) await person.leave();
});

test("what is being typed, put right and taken back is seen at the other end", async () => {
  const [romeo, juliet] = await there.pair("benvolio", "rosaline");
  await write(romeo.page, "By yonder blessed moon I swear");
  await seesEncrypted(juliet.page, "blessed moon");
  await write(juliet.page, "O, swear not by the sun");
  await seesEncrypted(romeo.page, "by the sun");

  await composer(juliet.page).fill("the inconstant");
  await romeo.page.getByText("typing…").first().waitFor();
  await composer(juliet.page).fill("");
  await romeo.page.getByText("typing…").first().waitFor({ state: "detached" });

  await choose(juliet.page, "by the sun", "Edit");
  await composer(juliet.page).fill("O, swear not by the moon");
  await juliet.page.getByRole("button", { name: "Save the change" }).click();
  await seesEncrypted(romeo.page, "not by the moon");
  await message(romeo.page, "not by the moon").getByTitle("Edited: show earlier versions").waitFor();
  await becomes(() => romeo.page.locator("[data-message]").filter({ hasText: "by the sun" }).count(), 0);

  await choose(romeo.page, "blessed moon", "Delete for everyone…");
  await romeo.page.getByRole("dialog").getByRole("button", { name: "Delete for everyone" }).click();
  await juliet.page.getByText("This message was deleted.").waitFor();
  await becomes(() => juliet.page.locator("[data-message]").filter({ hasText: "blessed moon" }).count(), 0);

  // What was begun is there after a look elsewhere, and after the page was loaded anew.
  await composer(romeo.page).fill("What shall I swear by?");
  await romeo.page.evaluate(() => {
    location.hash = "#/list";
  });
  await romeo.page.getByText("Draft:").waitFor();
  await romeo.page.reload();
  await open(romeo.page, "rosaline@localhost");
  await becomes(() => composer(romeo.page).inputValue(), "What shall I swear by?");
  await romeo.leave();
  await juliet.leave();
});

test("what is deleted on one device stays deleted there, and everybody else keeps it", async () => {
  const [romeo, juliet] = await there.pair("sampson", "gregory");
  await write(romeo.page, "Do you bite your thumb at us?");
  await seesEncrypted(juliet.page, "bite your thumb");
  await write(juliet.page, "I do bite my thumb");
  await seesEncrypted(romeo.page, "my thumb");
  await write(romeo.page, "No better");
  await seesEncrypted(juliet.page, "No better");

  await choose(juliet.page, "at us?", "Delete on this device…");
  const dialog = juliet.page.getByRole("dialog");
  await dialog.getByText(/so do your other devices/).waitFor();
  await dialog.getByRole("button", { name: "Delete on this device" }).click();
  const rows = (person, text) => person.page.locator("[data-message]").filter({ hasText: text });
  await rows(juliet, "at us?").waitFor({ state: "detached" });
  assert.equal(await rows(romeo, "at us?").count(), 1);
  // The archive still has it, and the page reads it again.
  await juliet.page.reload();
  await open(juliet.page, "sampson@localhost");
  await sees(juliet.page, "No better");
  assert.equal(await rows(juliet, "at us?").count(), 0);

  await juliet.page.getByRole("button", { name: "More for this chat" }).click();
  await juliet.page.getByRole("menuitem", { name: "Clear history…" }).click();
  await dialog.getByRole("button", { name: "Clear history" }).click();
  await rows(juliet, "No better").waitFor({ state: "detached" });
  await write(romeo.page, "Draw, if you be men");
  // Its keys are as they were.
  await seesEncrypted(juliet.page, "if you be men");
  assert.equal(await rows(juliet, "thumb").count(), 0);
  assert.equal(await rows(romeo, "thumb").count(), 2);
  await romeo.leave();
  await juliet.leave();
});
