// Groups and channels, between browsers and a terminal, against a real server.

import assert from "node:assert/strict";
import { test } from "node:test";

import { befriend, composer, message, open, sees, seesEncrypted, write } from "./acts.mjs";
import { hears } from "./harness.mjs";
import { clownfish, listen } from "./programs.mjs";
import { PASSWORD, stage } from "./stage.mjs";

const there = stage();

/** Goes to a place in the app, as a link does. */
function to(page, hash) {
  return page.evaluate((hash) => {
    location.hash = hash;
  }, hash);
}

const button = (page, name) => page.getByRole("button", { name, exact: true });
/** The address of the room that a page shows. */
const roomOf = async (page) => {
  await page.waitForURL(/#\/chat\/.*conference/);
  return decodeURIComponent(new URL(page.url()).hash.split("/")[2]);
};

test("a private group: made, entered, written in by two browsers and a terminal, left", async () => {
  const romeo = await there.sit("romeo", { size: "desktop" });
  const juliet = await there.sit("juliet", { size: "phone" });
  await befriend(romeo, juliet, { asking: "romeo@localhost", asked: "juliet@localhost" });

  await to(romeo.page, "#/group");
  await romeo.page.getByLabel("Name of the group").fill("The masque");
  await romeo.page.getByRole("checkbox", { name: /juliet/ }).click();
  await button(romeo.page, "Make the group").click();
  const room = await roomOf(romeo.page);
  await composer(romeo.page).waitFor();
  await romeo.accessible();

  await to(juliet.page, "#/list");
  await juliet.page.getByRole("link", { name: /The masque/ }).click();
  await juliet.page.getByText(/romeo.* invites you to this group/).waitFor();
  await juliet.accessible();
  await button(juliet.page, "Join").click();
  await composer(juliet.page).waitFor();

  await write(romeo.page, "Is she a Capulet?");
  await seesEncrypted(juliet.page, "a Capulet");
  await write(juliet.page, "You kiss by the book");
  await seesEncrypted(romeo.page, "by the book");
  await juliet.picture("group-phone");

  const nurse = await terminal("nurse");
  await to(romeo.page, `#/details/${encodeURIComponent(room)}`);
  await button(romeo.page, "Invite people").click();
  const dialog = romeo.page.getByRole("dialog");
  await dialog.getByRole("searchbox").fill("nurse@localhost");
  await button(dialog, "Add nurse@localhost").click();
  await button(dialog, "Invite 1 person").click();
  await dialog.waitFor({ state: "detached" });
  await romeo.accessible();
  await nurse.run("join", room);
  await romeo.page.getByText("3 members").first().waitFor();
  await ownersChange(romeo.page, juliet, room);
  await open(romeo.page, room);
  await nurse.run("send", room, "Madam, your mother craves a word with you");
  for (const person of [romeo, juliet]) await seesEncrypted(person.page, "craves a word");
  const listening = listen(there.server, "nurse");
  await write(juliet.page, "What is her mother?");
  await listening.hears((line) => line.body === "What is her mother?" && line.encryption !== "none", "what Juliet wrote");
  await seesEncrypted(romeo.page, "What is her mother?");
  await listening.end();

  // What happened meanwhile is still there when the page is loaded again.
  await juliet.page.reload();
  await composer(juliet.page).waitFor();
  const happened = juliet.page.locator(".happenings");
  for (const words of [/^nurse.* joined/, /^It is called The feast now/, /^It has another picture now/]) {
    await happened.getByText(words).first().waitFor();
  }
  await juliet.accessible();

  await to(juliet.page, `#/details/${encodeURIComponent(room)}`);
  await button(juliet.page, "Leave").click();
  await button(juliet.page.getByRole("dialog"), "Leave").click();
  await hears(juliet.page, "You left The feast");
  await write(romeo.page, "Ay, so I fear; the more is my unrest");
  await sees(romeo.page, "the more is my unrest");
  await open(juliet.page, "romeo@localhost");
  await juliet.page.reload();
  await composer(juliet.page).waitFor();
  assert.equal(await message(juliet.page, "more is my unrest").count(), 0);
  await romeo.leave();
  await juliet.leave();
});

test("a channel is entered by its link, and says that it is open", async () => {
  const anna = await there.sit("anna", { size: "desktop" });
  const bert = await there.sit("bert", { size: "phone" });
  await to(anna.page, "#/channel");
  await anna.page.getByLabel("Name of the channel").fill("Verona");
  await button(anna.page, "Make the channel").click();
  const room = await roomOf(anna.page);
  await composer(anna.page).waitFor();
  await anna.page.getByText("Everybody who enters can read along. Nothing here is encrypted.").waitFor();
  await to(anna.page, `#/details/${encodeURIComponent(room)}`);
  await anna.page.getByRole("button", { name: /^Link to it/ }).click();
  await hears(anna.page, "Copied");
  const link = await anna.page.evaluate(() => navigator.clipboard.readText());
  await open(anna.page, room);

  await to(bert.page, "#/join/");
  await bert.page.getByLabel("Address or link").fill(link);
  await bert.accessible();
  await button(bert.page, "Join").click();
  assert.equal(await roomOf(bert.page), room);
  await composer(bert.page).waitFor();
  await write(bert.page, "Good morrow, neighbours");
  await sees(anna.page, "Good morrow, neighbours");
  await write(anna.page, "@bert is the day so young?");
  await sees(bert.page, "is the day so young?");
  await anna.leave();
  await bert.leave();
});

test("a private group is entered by a link, and by whoever asks and is let in", async () => {
  const mab = await there.sit("mab", { size: "desktop" });
  const puck = await there.sit("puck", { size: "phone" });
  const snug = await there.sit("snug", { size: "phone" });
  await to(mab.page, "#/group");
  await mab.page.getByLabel("Name of the group").fill("The dream");
  await button(mab.page, "Make the group").click();
  const room = await roomOf(mab.page);
  await composer(mab.page).waitFor();

  await to(mab.page, `#/details/${encodeURIComponent(room)}`);
  await mab.page.getByRole("button", { name: /^Invite by link/ }).click();
  const dialog = mab.page.getByRole("dialog");
  await button(dialog, "Make a link").click();
  await button(dialog, "Copy link").click();
  await hears(mab.page, "Copied");
  await mab.accessible();
  const link = await mab.page.evaluate(() => navigator.clipboard.readText());
  await mab.page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });

  await to(puck.page, `#/join/${encodeURIComponent(link)}`);
  await button(puck.page, "Join").click();
  assert.equal(await roomOf(puck.page), room);
  await composer(puck.page).waitFor();

  await to(snug.page, `#/join/${encodeURIComponent(room)}`);
  await button(snug.page, "Join").click();
  await button(snug.page, "Ask to be let in").click();
  await button(snug.page, "Send request").click();
  await snug.page.getByText("Request sent. An admin decides.").waitFor();
  await button(mab.page, "Let snug in").click();
  await hears(mab.page, "snug is a member now");
  await open(snug.page, room);
  await composer(snug.page).waitFor();

  await open(mab.page, room);
  await write(mab.page, "If we shadows have offended");
  for (const person of [puck, snug]) await seesEncrypted(person.page, "shadows have offended");
  for (const person of [mab, puck, snug]) await person.leave();
});

