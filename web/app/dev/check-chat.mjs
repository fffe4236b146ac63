// Checks the conversation view on the sample, in Chromium:  node dev/check-chat.mjs [NAME…]
// What it does when things change around the reader, by keyboard, and whether axe finds anything.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { serve } from "./serve.mjs";
import { launch, open } from "./shot.mjs";

const ROMEO = "chat/romeo%40verona.example";
const LONG = "chat/bench%40anemone.example";
const AXE = readFileSync(fileURLToPath(import.meta.resolve("axe-core/axe.min.js")), "utf8");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

/** The first message that is wholly in sight, and where it is. */
const reading = (page) =>
  page.evaluate(() => {
    const box = document.querySelector(".timeline-box").getBoundingClientRect();
    const rows = [...document.querySelectorAll("[data-message]")];
    const row = rows.find((one) => one.getBoundingClientRect().top >= box.top);
    return { id: row.dataset.message, top: Math.round(row.getBoundingClientRect().top) };
  });
const topOf = (page, id) =>
  page.evaluate((id) => Math.round(document.querySelector(`[data-message="${id}"]`)?.getBoundingClientRect().top ?? NaN), id);
const fromEnd = (page) =>
  page.evaluate(() => {
    const list = document.querySelector(".timeline-box");
    return Math.round(list.scrollHeight - list.scrollTop - list.clientHeight);
  });
const scroll = async (page, by) => {
  await page.locator("[data-message]").last().waitFor();
  await page.evaluate((by) => (document.querySelector(".timeline-box").scrollTop += by), by);
};
const until = (page, what, arg) => page.waitForFunction(what, arg, { timeout: 10_000 });
const within = (a, b, slack, words) => assert.ok(Math.abs(a - b) <= slack, `${words}: ${a} and ${b}`);

