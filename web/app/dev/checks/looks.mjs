// How the page looks, on the sample: screens held against the pictures of them in docs/screenshots/web. UPDATE=1
// writes these anew; look at them before they are kept.

import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";

import { AT_ONCE, page, settled } from "./seat.mjs";

const ROOT = new URL("../../../../", import.meta.url).pathname;
const KEPT = join(ROOT, "docs/screenshots/web");
/** What the screens of this run are like. */
const TAKEN = join(ROOT, "target/web-pictures");

/** The sample's times count from here, so that its pictures are the same on every day. */
const NOW = "2026-11-28T17:24:00Z";

/** The share of pixels that may differ visibly: two kinds of rounding, not two kinds of page. */
const TOLERANCE = 0.005;

/** Name of the picture, where it is taken, and what is there when the screen is whole. */
const SCREENS = [
  ["list-phone", { size: "phone" }, "list", ".list-scroll [role=listitem], .conversation"],
  ["chat-phone", { size: "phone" }, "chat/romeo%40verona.example", "[data-message]"],
  ["chat-desktop", {}, "chat/romeo%40verona.example", "[data-message]"],
  ["chat-dark-desktop", { theme: "dark" }, "chat/romeo%40verona.example", "[data-message]"],
  ["room-phone", { size: "phone" }, "chat/masque%40conference.anemone.example", "[data-message]"],
  ["chat-rtl-phone", { size: "phone", query: "dir=rtl&lang=de" }, "chat/scheherazade%40tales.example", "[data-message]"],
  ["details-desktop", {}, "details/romeo%40verona.example", ".device-press"],
  ["welcome-phone", { size: "phone", query: "signedOut" }, "list", "main"],
];

describe("the looks", { concurrency: AT_ONCE }, () => {
  for (const [name, how, route, seen] of SCREENS) {
    test(name, async (t) => {
      const on = await page(t, { ...how, route, now: NOW, init: answered });
      await on.locator(seen).first().waitFor();
      const taken = await picture(on);
      await mkdir(TAKEN, { recursive: true });
      await writeFile(join(TAKEN, `${name}.png`), taken);
      const path = join(KEPT, `${name}.png`);
      if (process.env.UPDATE) {
        await mkdir(KEPT, { recursive: true });
        return writeFile(path, taken);
      }
      const share = await difference(on, await readFile(path), taken);
      assert.ok(share < TOLERANCE, `${(share * 100).toFixed(2)} % differs: ${join(TAKEN, name)}.png is new, ${path} was`);
    });
  }

  test("a page with nothing on it, or a bubble less, would be noticed", async (t) => {
    const on = await page(t, { size: "phone", route: "chat/romeo%40verona.example", now: NOW });
    await on.locator("[data-message]").first().waitFor();
    const whole = await picture(on);
    assert.ok((await difference(on, whole, await picture(on))) < TOLERANCE, "twice the same");
    await on.locator(".bubble-own").last().evaluate((bubble) => (bubble.style.visibility = "hidden"));
    assert.ok((await difference(on, whole, await picture(on))) > TOLERANCE, "a bubble less");
    await on.evaluate(() => document.body.replaceChildren());
    assert.ok((await difference(on, whole, await picture(on))) > 2 * TOLERANCE, "nothing at all");
  });
});

/** Whether to be notified was asked before: the question would be in every picture of the list. */
function answered() {
  localStorage.setItem("clownfish:settings", JSON.stringify({ notifyAsked: true }));
}

/** The screen, once it is the same twice in a row: portraits come by themselves. */
async function picture(on) {
  await on.evaluate(() => document.fonts.ready);
  let before = null;
  for (;;) {
    await settled(on);
    await on.waitForFunction(() => [...document.images].every((image) => image.complete));
    const taken = await on.screenshot({ animations: "disabled", caret: "hide", scale: "css" });
    if (before?.equals(taken)) return taken;
    before = taken;
  }
}

/** The share of pixels that differ visibly between two PNGs; 1 when their sizes differ. */
async function difference(on, one, other) {
  const blank = await on.context().newPage();
  try {
    return await blank.evaluate(
      async (pictures) => {
        const [a, b] = await Promise.all(
          pictures.map(async (base64) => {
            const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
            const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
            const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
            context.drawImage(bitmap, 0, 0);
            return context.getImageData(0, 0, bitmap.width, bitmap.height);
          }),
        );
        if (a.width !== b.width || a.height !== b.height) return 1;
        let different = 0;
        for (let at = 0; at < a.data.length; at += 4) {
          if ([0, 1, 2].some((part) => Math.abs(a.data[at + part] - b.data[at + part]) > 12)) different += 1;
        }
        return different / (a.data.length / 4);
      },
      [one.toString("base64"), other.toString("base64")],
    );
  } finally {
    await blank.close();
  }
}
