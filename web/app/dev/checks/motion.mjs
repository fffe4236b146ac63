// With everything moving, as most people have it: what is opened, closed, sent and answered while something still moves.
// And without: for whoever wants less motion, nothing moves at all. (All other checks are done so.)

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { AT_ONCE, fingers, hears, held, lastPicture, middle, page, settled } from "./seat.mjs";

const ROMEO = "chat/romeo%40verona.example";
const LONG = "chat/bench%40anemone.example";
const MOVING = { motion: "no-preference" };

const button = (from, name) => from.getByRole("button", { name, exact: true });
const line = (on, name) => on.getByRole("list", { name: "Chats" }).getByRole("link", { name });
const message = (on, text) => on.locator("[data-message]").filter({ hasText: text }).last();
const until = (on, what, arg) => on.waitForFunction(what, arg);

/** Presses at once, where a click would wait until nothing moves. */
const at = (element) => element.dispatchEvent("click");

async function ready(on) {
  await on.locator("[data-message]").last().waitFor();
  await settled(on);
}

/** In a page: writes down the names of all animations that begin, and of properties that move. */
function noted() {
  globalThis.moved = new Set();
  for (const kind of ["animationstart", "transitionrun"]) {
    addEventListener(kind, (event) => globalThis.moved.add(event.animationName || event.propertyName), true);
  }
}
const moved = (on, name) => until(on, (name) => globalThis.moved.has(name), name);
/** The end of the conversation is in sight, and stays there. */
const atEnd = (on) =>
  until(on, () => {
    const box = document.querySelector(".timeline-box");
    return box.scrollHeight - box.scrollTop - box.clientHeight <= 1;
  });