const CHECKS = {
  "older pages do not move the reader": [LONG, async (page) => {
    await until(page, () => window.store.window("bench@anemone.example").messages.length >= 60);
    const before = await page.evaluate(() => window.store.window("bench@anemone.example").messages.length);
    await scroll(page, -1200);
    await page.waitForTimeout(50);
    const at = await reading(page);
    await until(page, (before) => window.store.window("bench@anemone.example").messages.length > before + 50, before);
    await page.waitForTimeout(200);
    within(await topOf(page, at.id), at.top, 2, "the message being read moved");
  }],
  "a window that changes its width does not move the reader": [LONG, async (page) => {
    await page.waitForTimeout(600);
    await scroll(page, -1500);
    await page.waitForTimeout(400);
    const at = await reading(page);
    await page.setViewportSize({ width: 760, height: 700 });
    await page.waitForTimeout(400);
    within(await topOf(page, at.id), at.top, 3, "the message being read moved");
  }],
  "who is at the end stays there, who is not is told": [ROMEO, async (page) => {
    const answer = () => page.evaluate(() => window.store.ask({ do: "retry", message: window.store.window("romeo@verona.example").messages.at(-1).id }));
    const count = () => page.evaluate(() => window.store.window("romeo@verona.example").messages.length);
    const first = await count();
    await answer();
    await until(page, (n) => window.store.window("romeo@verona.example").messages.length > n, first);
    await page.waitForTimeout(300);
    within(await fromEnd(page), 0, 2, "not at the end");
    await scroll(page, -900);
    await page.waitForTimeout(100);
    const at = await reading(page);
    const second = await count();
    await answer();
    await until(page, (n) => window.store.window("romeo@verona.example").messages.length > n, second);
    await page.waitForTimeout(300);
    within(await topOf(page, at.id), at.top, 1, "the message being read moved");
    const button = page.getByRole("button", { name: "Jump to the latest message, one new" });
    await button.click();
    await until(page, () => {
      const list = document.querySelector(".timeline-box");
      return list.scrollHeight - list.scrollTop - list.clientHeight <= 2 && !document.querySelector(".timeline-latest");
    });
  }],
  "a picture that gets its size leaves the end at the end": [LONG, async (page) => {
    await page.evaluate(async () => {
      const canvas = new OffscreenCanvas(300, 900);
      canvas.getContext("2d").fillRect(0, 0, 300, 900);
      const file = await window.store.core.give(await canvas.convertToBlob());
      await window.store.ask({ do: "sendFile", to: "bench@anemone.example", file, name: "tall.png", size: 900, mediaType: "image/png", caption: null });
    });
    await until(page, () => document.querySelector(".picture-ready"));
    await page.waitForTimeout(300);
    within(await fromEnd(page), 0, 2, "not at the end");
  }],
  "unread messages are read once they are seen, and their line stays": [ROMEO, async (page) => {
    await until(page, () => window.store.conversation("romeo@verona.example").unread === 0);
    await page.getByText("Unread messages", { exact: true }).waitFor();
    await page.locator(".composer-text").fill("On my way");
    await page.keyboard.press("Enter");
    await page.waitForTimeout(300);
    assert.equal(await page.getByText("Unread messages", { exact: true }).count(), 1);
  }],
  "nothing is read while nobody looks": ["list", async (page) => {
    await page.evaluate(() => {
      document.hasFocus = () => false;
      dispatchEvent(new Event("blur"));
      location.hash = "#/chat/romeo%40verona.example";
      dispatchEvent(new PopStateEvent("popstate"));
    });
    await page.getByText("Look out of your window!").last().waitFor();
    await page.waitForTimeout(800);
    assert.equal(await page.evaluate(() => window.store.conversation("romeo@verona.example").unread), 3);
    await page.evaluate(() => {
      document.hasFocus = () => true;
      dispatchEvent(new Event("focus"));
    });
    await until(page, () => window.store.conversation("romeo@verona.example").unread === 0);
  }],
  "a match far back is found and shown": [LONG, async (page) => {
    await page.locator(".composer-text").focus();
    await page.keyboard.press("Control+f");
    await page.keyboard.type("1234:");
    await until(page, () => document.querySelector(".message-row-flash mark"));
    const box = await page.locator(".timeline-box").boundingBox();
    const found = await page.locator(".message-row-flash .bubble").boundingBox();
    assert.ok(found.y > box.y && found.y + found.height < box.y + box.height, "the match is in sight");
  }],
  "everything by keyboard": [ROMEO, async (page) => {
    const focused = () => page.evaluate(() => document.activeElement?.getAttribute("aria-label") ?? "");
    await page.locator(".timeline-box").focus();
    await page.keyboard.press("ArrowUp");
    await page.waitForTimeout(100);
    assert.match(await focused(), /^Romeo, .*Look out of your window!/);
    await page.keyboard.press("ArrowUp");
    await page.waitForTimeout(100);
    assert.match(await focused(), /🌹/u);
    for (let step = 0; step < 14; step++) {
      await page.keyboard.press("ArrowUp");
      await page.waitForTimeout(40);
    }
    const seen = await page.evaluate(() => {
      const row = document.activeElement.getBoundingClientRect();
      const box = document.querySelector(".timeline-box").getBoundingClientRect();
      return row.top >= box.top && row.bottom <= box.bottom + 1;
    });
    assert.ok(seen, "the message with the focus is in sight");
    await page.keyboard.press("End");
    await page.waitForTimeout(150);
    assert.match(await focused(), /Look out of your window!/);
    await page.keyboard.press("Enter");
    await page.getByRole("menuitem", { name: "Reply" }).waitFor();
    await page.keyboard.press("Escape");
    await page.waitForTimeout(150);
    assert.match(await focused(), /Look out of your window!/, "the focus is back");
    await page.keyboard.press("r");
    await page.waitForTimeout(100);
    assert.equal(await focused(), "Message");
    await page.keyboard.type("I come!");
    await page.keyboard.press("Enter");
    await page.locator(".bubble-own .quote", { hasText: "Look out" }).waitFor();
    await page.keyboard.press("ArrowUp");
    await page.waitForTimeout(100);
    assert.equal(await page.locator(".composer-text").inputValue(), "I come!");
    await page.keyboard.press("End");
    await page.keyboard.type("!");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "edited" }).last().waitFor();
  }],
  "a draft stays with its conversation": [ROMEO, async (page) => {
    await page.locator(".composer-text").fill("half a thought");
    await page.evaluate(() => {
      location.hash = "#/chat/nurse%40anemone.example";
      dispatchEvent(new PopStateEvent("popstate"));
    });
    await page.getByText("By and by, I come!").last().waitFor();
    assert.equal(await page.locator(".composer-text").inputValue(), "");
    await page.evaluate(() => {
      location.hash = "#/chat/romeo%40verona.example";
      dispatchEvent(new PopStateEvent("popstate"));
    });
    await page.getByText("Look out of your window!").last().waitFor();
    assert.equal(await page.locator(".composer-text").inputValue(), "half a thought");
  }],
  "hostile messages stay in their bubbles": ["chat/hostile%40elsinore.example", async (page) => {
    for (let at = 0; at < 12; at++) {
      const broken = await page.evaluate(() => {
        const box = document.querySelector(".timeline-box");
        const wide = [...document.querySelectorAll(".bubble")].filter((one) => {
          const { left, right } = one.getBoundingClientRect();
          const outer = box.getBoundingClientRect();
          return left < outer.left || right > outer.right;
        });
        return [box.scrollWidth > box.clientWidth, wide.length, document.querySelectorAll(".bubble img, .bubble a[href^='javascript']").length];
      });
      assert.deepEqual(broken, [false, 0, 0]);
      await scroll(page, -500);
      await page.waitForTimeout(60);
    }
  }],
};

