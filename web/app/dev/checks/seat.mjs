// A browser and the sample for all checks of one process, and pages in it that complain to their test.

import assert from "node:assert/strict";
import { after, before } from "node:test";

import { PATIENCE } from "../browser.mjs";
import { serve } from "../serve.mjs";
import { launch, SIZES } from "../shot.mjs";
import { noteToasts } from "./waiting.mjs";

export { becomes, hears } from "./waiting.mjs";

/** Checks that run at the same time: most of them wait for something. */
export const AT_ONCE = 3;

let server;
let browser;

before(async () => {
  server = await serve(0, { minify: true });
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

/** A window of the browser on nothing yet, and what its page complains about. */
async function open({ size, theme = "light", init, agent, touch, now, motion = "reduce" }) {
  const { width, height, ...device } = SIZES[size];
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: theme,
    locale: "en",
    timezoneId: "UTC",
    reducedMotion: motion,
    ...device,
    ...(touch === undefined ? {} : { hasTouch: touch }),
    ...(agent ? { userAgent: agent } : {}),
  });
  context.setDefaultTimeout(PATIENCE);
  const on = await context.newPage();
  const errors = [];
  on.on("pageerror", (error) => errors.push(String(error)));
  on.on("console", (message) => {
    if (message.type() === "error") errors.push(message.text());
  });
  const window = { on, errors, leaving: false };
  on.on("dialog", (dialog) => {
    if (window.leaving && dialog.type() === "beforeunload") return void dialog.accept();
    errors.push(`a dialog of the browser: ${dialog.message()}`);
    void dialog.dismiss();
  });
  await on.addInitScript(noteToasts);
  if (init) await on.addInitScript(...[init].flat());
  if (now) await on.clock.setFixedTime(now);
  return window;
}

/** A page on the sample. The test fails if the page reports an error, or opens a dialog of the browser. */
export async function page(t, { size = "desktop", query = "", route = "list", ...own } = {}) {
  const { on, errors } = await open({ size, ...own });
  await on.goto(`${server.url}?${query}#/${route}`);
  t.after(async () => {
    await on.context().close();
    assert.deepEqual(errors, []);
  });
  return on;
}

/**
 * In a page, as `init: [held, 2_000]`: timers of so many milliseconds go off when the test says so, with `goOff()`, and
 * not because a machine is slow.
 */
export function held(ms) {
  const { setTimeout } = globalThis;
  const waiting = [];
  globalThis.goOff = () => {
    for (const then of waiting.splice(0)) then();
  };
  // No timer has the number that is given for it.
  globalThis.setTimeout = (then, after, ...rest) => (after === ms ? -waiting.push(then) : setTimeout(then, after, ...rest));
}

/** Windows that wait for another test. */
const idle = Object.fromEntries(Object.keys(SIZES).map((size) => [size, []]));
let visits = 0;

/**
 * The same in a window that other tests had before: to open one takes longer than most checks, and there the
 * browser has compiled the scripts already. The page itself is loaded anew, and nothing that others kept in it is
 * left. For tests that change nothing of the window itself but its theme.
 */
export async function reused(t, { size = "desktop", query = "", route = "list" } = {}) {
  const window = idle[size].pop() ?? (await open({ size }));
  const { on, errors } = window;
  visits += 1;
  // It may ask before it is left, where something would be lost.
  window.leaving = true;
  if (on.url() !== "about:blank") await on.evaluate(forget);
  await on.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
  errors.splice(0);
  // The number makes it another page, which is loaded, also where only what is behind the # differs.
  await on.goto(`${server.url}?${query}&visit=${visits}#/${route}`);
  window.leaving = false;
  t.after(() => {
    idle[size].push(window);
    assert.deepEqual(errors, []);
  });
  return on;
}

/** In a page: what it keeps. */
async function forget() {
  localStorage.clear();
  sessionStorage.clear();
  for (const name of await caches.keys()) await caches.delete(name);
}

/** Waits until nothing in the page has changed for a moment, and nothing moves. */
export function settled(on) {
  return on.evaluate(
    () =>
      new Promise((done) => {
        const moment = 120;
        let timer = setTimeout(done, moment);
        new MutationObserver(() => {
          clearTimeout(timer);
          timer = setTimeout(done, moment);
        }).observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
      }),
  );
}

/** A finger that does one thing after the other, at times of its own: nothing depends on how fast the machine is. */
export async function fingers(on) {
  const devtools = await on.context().newCDPSession(on);
  return async (...steps) => {
    const from = Date.now() / 1000;
    // All are on their way before the first has arrived: no finger rests because the machine is slow.
    await Promise.all(
      steps.map(([type, x, y], at) => {
        const touchPoints = type === "touchEnd" ? [] : [{ x, y }];
        return devtools.send("Input.dispatchTouchEvent", { type, touchPoints, timestamp: from + 0.02 * at });
      }),
    );
  };
}

/** The middle of something, once it is in sight and still. */
export async function middle(on, element) {
  await element.evaluate((one) => one.scrollIntoView({ block: "center" }));
  await settled(on);
  const { x, y, width, height } = await element.boundingBox();
  const [left, top] = [Math.round(x + width / 2), Math.round(y + height / 2)];
  const covers = await element.evaluate((one, [x, y]) => {
    const there = document.elementFromPoint(x, y);
    return one.contains(there) ? null : (there?.outerHTML.slice(0, 200) ?? "nothing");
  }, [left, top]);
  assert.equal(covers, null, `at ${left}, ${top} something covers it`);
  return [left, top];
}

/** The last picture of a conversation that is open, brought into sight. */
export async function lastPicture(on, address) {
  await on.waitForFunction((address) => globalThis.store.window(address)?.messages.some(({ content }) => content.is === "file"), address);
  const id = await on.evaluate((address) => {
    const { id } = globalThis.store.window(address).messages.findLast(({ content }) => content.is === "file");
    location.hash = `#/chat/${encodeURIComponent(address)}/${id}`;
    return id;
  }, address);
  const picture = on.locator(`[data-message="${id}"] .picture-open`);
  await picture.waitFor();
  await settled(on);
  return picture;
}