describe("with motion", { concurrency: AT_ONCE }, () => {
  for (const size of ["phone", "desktop"]) {
    test(`a question is left while it comes, answered while it comes, and the focus goes back, on a ${size}`, async (t) => {
      const on = await page(t, { ...MOVING, size, route: "settings/account", init: noted });
      const opens = on.getByRole("button", { name: /Sign out/ });
      const dialog = on.getByRole("dialog");
      const focused = () => until(on, () => /Sign out/.test(document.activeElement?.textContent));
      for (let time = 0; time < 3; time += 1) {
        await opens.focus();
        await on.keyboard.press("Enter");
        await dialog.waitFor();
        await on.keyboard.press("Escape");
        await dialog.waitFor({ state: "detached" });
        await focused();
      }
      await moved(on, size === "phone" ? "dialog-up" : "dialog-in");
      await opens.click();
      await at(button(dialog, "Cancel"));
      await dialog.waitFor({ state: "detached" });
      await focused();
    });
  }

  test("a menu, what it opens, and the way back by keys", async (t) => {
    const on = await page(t, { ...MOVING, route: ROMEO, init: noted });
    await ready(on);
    await on.evaluate(() => [...document.querySelectorAll("[data-message]")].at(-1).focus());
    await on.keyboard.press("Enter");
    await on.getByRole("menuitem", { name: "Details" }).click();
    await moved(on, "menu-in");
    const dialog = on.getByRole("dialog");
    await dialog.waitFor();
    await on.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    await until(on, () => document.activeElement?.matches("[data-message]"));
    await on.keyboard.press("Enter");
    await on.getByRole("menuitem", { name: "Forward" }).click();
    await dialog.getByRole("checkbox", { name: /Nurse/ }).click();
    await button(dialog, "Send").click();
    await dialog.waitFor({ state: "detached" });
    await hears(on, "Forwarded to Nurse");
    await moved(on, "toast-in");
  });

  for (const size of ["phone", "desktop"]) {
    test(`what is sent one after the other stands at the end in its order, on a ${size}`, async (t) => {
      const on = await page(t, { ...MOVING, size, route: LONG, init: noted });
      await ready(on);
      const field = on.getByRole("textbox", { name: "Message" });
      const texts = ["First", "Second\nwith a line more", "Third", "Fourth", "Fifth"];
      for (const text of texts) {
        await field.fill(text);
        await button(on, "Send").click();
      }
      await moved(on, "send-in");
      await message(on, "Fifth").waitFor();
      await atEnd(on);
      await settled(on);
      const shown = await on.locator("[data-message] .bubble-own").allInnerTexts();
      const places = texts.map((text) => shown.findLastIndex((one) => one.includes(text.split("\n")[0])));
      assert.deepEqual(places, [...places].sort((a, b) => a - b));
      assert.ok(places[0] >= 0);
      assert.equal(await on.evaluate(() => document.activeElement.matches(".composer-text")), true);
      await message(on, "Fifth").evaluate((row) => {
        const { bottom } = row.getBoundingClientRect();
        if (bottom > document.querySelector(".timeline-box").getBoundingClientRect().bottom + 1) throw new Error(`it ends at ${bottom}`);
      });
    });
  }

  test("the arrow glides to the end, and whoever takes hold meanwhile stays where they are", async (t) => {
    const on = await page(t, { ...MOVING, route: LONG, init: noted });
    await ready(on);
    const up = async (by) => {
      await on.locator(".timeline-box").hover();
      await on.mouse.wheel(0, -by);
      await button(on, "Jump to the latest message").waitFor();
    };
    await up(900);
    await settled(on);
    // How many stations of it are drawn depends on the machine.
    await on.evaluate(() => {
      const box = document.querySelector(".timeline-box");
      const { scrollTo } = box;
      box.scrollTo = (...how) => {
        globalThis.glides ||= how[0].behavior === "smooth";
        scrollTo.apply(box, how);
      };
    });
    await button(on, "Jump to the latest message").click();
    await atEnd(on);
    assert.ok(await on.evaluate(() => globalThis.glides), "it glides");
    await button(on, "Jump to the latest message").waitFor({ state: "detached" });

    await up(1200);
    await settled(on);
    const held = await on.evaluate(async () => {
      const rows = () => [...document.querySelectorAll("[data-message]")];
      globalThis.standing = () => {
        const { top } = document.querySelector(".timeline-box").getBoundingClientRect();
        const row = rows().find((one) => one.dataset.message === globalThis.held) ?? rows().find((one) => one.getBoundingClientRect().top >= top);
        globalThis.held = row.dataset.message;
        return Math.round(row.getBoundingClientRect().top);
      };
      const box = document.querySelector(".timeline-box");
      document.querySelector(".timeline-leap").click();
      await new Promise((moves) => box.addEventListener("scroll", moves, { once: true }));
      box.dispatchEvent(new WheelEvent("wheel", { deltaY: -300, bubbles: true }));
      box.scrollTo({ top: box.scrollTop - 300, behavior: "instant" });
      await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
      return globalThis.standing();
    });
    await settled(on);
    const stands = await on.evaluate(() => globalThis.standing());
    // The row above it, of which a part is in sight, may get its height only now.
    assert.ok(Math.abs(stands - held) < 60, `${held} became ${stands}`);
    await button(on, "Jump to the latest message").waitFor();
  });

  test("a swipe follows the finger, springs back, and answers", async (t) => {
    const on = await page(t, { ...MOVING, size: "phone", route: ROMEO, init: noted });
    await ready(on);
    const touch = await fingers(on);
    const row = message(on, "Look out of your window!");
    const [x, y] = await middle(on, row.locator(".bubble-text").first());
    const way = (far) => Array.from({ length: far / 8 }, (_, step) => ["touchMove", x + 8 * (step + 1), y]);
    await touch(["touchStart", x, y], ...way(120));
    await until(on, () => parseFloat(document.querySelector(".message-line-swiped")?.style.translate) > 50);
    await touch(["touchEnd"]);
    await button(on, "Do not reply").waitFor();
    await moved(on, "translate");
    await until(on, () => document.querySelector(".message-line-swiped") === null && getComputedStyle([...document.querySelectorAll(".message-line")].at(-1)).translate.replace("none", "0px") === "0px");
    await on.getByRole("textbox", { name: "Message" }).fill("I am looking");
    await button(on, "Send").click();
    await message(on, "I am looking").waitFor();
    await button(on, "Do not reply").waitFor({ state: "detached" });
  });

  test("chats are opened and left while they still come in, on a phone", async (t) => {
    const on = await page(t, { ...MOVING, size: "phone", init: noted });
    for (const name of [/Nurse/, /Romeo/, /Nurse/]) {
      await line(on, name).click();
      await at(button(on, "Back to the list"));
      await until(on, () => location.hash === "#/list" && !document.querySelector(".pane-list").inert);
    }
    await moved(on, "pane-in");
    await line(on, /Romeo/).click();
    await ready(on);
    await atEnd(on);
    await until(on, () => !document.activeElement?.closest("[inert]") && document.activeElement !== document.body);
  });

  test("pictures are opened, turned and closed while they come", async (t) => {
    const on = await page(t, { ...MOVING, route: LONG, init: noted });
    await (await lastPicture(on, "bench@anemone.example")).click();
    const viewer = on.locator(".viewer");
    for (let turned = 0; turned < 3; turned += 1) await at(button(viewer, "Previous"));
    await on.keyboard.press("ArrowRight");
    await viewer.getByText("19 of 21").waitFor();
    await moved(on, "viewer-in");
    await on.keyboard.press("ArrowRight");
    await on.keyboard.press("Escape");
    await viewer.waitFor({ state: "detached" });
    await until(on, () => document.activeElement?.matches(".picture-open, [data-message]"));
  });
});

