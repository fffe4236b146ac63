// What somebody does in the app, in the words that are on its buttons.

import assert from "node:assert/strict";

import { PATIENCE } from "./harness.mjs";

const patience = { timeout: PATIENCE };

/** Goes through an invitation's page to the first screen of the app. */
export async function arrive(person, link) {
  const { page } = person;
  await page.goto(link);
  await page.getByRole("link", { name: "Continue in the browser" }).click({ noWaitAfter: true });
  await page.getByRole("textbox", { name: "Your name" }).waitFor();
}

/** The link of an invitation that somebody makes in the app. */
export async function invitation({ page }) {
  await page.evaluate(() => {
    location.hash = "#/settings/invite";
  });
  await page.getByRole("button", { name: "Make an invitation" }).click();
  const link = page.getByText(/http:\/\/localhost:\d+\/invite\//).first();
  return /http:\S+/.exec(await link.textContent())[0];
}

/** Makes the account of an invitation that the page shows; ends in the app. */
export async function register(person, name) {
  const { page } = person;
  await page.getByRole("textbox", { name: "Your name" }).fill(name);
  const password = await page.getByRole("textbox", { name: "Password" }).inputValue();
  assert.ok(password.length >= 12, "a strong password is made");
  await page.getByRole("button", { name: /^Start chatting/ }).click();
  await inside(page);
  return password;
}

/** Logs in with an account that is there already. */
export async function signIn(person, url, address, password) {
  const { page } = person;
  await page.goto(url);
  await page.getByRole("button", { name: "Sign in" }).first().click();
  await page.getByRole("textbox", { name: "Address" }).fill(address);
  await page.getByRole("textbox", { name: "Password" }).fill(password);
  await page.getByRole("button", { name: "Sign in" }).last().click();
  await inside(page);
}

/** Somebody is logged in, and the app is at rest. */
export async function inside(page) {
  await page.locator(".app").waitFor(patience);
}

/** Opens a conversation by its address. */
export async function open(page, address) {
  await page.evaluate((hash) => {
    location.hash = hash;
  }, `#/chat/${encodeURIComponent(address)}`);
  await composer(page).waitFor(patience);
}

export function composer(page) {
  return page.getByRole("textbox", { name: "Message" });
}

export async function write(page, text) {
  await composer(page).fill(text);
  await page.getByRole("button", { name: "Send", exact: true }).click();
}

/** The bubble of a message that holds this text. */
export function message(page, text) {
  return page.locator("[data-message]").filter({ hasText: text }).last();
}

export async function sees(page, text) {
  await message(page, text).waitFor(patience);
}

/** The text is shown, and was encrypted. */
export async function seesEncrypted(page, text) {
  await sees(page, text);
  assert.equal(await message(page, text).getByText("not encrypted").count(), 0, `“${text}” is encrypted`);
}

/** An own message has got as far as this: sent, delivered, read. */
export async function ticks(page, text, name) {
  await message(page, text).getByLabel(name).or(message(page, text).getByTitle(name)).first().waitFor(patience);
}

/** Begins a conversation with an address, as somebody does who has got it from whom it is. */
export async function begin(page, address) {
  await page.evaluate(() => {
    location.hash = "#/add";
  });
  await page.getByLabel("Address or link").fill(address);
  await page.getByRole("button", { name: "Start chatting" }).click();
  await composer(page).waitFor(patience);
}

/** What a page shows of devices: of an account, or of a person. */
export const devices = (page) => page.locator(".devices").getByRole("listitem");

/**
 * Waits until somebody knows so many devices of an address: nobody encrypts for one whose list has not
 * reached them. Ends in the conversation.
 */
export async function knows({ page }, address, count = 1) {
  await page.evaluate((hash) => {
    location.hash = hash;
  }, `#/details/${encodeURIComponent(address)}`);
  await devices(page).nth(count - 1).waitFor(patience);
  await open(page, address);
}

/** They become contacts: the first one asks, the other accepts. Ends with both in their conversation, knowing
 * for which device to encrypt. */
export async function befriend(asking, asked, addresses) {
  await begin(asking.page, addresses.asked);
  await asked.page.evaluate(() => {
    location.hash = "#/requests";
  });
  const request = asked.page.getByRole("listitem").filter({ hasText: addresses.asking });
  await request.getByRole("button", { name: "Accept" }).click();
  await composer(asked.page).waitFor(patience);
  await knows(asking, addresses.asked);
  await knows(asked, addresses.asking);
}
