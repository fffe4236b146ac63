// From right to left, and in German: nothing is wider than a phone, and what shows a direction shows the other one.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { AT_ONCE, page, settled } from "./seat.mjs";

/** Where, and what is seen there. */
const PLACES = [
  ["list", ".list-scroll"],
  ["chat/romeo%40verona.example", "[data-message]"],
  ["chat/hostile%40elsinore.example", "[data-message]"],
  ["chat/cordelia%40britain.example", ".honest"],
  ["details/romeo%40verona.example", ".device-press"],
  ["settings/appearance", ".choice"],
  ["starred", ".starred-line"],
];

describe("from right to left", { concurrency: AT_ONCE }, () => {
  for (const [route, seen] of PLACES) {
    test(route, async (t) => {
      const on = await page(t, { size: "phone", query: "dir=rtl&lang=de", route });
      await on.locator(seen).first().waitFor();
      await settled(on);
      const { dir, lang, wide } = await on.evaluate(() => {
        const { dir, lang, scrollWidth } = document.documentElement;
        return { dir, lang, wide: scrollWidth - innerWidth };
      });
      assert.deepEqual([dir, lang], ["rtl", "de"]);
      assert.ok(wide <= 0, `${wide} pixels too wide`);
    });
  }

  test("the bar of a sound that plays elsewhere", async (t) => {
    const on = await page(t, { size: "phone", query: "dir=rtl&lang=de", route: "chat/romeo%40verona.example" });
    const voice = on.getByRole("group", { name: /^Sprachnachricht/ });
    await voice.getByRole("button", { name: "Abspielen" }).click();
    await on.evaluate(() => {
      location.hash = "#/list";
    });
    const bar = on.getByRole("region", { name: "Wiedergabe" });
    await bar.getByRole("button", { name: /^Du.*Sprachnachricht.*Nachricht zeigen$/ }).waitFor();
    const [plays, ends] = await Promise.all(["Pause", "Wiedergabe beenden"].map((name) => bar.getByRole("button", { name }).boundingBox()));
    assert.ok(plays.x > ends.x && ends.x >= 0 && plays.x + plays.width <= 390, `${JSON.stringify(plays)} ${JSON.stringify(ends)}`);
  });

  test("own messages stand at the other side, and the way back points there", async (t) => {
    const on = await page(t, { size: "phone", query: "dir=rtl&lang=de", route: "chat/romeo%40verona.example" });
    await on.locator(".bubble-own").last().waitFor();
    await settled(on);
    const own = await on.locator(".bubble-own").last().boundingBox();
    const other = await on.locator(".bubble-other").last().boundingBox();
    assert.ok(own && other && own.x < other.x + other.width - own.width, "own ones are on the left");
    const back = await on.locator(".chat-header .icon-button").first().boundingBox();
    assert.ok(back && back.x > 195, "the way back is on the right");
  });
});