/** In a page: whatever is on the way to somewhere, and takes long enough to be seen. */
function unrest() {
  return document.getAnimations().flatMap((animation) => {
    const { target, pseudoElement } = animation.effect;
    const { duration, iterations } = animation.effect.getComputedTiming();
    // What turns for others fades here, and stays where it is.
    const properties = animation.effect.getKeyframes().flatMap((frame) => Object.keys(frame));
    const fades = properties.every((name) => ["opacity", "offset", "computedOffset", "easing", "composite"].includes(name));
    if (duration * iterations <= 10 || (fades && target.closest(".spinner"))) return [];
    return [`${animation.animationName ?? animation.transitionProperty} of ${target.className} ${pseudoElement ?? ""}: ${duration} ms`];
  });
}

/** In a page: the same of everything that is drawn, by its style; what moves by a pointer is there as well. */
function restless() {
  const milliseconds = (times) => times.split(", ").map((one) => parseFloat(one) * (one.endsWith("ms") ? 1 : 1000));
  const found = new Set();
  for (const element of document.querySelectorAll("body *")) {
    for (const part of [null, "::before", "::after", "::backdrop"]) {
      const style = getComputedStyle(element, part);
      const moves = style.transitionProperty === "none" ? [] : milliseconds(style.transitionDuration);
      const acts = style.animationName === "none" || element.closest(".spinner") ? [] : milliseconds(style.animationDuration);
      if (Math.max(0, ...moves, ...acts) > 10) found.add(`${element.className.baseVal ?? element.className}${part ?? ""}`);
    }
  }
  return [...found];
}

/** Where something would move, and what makes it. */
const MOVES = [
  ["a chat that comes in", { size: "phone" }, async (on) => line(on, /Romeo/).click(), ".pane-main [data-message]"],
  ["a dialog", { route: "settings/account" }, async (on) => on.getByRole("button", { name: /Sign out/ }).click(), "dialog[open]"],
  ["a menu", {}, async (on) => line(on, /Nurse/).click({ button: "right" }), "[role=menuitem]"],
  ["the way to the end", { route: LONG }, async (on) => {
    await ready(on);
    await on.evaluate(() => (document.querySelector(".timeline-box").scrollTop -= 1500));
  }, ".timeline-leap"],
  ["a picture", { route: LONG }, async (on) => (await lastPicture(on, "bench@anemone.example")).click(), ".viewer img"],
  ["a message that is looked for", { route: "starred", init: [held, 1_600] }, async (on) => on.getByText("nobody in between").first().click(), ".message-row-flash"],
  ["something sent", { route: ROMEO }, async (on) => {
    await on.getByRole("textbox", { name: "Message" }).fill("And nothing moves");
    await button(on, "Send").click();
  }, "text=And nothing moves"],
  ["a recording", { route: ROMEO }, async (on) => button(on, "Record a voice message").click(), ".recorder-dot"],
  ["the start", { query: "starting=" }, null, ".starting-list"],
];

describe("without motion", { concurrency: AT_ONCE }, () => {
  for (const [name, where, lead, seen] of MOVES) {
    test(name, async (t) => {
      const on = await page(t, where);
      await lead?.(on);
      await on.locator(seen).first().waitFor({ state: "attached" });
      assert.deepEqual(await on.evaluate(unrest), []);
      assert.deepEqual(await on.evaluate(restless), []);
    });
  }

  test("the arrow leads to the end at once", async (t) => {
    const on = await page(t, { route: LONG });
    await ready(on);
    await on.evaluate(() => (document.querySelector(".timeline-box").scrollTop -= 1500));
    await button(on, "Jump to the latest message").waitFor();
    await settled(on);
    const left = await on.evaluate(() => {
      const box = document.querySelector(".timeline-box");
      document.querySelector(".timeline-leap").click();
      return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(box.scrollHeight - box.scrollTop - box.clientHeight))));
    });
    assert.ok(left <= 1, `${left} pixels are left after a frame`);
  });

  test("what moves would be noticed", async (t) => {
    const on = await page(t, { ...MOVING, size: "phone" });
    await line(on, /Romeo/).click();
    await on.locator(".pane-main [data-message]").first().waitFor();
    assert.notDeepEqual(await on.evaluate(restless), []);
  });
});
