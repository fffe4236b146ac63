// The conversation view on the sample: what it does when things change around the reader, and by keyboard.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { AT_ONCE, becomes, page, settled } from "./seat.mjs";

const ROMEO = "chat/romeo%40verona.example";
const LONG = "chat/bench%40anemone.example";

/** The first message that is wholly in sight, and where it is. */
const reading = (on) =>
  on.evaluate(() => {
    const box = document.querySelector(".timeline-box").getBoundingClientRect();
    const rows = [...document.querySelectorAll("[data-message]")];
    const row = rows.find((one) => one.getBoundingClientRect().top >= box.top);
    return { id: row.dataset.message, top: Math.round(row.getBoundingClientRect().top) };
  });
const topOf = (on, id) =>
  on.evaluate((id) => Math.round(document.querySelector(`[data-message="${id}"]`)?.getBoundingClientRect().top ?? NaN), id);
const fromEnd = (on) =>
  on.evaluate(() => {
    const list = document.querySelector(".timeline-box");
    return Math.round(list.scrollHeight - list.scrollTop - list.clientHeight);
  });
/** Scrolls a conversation that is there, and waits until its rows are drawn, which takes steps. */
async function scroll(on, by) {
  await on.locator("[data-message]").last().waitFor();
  await settled(on);
  await on.evaluate(async (by) => {
    document.querySelector(".timeline-box").scrollTop += by;
    for (let frame = 0; frame < 3; frame++) await new Promise((done) => requestAnimationFrame(done));
  }, by);
  await settled(on);
}
const until = (on, what, arg) => on.waitForFunction(what, arg);
const within = (a, b, slack, words) => assert.ok(Math.abs(a - b) <= slack, `${words}: ${a} and ${b}`);
const focused = (on, label) => until(on, (label) => document.activeElement?.getAttribute("aria-label")?.includes(label), label);
const composer = (on) => on.getByRole("textbox", { name: "Message" });
const go = (on, hash) =>
  on.evaluate((hash) => {
    location.hash = hash;
    dispatchEvent(new PopStateEvent("popstate"));
  }, hash);

