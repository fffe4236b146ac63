// Who somebody is: the name and the picture that they give themselves, in the browsers of others.

import { test } from "node:test";

import { open, sees, write } from "./acts.mjs";
import { becomes, eventually, hears } from "./harness.mjs";
import { stage } from "./stage.mjs";

const there = stage();
const at = (page, hash) => page.evaluate((hash) => (location.hash = hash), hash);

/** A picture of one colour, as a camera may give it: not a square. */
async function picture(page, colour) {
  const base64 = await page.evaluate(async (colour) => {
    const canvas = new OffscreenCanvas(300, 200);
    const context = canvas.getContext("2d");
    context.fillStyle = colour;
    context.fillRect(0, 0, 300, 200);
    const bytes = new Uint8Array(await (await canvas.convertToBlob({ type: "image/jpeg", quality: 1 })).arrayBuffer());
    return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  }, colour);
  return { name: "portrait.jpg", mimeType: "image/jpeg", buffer: Buffer.from(base64, "base64") };
}

/** The colour in the middle of a picture that is drawn, roughly; nothing while another one takes its place. */
async function colour(image) {
  await image.waitFor();
  return image.evaluate(async (element) => {
    if (await element.decode().then(() => false, () => true)) return null;
    const context = new OffscreenCanvas(1, 1).getContext("2d");
    context.drawImage(element, element.naturalWidth / 2, element.naturalHeight / 2, 1, 1, 0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3).map((value) => Math.round(value / 64));
  });
}

test("the name and the picture that somebody chooses are at their contact, and stay", async () => {
  const [romeo, juliet] = await there.pair("romeo", "juliet");
  await at(romeo.page, "#/settings/profile");
  await romeo.page.getByRole("textbox", { name: "Your name" }).fill("Romeo Montague");
  await romeo.page.getByRole("button", { name: "Save", exact: true }).click();
  await hears(romeo.page, "Your name is changed");
  await romeo.page.locator("input[type=file]").setInputFiles(await picture(romeo.page, "#00ff00"));
  await romeo.page.getByRole("dialog").getByRole("button", { name: "Use picture" }).click();
  await hears(romeo.page, "Your picture is changed");
  await becomes(() => colour(romeo.page.locator(".profile-picture .avatar-picture")), [0, 4, 0]);
  await romeo.accessible();

  // Her page of him, the list, and the head of the chat.
  const { page } = juliet;
  const shows = async () => {
    await at(page, "#/details/romeo%40localhost");
    const person = page.locator(".person");
    await person.getByText("Romeo Montague").waitFor();
    await person.getByText("romeo@localhost").waitFor();
    await becomes(() => colour(person.locator(".avatar-picture")), [0, 4, 0]);
    await open(page, "romeo@localhost");
    const head = page.locator(".chat-header");
    await head.getByText("Romeo Montague").waitFor();
    await becomes(() => colour(head.locator(".avatar-picture")), [0, 4, 0]);
    await at(page, "#/list");
    const line = page.getByRole("list", { name: "Chats" }).getByRole("link", { name: /Romeo Montague/ });
    await becomes(() => colour(line.locator(".avatar-picture")), [0, 4, 0]);
  };
  await shows();
  await juliet.picture("profile-of-a-contact");
  await page.reload();
  await shows();

  // Another one takes its place, and none is none. What was said before lies over the window's button for a while.
  await at(romeo.page, "#/settings/profile");
  // It stays as long as the pointer is on it, which is where the last press was.
  await romeo.page.mouse.move(1, 1);
  await romeo.page.locator(".toast").first().waitFor({ state: "detached" });
  await romeo.page.locator("input[type=file]").setInputFiles(await picture(romeo.page, "#0000ff"));
  await romeo.page.getByRole("dialog").getByRole("button", { name: "Use picture" }).click();
  await at(page, "#/details/romeo%40localhost");
  await eventually(page, () => document.querySelector(".person .avatar-picture") !== null);
  await becomes(() => colour(page.locator(".person .avatar-picture")), [0, 0, 4], "the new picture comes");
  await romeo.page.getByRole("button", { name: "Change picture" }).click();
  await romeo.page.getByRole("menuitem", { name: "Remove picture" }).click();
  await page.locator(".person .avatar-picture").waitFor({ state: "detached" });
  await page.locator(".person").getByText("Romeo Montague").waitFor();
  // The name is on what he writes as well.
  await open(romeo.page, "juliet@localhost");
  await write(romeo.page, "It is me");
  await open(page, "romeo@localhost");
  await sees(page, "It is me");
  await Promise.all([romeo.leave(), juliet.leave()]);
});