/** States of the view that axe looks at. */
const STATES = {
  conversation: [ROMEO, async () => {}],
  "further up": [ROMEO, async (page) => scroll(page, -800)],
  hostile: ["chat/hostile%40elsinore.example", async (page) => scroll(page, -900)],
  failed: ["chat/ophelia%40elsinore.example", async (page) => page.locator(".composer-text").fill("x")],
  plain: ["chat/horatio%40elsinore.example", async () => {}],
  menu: [ROMEO, async (page) => act(page)],
  details: [ROMEO, async (page) => act(page, "Details")],
  forward: [ROMEO, async (page) => act(page, "Forward")],
  remove: [ROMEO, async (page) => act(page, "Delete")],
  select: [ROMEO, async (page) => act(page, "Select")],
  reply: [ROMEO, async (page) => act(page, "Reply")],
  readers: [ROMEO, async (page) => page.locator(".chat-lock").click()],
  emoji: [ROMEO, async (page) => {
    await page.locator(".composer-emoji").click();
    await page.locator(".picker-emoji").first().waitFor();
  }],
  viewer: [ROMEO, async (page) => {
    await scroll(page, -1300);
    await page.locator(".picture-open").first().click();
  }],
  files: [ROMEO, async (page) => page.locator(".composer-file").last().setInputFiles([
    { name: "a.png", mimeType: "image/png", buffer: Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==", "base64") },
    { name: "b.pdf", mimeType: "application/pdf", buffer: Buffer.from("%PDF-") },
  ])],
};

async function act(page, name) {
  await page.locator("[data-message]").last().waitFor();
  await page.evaluate(() => [...document.querySelectorAll("[data-message]")].findLast((row) => row.querySelector(".bubble-own")).focus());
  await page.keyboard.press("Enter");
  await page.getByRole("menuitem").first().waitFor();
  if (name) await page.getByRole("menuitem", { name }).click();
}

async function axe(browser, url, size, theme, [route, prepare]) {
  const { context, page } = await open(browser, url, { size, theme, route });
  try {
    await prepare(page);
    await page.waitForTimeout(1_300); // What glides has arrived.
    await page.evaluate(AXE);
    const { violations } = await page.evaluate((runOnly) => window.axe.run(document, { runOnly }), RULES);
    return violations.map((one) => `${one.help}: ${one.nodes.map((node) => node.target.join(" ")).join(", ")}`);
  } finally {
    await context.close();
  }
}

const wanted = process.argv.slice(2);
const chosen = (name) => wanted.length === 0 || wanted.some((part) => name.includes(part));
const server = await serve();
const browser = await launch();
let failed = 0;
const report = (name, problems) => {
  failed += problems.length > 0 ? 1 : 0;
  console.log(`${problems.length > 0 ? "✖" : "✔"} ${name}`);
  for (const one of problems) console.log(`    ${one}`);
};
try {
  for (const [name, [route, check]] of Object.entries(CHECKS).filter(([name]) => chosen(name))) {
    const { context, page } = await open(browser, server.url, { size: "desktop", route });
    await check(page).then(() => report(name, []), (error) => report(name, [String(error.message ?? error)]));
    await context.close();
  }
  for (const [state, how] of Object.entries(STATES)) {
    const name = `axe: ${state}`;
    if (!chosen(name)) continue;
    const problems = [];
    for (const size of ["phone", "desktop"]) {
      for (const theme of ["light", "dark"]) {
        const found = await axe(browser, server.url, size, theme, how).catch((error) => [String(error.message ?? error)]);
        problems.push(...found.map((one) => `${size}, ${theme}: ${one}`));
      }
    }
    report(name, problems);
  }
} finally {
  await browser.close();
  await server.stop();
}
process.exitCode = failed > 0 ? 1 : 0;