/** An owner gives the group another name and a picture; somebody else who is in it sees both. */
async function ownersChange(owner, other, room) {
  await to(owner, `#/details/${encodeURIComponent(room)}`);
  await button(owner, "Rename").click();
  await owner.getByLabel("Name of the group").fill("The feast");
  await owner.keyboard.press("Enter");
  await owner.getByRole("heading", { name: "The feast" }).first().waitFor();
  const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";
  const file = { name: "mask.png", mimeType: "image/png", buffer: Buffer.from(pixel, "base64") };
  await owner.getByLabel("Choose a picture").setInputFiles(file);
  await button(owner.getByRole("dialog"), "Use picture").click();
  await owner.locator(".person .avatar-picture").waitFor();
  await open(other.page, room);
  const header = other.page.locator(".chat-header");
  await header.getByText("The feast").waitFor();
  await header.locator(".avatar-picture").waitFor();
  await to(other.page, `#/details/${encodeURIComponent(room)}`);
  assert.equal(await button(other.page, "Rename").count(), 0);
  await open(other.page, room);
}

/** A terminal that is logged in to a new account; `run` is one command of Clownfish there. */
async function terminal(name) {
  await there.server.addAccount(name, PASSWORD);
  const at = ["--server", `127.0.0.1:${there.server.ports.c2s}`, "--ca", there.server.authority];
  await clownfish(there.server, name, ["login", `${name}@localhost`, "--password-stdin", ...at], `${PASSWORD}\n`);
  return { run: (...options) => clownfish(there.server, name, options) };
}
