// Text at twice its size, in the longest of the languages, on a phone: nothing is out of reach (WCAG 2.2, 1.4.4
// and 1.4.10). Of screens that are made alike there is one here.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { SCREENS } from "./screens.mjs";
import { AT_ONCE, page, reused, settled } from "./seat.mjs";

const SHOWN = new Set([
  "the list",
  "search",
  "go to",
  "the help",
  "no connection",
  "sign in again",
  "a toast",
  "a new version",
  "settings",
  "notifications",
  "privacy",
  "storage",
  "own devices",
  "signing out",
  "a conversation",
  "not sent",
  "reactions",
  "all reactions",
  "skin tones",
  "selecting",
  "choosing to whom to forward",
  "something to share",
  "a group",
  "about a group",
  "a contact",
  "verifying",
  "joining a channel",
  "starred messages",
  "requests",
  "a pasted invitation",
]);

/** In a page: what cannot be reached or read. Code and the filters of the list are moved sideways by themselves. */
function beyond() {
  const found = [];
  const words = (one) => `${one.className} “${(one.getAttribute("aria-label") ?? one.textContent).trim().slice(0, 40)}”`;
  const moved = (one) => one.closest(".chips, .text-pre, .tray-files");
  for (const one of document.querySelectorAll("body *")) {
    if (!one.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
    if (one.closest("[inert], .hidden-text, .message-actions")) continue;
    const { left, right, width, top, bottom } = one.getBoundingClientRect();
    const style = getComputedStyle(one);
    if (/auto|scroll/.test(style.overflowX) && one.scrollWidth > one.clientWidth + 1 && !moved(one)) {
      found.push(`has to be moved sideways: ${words(one)}`);
    }
    if (!one.matches("button, a, input, textarea, [role=checkbox], [role=menuitem]") || width === 0) continue;
    if (bottom < 0 || top > innerHeight || moved(one)) continue;
    if (left < -1 || right > innerWidth + 1) found.push(`beyond the edge: ${words(one)}`);
    for (const inner of one.querySelectorAll("*")) {
      if (![...inner.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim())) continue;
      if (inner.closest(".hidden-text, svg")) continue;
      const cut = getComputedStyle(inner.parentElement).textOverflow === "ellipsis" || getComputedStyle(inner).display === "inline";
      const box = inner.getBoundingClientRect();
      if (!cut && (box.left < left - 1 || box.right > right + 1)) found.push(`wider than its button: ${words(one)}`);
    }
  }
  return [...new Set(found)];
}

describe("text at twice its size", { concurrency: AT_ONCE }, () => {
  for (const [name, where, lead, seen] of SCREENS.filter(([name]) => SHOWN.has(name))) {
    test(name, async (t) => {
      const own = where.agent || where.init || where.now;
      const query = [where.query, "zoom=200"].filter(Boolean).join("&");
      const on = await (own ? page : reused)(t, { ...where, size: "phone", query });
      await lead?.(on);
      await seen(on).waitFor();
      await on.evaluate(() => globalThis.speak("de"));
      await settled(on);
      assert.deepEqual(await on.evaluate(beyond), []);
    });
  }
});
