// Keys alone: the focus is never nowhere, on the sample.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { AT_ONCE, page, reused } from "./seat.mjs";

const ROMEO = "chat/romeo%40verona.example";
const button = (on, name) => on.getByRole("button", { name }).first();
/** Waits until the focus is on what the selector finds, with these words in it. */
const focused = (on, selector, words = "") =>
  on.waitForFunction(
    ([selector, words]) => {
      const one = document.activeElement;
      return one?.matches(selector) && `${one.textContent} ${one.getAttribute("aria-label")}`.includes(words);
    },
    [selector, words],
  );
const press = async (on, what, key = "Enter") => {
  await what.focus();
  await on.keyboard.press(key);
};
/** The last message with such a bubble has the focus. */
const onMessage = async (on, bubble = ".bubble") => {
  await on.locator(`[data-message] ${bubble}`).last().waitFor();
  await on.evaluate((bubble) => [...document.querySelectorAll("[data-message]")].findLast((row) => row.querySelector(bubble)).focus(), bubble);
};

describe("the focus", { concurrency: AT_ONCE }, () => {
  test("of requests that are answered one after the other", async (t) => {
    const on = await reused(t, { route: "requests" });
    await on.locator(".request").nth(1).waitFor();
    const many = await on.locator(".request").count();
    await press(on, on.locator(".request").first().getByRole("button", { name: "Refuse" }));
    for (let left = many - 1; left > 0; left -= 1) {
      await on.waitForFunction((left) => document.querySelectorAll(".request").length === left, left);
      await focused(on, ".request .button", "Refuse");
      await on.keyboard.press("Enter");
    }
    await on.locator(".request").first().waitFor({ state: "detached" });
    await focused(on, ".page-title", "Message requests");
  });

  test("of whom is unblocked, and of what cannot be sent", async (t) => {
    const on = await reused(t, { route: "settings/privacy" });
    await press(on, button(on, "Unblock"));
    await button(on, "Unblock").waitFor({ state: "detached" });
    await focused(on, ".page-title, .page *", "");

    await on.evaluate(() => (location.hash = "#/chat/ophelia%40elsinore.example"));
    await on.locator(".failure-button", { hasText: "Try again" }).last().waitFor();
    await press(on, on.locator(".failure-button", { hasText: "Try again" }).last());
    await on.locator(".failure-button", { hasText: "Try again" }).waitFor({ state: "detached" });
    await focused(on, ".chat *", "");
  });

  test("of a message that is deleted: the next has it, or the one before", async (t) => {
    const on = await reused(t, { route: ROMEO });
    await onMessage(on);
    const before = await on.evaluate(() => document.activeElement.previousElementSibling?.dataset.message);
    await on.keyboard.press("Enter");
    await press(on, on.getByRole("menuitem", { name: /Delete on this device/ }));
    const dialog = on.getByRole("dialog", { name: /Delete/ });
    await press(on, dialog.getByRole("button", { name: /^Delete/ }));
    await dialog.waitFor({ state: "detached" });
    await focused(on, `[data-message="${before}"]`);
  });

  test("reactions above the menu of a message are reached by arrows and by Tab", async (t) => {
    const on = await reused(t, { route: ROMEO });
    await onMessage(on);
    await on.keyboard.press("Enter");
    await focused(on, ".menu-item", "Reply");
    await on.keyboard.press("ArrowUp");
    await focused(on, ".react-emoji", "👍");
    await on.keyboard.press("ArrowDown");
    await focused(on, ".menu-item", "Reply");
    await on.keyboard.press("Tab");
    await focused(on, ".react-emoji", "👍");
    await on.keyboard.press("ArrowRight");
    await on.keyboard.press("Enter");
    await on.locator("[data-message]").last().locator(".reaction-own", { hasText: "❤️" }).waitFor();
    await focused(on, "[data-message]", "Look out of your window!");
  });

  test("stays on a button that is at work", async (t) => {
    const on = await page(t, { query: "signedOut=" });
    await button(on, "Sign in").click();
    await on.getByLabel("Address").fill("anna@anemone.example");
    await on.getByLabel("Password", { exact: true }).fill("right");
    await on.evaluate(() => {
      // An answer that does not come.
      globalThis.sample.request = () => (globalThis.asked = new Promise(() => {}));
    });
    await press(on, on.locator("button[type=submit]"));
    await on.waitForFunction(() => globalThis.asked && document.querySelector("button[aria-busy=true]"));
    await focused(on, "button[type=submit][aria-disabled=true]");
  });

  test("what was not sent is told to those who listen", async (t) => {
    const on = await reused(t, { route: ROMEO });
    await on.locator(".composer-text").fill("Will this arrive?");
    await on.keyboard.press("Enter");
    await on.locator(".bubble-own", { hasText: "Will this arrive?" }).waitFor();
    assert.equal(await on.getByRole("log").getByText(/Not sent/).count(), 0);
    await on.evaluate(() => {
      const address = "romeo@verona.example";
      const message = globalThis.store.window(address).messages.findLast(({ own }) => own);
      const delivery = { is: "failed", reason: "the server does not answer" };
      globalThis.tell({ is: "messages", address, messages: [{ ...message, delivery }] });
    });
    await on.getByRole("log").getByText(/Will this arrive\?.*Not sent/).waitFor();
  });
});