describe("a conversation", { concurrency: AT_ONCE }, () => {
  test("older pages do not move the reader", async (t) => {
    const on = await page(t, { route: LONG });
    const count = () => globalThis.store.window("bench@anemone.example").messages.length;
    await until(on, () => globalThis.store.window("bench@anemone.example")?.messages.length >= 60);
    // Older pages come when the test says so.
    await on.evaluate(() => {
      const { core } = globalThis.store;
      const request = core.request.bind(core);
      const allowed = new Promise((allow) => (globalThis.allowOlder = allow));
      core.request = async (command) => {
        if (command.do === "older") {
          globalThis.olderWanted = true;
          await allowed;
        }
        return request(command);
      };
    });
    await scroll(on, -1200);
    await until(on, () => globalThis.olderWanted);
    const at = await reading(on);
    const before = await on.evaluate(count);
    await on.evaluate(() => globalThis.allowOlder());
    await until(on, (before) => globalThis.store.window("bench@anemone.example").messages.length > before + 50, before);
    await settled(on);
    within(await topOf(on, at.id), at.top, 2, "the message being read moved");
  });

  test("a window that changes its width does not move the reader", async (t) => {
    const on = await page(t, { route: LONG });
    await scroll(on, -1500);
    const at = await reading(on);
    await on.setViewportSize({ width: 760, height: 700 });
    await settled(on);
    within(await topOf(on, at.id), at.top, 3, "the message being read moved");
  });

  test("who is at the end stays there, who is not is told", async (t) => {
    const on = await page(t, { route: ROMEO });
    const answer = () =>
      on.evaluate(() => globalThis.store.ask({ do: "retry", message: globalThis.store.window("romeo@verona.example").messages.at(-1).id }));
    const count = () => on.evaluate(() => globalThis.store.window("romeo@verona.example").messages.length);
    const more = (than) => until(on, (n) => globalThis.store.window("romeo@verona.example").messages.length > n, than);
    await on.locator("[data-message]").last().waitFor();
    const first = await count();
    await answer();
    await more(first);
    await settled(on);
    within(await fromEnd(on), 0, 2, "not at the end");
    await scroll(on, -900);
    const at = await reading(on);
    const second = await count();
    await answer();
    await more(second);
    await settled(on);
    within(await topOf(on, at.id), at.top, 1, "the message being read moved");
    await on.getByRole("button", { name: "Jump to the latest message, one new" }).click();
    await until(on, () => {
      const list = document.querySelector(".timeline-box");
      return list.scrollHeight - list.scrollTop - list.clientHeight <= 2 && !document.querySelector(".timeline-leap");
    });
  });

  test("a picture that gets its size leaves the end at the end", async (t) => {
    const on = await page(t, { route: LONG });
    await on.locator("[data-message]").last().waitFor();
    await on.evaluate(async () => {
      const canvas = new OffscreenCanvas(300, 900);
      canvas.getContext("2d").fillRect(0, 0, 300, 900);
      const file = await globalThis.store.core.give(await canvas.convertToBlob());
      await globalThis.store.ask({
        do: "sendFile", to: "bench@anemone.example", file, name: "tall.png", size: 900, mediaType: "image/png", caption: null, picture: null,
      });
    });
    await on.locator(".picture-ready").last().waitFor();
    await settled(on);
    within(await fromEnd(on), 0, 2, "not at the end");
  });

  test("unread messages are read once they are seen, and their line stays", async (t) => {
    const on = await page(t, { route: ROMEO });
    await until(on, () => globalThis.store.conversation("romeo@verona.example")?.unread === 0);
    await on.getByText("3 unread messages", { exact: true }).waitFor();
    await composer(on).fill("On my way");
    await on.keyboard.press("Enter");
    await on.locator(".bubble-own", { hasText: "On my way" }).waitFor();
    assert.equal(await on.getByText("3 unread messages", { exact: true }).count(), 1);
  });

  test("nothing is read while nobody looks", async (t) => {
    const on = await page(t);
    await on.evaluate(() => {
      document.hasFocus = () => false;
      dispatchEvent(new Event("blur"));
    });
    await go(on, "#/chat/romeo%40verona.example");
    await on.getByText("Look out of your window!").last().waitFor();
    await settled(on);
    assert.equal(await on.evaluate(() => globalThis.store.conversation("romeo@verona.example").unread), 3);
    await on.evaluate(() => {
      document.hasFocus = () => true;
      dispatchEvent(new Event("focus"));
    });
    await until(on, () => globalThis.store.conversation("romeo@verona.example").unread === 0);
  });

  test("of many messages only those around the reader are in the page", async (t) => {
    const on = await page(t, { route: LONG });
    await on.locator("[data-message]").last().waitFor();
    const there = await on.evaluate(() => globalThis.store.window("bench@anemone.example").messages.at(-1).id);
    await on.evaluate((id) => {
      location.hash = `#/chat/bench%40anemone.example/${id - 5_000}`;
      dispatchEvent(new PopStateEvent("popstate"));
    }, there);
    let most = 0;
    for (let step = 0; step < 12; step++) {
      await scroll(on, step % 2 ? 4_000 : -9_000);
      most = Math.max(most, await on.locator("[data-message]").count());
    }
    assert.ok(most > 0 && most < 120, `${most} rows`);
  });

  test("a match far back is found and shown", async (t) => {
    const on = await page(t, { route: LONG });
    await composer(on).focus();
    await on.keyboard.press("Control+f");
    await on.keyboard.type("1234:");
    await until(on, () => {
      const box = document.querySelector(".timeline-box").getBoundingClientRect();
      const found = document.querySelector(".bubble mark")?.closest(".bubble").getBoundingClientRect();
      // Each letter finds something.
      const whole = document.querySelector(".bubble mark")?.textContent === "1234:";
      return whole && found.top > box.top && found.bottom < box.bottom;
    });
  });

  test("everything by keyboard", async (t) => {
    const on = await page(t, { route: ROMEO });
    await on.locator("[data-message]").last().waitFor();
    await on.locator(".timeline-box").focus();
    await on.keyboard.press("ArrowUp");
    await focused(on, "Look out of your window!");
    await on.keyboard.press("ArrowUp");
    await focused(on, "🌹");
    for (let step = 0; step < 14; step++) {
      await on.keyboard.press("ArrowUp");
      await settled(on);
    }
    const seen = await on.evaluate(() => {
      const row = document.activeElement.getBoundingClientRect();
      const box = document.querySelector(".timeline-box").getBoundingClientRect();
      return row.top >= box.top && row.bottom <= box.bottom + 1;
    });
    assert.ok(seen, "the message with the focus is in sight");
    await on.keyboard.press("End");
    await focused(on, "Look out of your window!");
    await on.keyboard.press("Enter");
    await on.getByRole("menuitem", { name: "Reply" }).waitFor();
    await on.keyboard.press("Escape");
    await focused(on, "Look out of your window!");
    await on.keyboard.press("r");
    await focused(on, "message");
    await on.keyboard.type("I come!");
    await on.keyboard.press("Enter");
    await on.locator(".bubble-own .quote", { hasText: "Look out" }).waitFor();
    await on.keyboard.press("ArrowUp");
    await until(on, () => document.activeElement?.value === "I come!");
    await on.keyboard.press("End");
    await on.keyboard.type("!");
    await on.keyboard.press("Enter");
    await on.locator(".bubble-own", { hasText: "I come!!" }).getByRole("button", { name: "edited" }).waitFor();
  });

  test("a draft stays with its conversation", async (t) => {
    const on = await page(t, { route: ROMEO });
    await composer(on).fill("half a thought");
    await go(on, "#/chat/nurse%40anemone.example");
    await on.getByText("By and by, I come!").last().waitFor();
    await becomes(() => composer(on).inputValue(), "");
    await go(on, "#/chat/romeo%40verona.example");
    await on.getByText("Look out of your window!").last().waitFor();
    await becomes(() => composer(on).inputValue(), "half a thought");
  });

  for (const size of ["phone", "desktop"]) {
    test(`hostile messages stay in their bubbles on a ${size}`, async (t) => {
      const on = await page(t, { size, route: "chat/hostile%40elsinore.example" });
      await on.locator("[data-message]").last().waitFor();
      for (let at = 0; at < 8; at++) {
        await settled(on);
        const broken = await on.evaluate(() => {
          const box = document.querySelector(".timeline-box");
          const outer = box.getBoundingClientRect();
          const wide = [...document.querySelectorAll(".bubble")].filter((one) => {
            const { left, right } = one.getBoundingClientRect();
            return left < outer.left || right > outer.right;
          });
          const live = document.querySelectorAll(".bubble img, .bubble script, .bubble a[href^='javascript']");
          return [box.scrollWidth > box.clientWidth, wide.length, live.length];
        });
        assert.deepEqual(broken, [false, 0, 0]);
        await scroll(on, -500);
      }
    });
  }

  test("a picture that another app shared is sent without what the camera noted in it", async (t) => {
    const on = await page(t);
    await on.evaluate(async () => {
      const canvas = new OffscreenCanvas(64, 48);
      canvas.getContext("2d").fillRect(0, 0, 64, 48);
      const drawn = new Uint8Array(await (await canvas.convertToBlob({ type: "image/jpeg" })).arrayBuffer());
      // As a camera writes it: a segment of its own behind the first two bytes.
      const noted = new TextEncoder().encode("Exif\0\0GPS-CANARY");
      const length = noted.length + 2;
      const segment = new Uint8Array([0xff, 0xe1, length >> 8, length & 255, ...noted]);
      const picture = new File([drawn.slice(0, 2), segment, drawn.slice(2)], "balcony.jpg", { type: "image/jpeg" });
      const cache = await caches.open("clownfish-shared");
      await cache.put("/share/1/text", new Response("Look"));
      const headers = { "content-type": picture.type, "x-name": encodeURIComponent(picture.name) };
      await cache.put("/share/1/0", new Response(picture, { headers }));
      const { core } = globalThis.store;
      const give = core.give.bind(core);
      core.give = async (file) => {
        globalThis.given = await file.text();
        return give(file);
      };
    });
    await go(on, "#/share");
    await on.getByRole("button", { name: "Romeo" }).first().click();
    // It is looked at first: nothing is sent, and nothing is lost if the page is loaded again.
    await on.locator(".tray-item").waitFor();
    await becomes(() => composer(on).or(on.getByRole("textbox", { name: "Add a caption" })).inputValue(), "Look");
    const waits = () =>
      on.evaluate(async () => (await (await caches.open("clownfish-shared")).keys()).map(({ url }) => new URL(url).pathname));
    // The words are a draft by now, and need not wait as well.
    await becomes(waits, ["/share/1/0"]);
    // What is shared meanwhile is another share.
    await on.evaluate(async () => (await caches.open("clownfish-shared")).put("/share/2/text", new Response("And this")));
    await on.getByRole("button", { name: "Send", exact: true }).click();
    await on.waitForFunction(() => globalThis.given !== undefined);
    const given = await on.evaluate(() => globalThis.given);
    assert.ok(given.length > 100 && !given.includes("GPS-CANARY"), "what the camera noted is gone");
    await becomes(waits, ["/share/2/text"]);
  });

  test("what is recorded waits while another conversation is on screen", async (t) => {
    const on = await page(t, { route: ROMEO });
    await on.locator("[data-message]").last().waitFor();
    await on.getByRole("button", { name: "Record a voice message" }).click();
    await on.getByRole("button", { name: "Pause", disabled: false }).waitFor();
    await go(on, "#/chat/nurse%40anemone.example");
    await on.getByText("By and by, I come!").last().waitFor();
    await on.getByRole("button", { name: "Record a voice message" }).waitFor();
    await go(on, "#/chat/romeo%40verona.example");
    await on.getByRole("button", { name: "Continue recording" }).waitFor();
    await on.getByRole("button", { name: "Discard the recording" }).click();
    await composer(on).waitFor();
  });

  test("a transfer that is cancelled ends where it is shown, and can be begun again", async (t) => {
    const on = await page(t, { route: "chat/viola%40illyria.example" });
    await on.getByRole("button", { name: /five-acts/ }).click();
    await on.getByRole("button", { name: "Cancel the transfer" }).click();
    await on.getByRole("button", { name: /five-acts/ }).waitFor();
  });

  test("a message with a star is found again, and shown where it stands", async (t) => {
    const on = await page(t, { route: ROMEO });
    const last = on.locator("[data-message]").filter({ hasText: "And do not be late" }).last();
    await last.click({ button: "right" });
    await on.getByRole("menuitem", { name: "Star", exact: true }).click();
    await last.getByTitle("Starred").waitFor();
    await on.getByRole("button", { name: "More", exact: true }).first().click();
    await on.getByRole("menuitem", { name: "Starred messages" }).click();
    const lines = on.locator(".starred-line");
    await lines.filter({ hasText: "soul of lead" }).waitFor();
    await becomes(() => lines.count(), 4);
    await lines.filter({ hasText: "nobody in between" }).getByRole("button").first().click();
    await on.locator("[data-message]").filter({ hasText: "nobody in between" }).waitFor();
    await go(on, "#/starred/romeo%40verona.example");
    await lines.filter({ hasText: "And do not be late" }).getByRole("button", { name: "Remove star" }).click();
    await lines.filter({ hasText: "And do not be late" }).waitFor({ state: "detached" });
    await becomes(() => lines.count(), 2);
  });
});
