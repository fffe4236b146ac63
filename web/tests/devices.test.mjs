// One account on two devices, each a browser of its own.

import assert from "node:assert/strict";
import { test } from "node:test";

import { befriend, devices, inside, knows, message, open, sees, seesEncrypted, write } from "./acts.mjs";
import { becomes, hears } from "./harness.mjs";
import { stage } from "./stage.mjs";

const NOT_FOR_THIS = /was not encrypted for this device/;

const there = stage();

async function settings(page, at) {
  await page.evaluate((hash) => (location.hash = hash), `#/settings/${at}`);
}

test("a second device is told, written to and named, reads what comes from then on, and is removed", async () => {
  const romeo = await there.sit("romeo", { size: "desktop" });
  const desk = await there.sit("juliet", { size: "desktop" });
  await befriend(romeo, desk, { asking: "romeo@localhost", asked: "juliet@localhost" });
  await write(romeo.page, "My name, dear saint, is hateful to myself");
  await seesEncrypted(desk.page, "hateful to myself");
  await write(desk.page, "I know the sound");
  await seesEncrypted(romeo.page, "I know the sound");
  await settings(desk.page, "devices");
  await desk.page.getByRole("button", { name: /^Actions for/ }).click();
  await desk.page.getByRole("menuitem", { name: "Name this device" }).click();
  await desk.page.getByLabel("Name of this device").fill("The desk");
  await desk.page.getByRole("button", { name: "Save" }).click();
  await hears(desk.page, "The device has a new name");

  const phone = await there.sit("juliet", { size: "phone", known: true });
  await settings(phone.page, "devices");
  await devices(phone.page).filter({ hasText: "The desk" }).waitFor();
  await becomes(() => devices(phone.page).count(), 2, "the new one knows the other by its name");
  await phone.accessible();
  await phone.picture("devices-phone");

  // The first one is told, and whoever writes to both knows of both: nobody encrypts for a device before
  // its list has reached them.
  await knows(romeo, "juliet@localhost", 2);
  await open(desk.page, "juliet@localhost");
  await desk.page.getByText("You use a new device.").first().waitFor();

  // What comes from now on is on both; what came before is on one, and the other says so.
  await open(desk.page, "romeo@localhost");
  await open(phone.page, "romeo@localhost");
  await write(romeo.page, "With love's light wings did I o'er-perch these walls");
  await seesEncrypted(desk.page, "light wings");
  await seesEncrypted(phone.page, "light wings");
  // Whoever writes to both learns that there is another one.
  await romeo.page.getByText("juliet@localhost uses a new device.").first().waitFor();
  await phone.page.getByText(NOT_FOR_THIS).first().waitFor();
  assert.equal(await message(phone.page, "hateful to myself").count(), 0);
  await write(phone.page, "If they do see thee, they will murder thee");
  await seesEncrypted(desk.page, "murder thee");
  await seesEncrypted(romeo.page, "murder thee");
  await phone.picture("new-device-phone");

  // Removed, it is written to no more, and says so when it comes back.
  await phone.page.close();
  await settings(desk.page, "devices");
  const gone = desk.page.locator(".device:not(:has-text('The desk'))");
  await gone.getByRole("button", { name: /^Actions for/ }).click();
  await desk.page.getByRole("menuitem", { name: "Remove from the account" }).click();
  await desk.page.getByRole("dialog").getByRole("button", { name: "Remove from the account" }).click();
  await hears(desk.page, " is removed");
  await open(desk.page, "romeo@localhost");
  await write(desk.page, "I would not for the world they saw thee here");
  await seesEncrypted(romeo.page, "for the world");
  await write(romeo.page, "I have night's cloak to hide me from their eyes");
  await seesEncrypted(desk.page, "night's cloak");
  phone.page = await phone.window();
  await phone.page.goto(there.server.url);
  await inside(phone.page);
  await open(phone.page, "romeo@localhost");
  await sees(phone.page, "murder thee");
  await message(phone.page, "murder thee").locator("xpath=following::*").getByText(NOT_FOR_THIS).first().waitFor();
  assert.equal(await message(phone.page, "night's cloak").count(), 0, "the removed one reads nothing more");
  for (const person of [romeo, desk, phone]) await person.leave();
});
