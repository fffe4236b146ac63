// What is known of a message besides its words: on which devices it is.

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
  await device.getByText(/Chrom/).waitFor();
  await device.getByText("Read").waitFor();
  await romeo.accessible();
  await romeo.picture("details-phone");
  await romeo.page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  await romeo.leave();
  await juliet.leave();
});
