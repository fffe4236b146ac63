// Waiting for an answer, and for words that are soon gone.

import assert from "node:assert/strict";
import { setTimeout } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";

import { PATIENCE } from "../browser.mjs";

/** Asks again and again until the answer is `wanted`; in the end it is compared. */
export async function becomes(ask, wanted, words) {
  const end = Date.now() + PATIENCE;
  for (;;) {
    const answer = await ask();
    if (isDeepStrictEqual(answer, wanted)) return;
    if (Date.now() > end) assert.deepEqual(answer, wanted, words);
    await setTimeout(20);
  }
}

/** In a page, from its beginning: writes down what is said in passing, which is gone after some seconds. */
export function noteToasts() {
  globalThis.heard = new Set();
  new MutationObserver(() => {
    for (const toast of document.querySelectorAll(".toast")) globalThis.heard.add(toast.textContent);
  }).observe(document, { subtree: true, childList: true, characterData: true });
}

/** Waits until words were said in passing since the page was loaded, also if nobody looked in time. */
export function hears(on, words) {
  return on.waitForFunction((words) => [...globalThis.heard].some((one) => one.includes(words)), words);
}
