// axe over every screen, at both sizes and in both themes, on the sample (WCAG 2.2 AA, as far as a program can tell).

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import axe from "axe-core/axe.min.js";

import { ROMEO, SCREENS } from "./screens.mjs";
import { AT_ONCE, page, reused, settled } from "./seat.mjs";

const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
/** What depends on colours, which is what the other theme changes. */
const COLOURS = ["color-contrast", "link-in-text-block"];

const WALLPAPERS = ["rose", "meadow", "sea", "dusk", "dots", "lines"];

/** What axe has against a page that does not move, in words. */
async function found(on, theme, options) {
  const { violations } = await on.evaluate((options) => globalThis.axe.run(document, { ...options, resultTypes: ["violations"] }), options);
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.slice(0, 3).map((node) => `${theme}: ${id}: ${help}: ${node.target.join(" ")} ${node.failureSummary ?? ""}`),
  );
}

describe("axe finds nothing", { concurrency: AT_ONCE }, () => {
  for (const [name, where, lead, seen] of SCREENS) {
    for (const size of ["phone", "desktop"]) {
      test(`${name}, on a ${size}`, async (t) => {
        const own = where.agent || where.init || where.now;
        const on = await (own ? page : reused)(t, { size, ...where });
        await lead?.(on);
        await seen(on).waitFor();
        await settled(on);
        // Through the debugger: the content policy lets nothing else in.
        await on.evaluate(axe.source);
        const wrong = await found(on, "light", { runOnly: RULES });
        await on.emulateMedia({ colorScheme: "dark", reducedMotion: "reduce" });
        await settled(on);
        wrong.push(...(await found(on, "dark", { runOnly: COLOURS })));
        assert.deepEqual(wrong, []);
      });
    }
  }

  test("a button without a name, and grey on grey, would be noticed", async (t) => {
    const on = await page(t, { size: "phone", route: "settings/about" });
    await on.getByText("Licence").waitFor();
    await settled(on);
    await on.evaluate(() => {
      const button = document.createElement("button");
      const words = document.createElement("p");
      words.textContent = "Hardly to be read";
      words.style.cssText = "color: #999; background: #888; padding: 8px";
      document.querySelector("main").prepend(button, words);
    });
    await on.evaluate(axe.source);
    const wrong = await found(on, "light", { runOnly: RULES });
    for (const rule of ["button-name", "color-contrast"]) assert.ok(wrong.some((one) => one.includes(rule)), `${rule}: ${wrong}`);
  });

  test("what is written on a wallpaper, in both themes", async (t) => {
    const on = await reused(t, { size: "phone", route: ROMEO });
    await on.getByText("Look out of your window!").last().waitFor();
    await on.evaluate(axe.source);
    const wrong = [];
    for (const wallpaper of WALLPAPERS) {
      await on.evaluate((wallpaper) => globalThis.store.ask({ do: "setWallpaper", address: "romeo@verona.example", wallpaper }), wallpaper);
      await on.locator(`.chat[data-wallpaper=${wallpaper}]`).waitFor();
      for (const theme of ["light", "dark"]) {
        await on.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
        await settled(on);
        wrong.push(...(await found(on, `${wallpaper}, ${theme}`, { runOnly: COLOURS })));
      }
    }
    assert.deepEqual(wrong, []);
  });
});
