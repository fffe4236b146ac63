// A browser and the sample for all checks of one process, and pages in it that complain to their test.

import assert from "node:assert/strict";
import { after, before } from "node:test";

import { serve } from "../serve.mjs";
import { launch, SIZES } from "../shot.mjs";

/** Checks that run at the same time: most of them wait for something. */
export const AT_ONCE = 3;
/** Only a machine that is very busy takes this long. */
const PATIENCE = 60_000;

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

/** A page on the sample. The test fails if the page reports an error, or opens a dialog of the browser. */
export async function page(t, { size = "desktop", theme = "light", query = "", route = "list", init, agent, touch } = {}) {
  const { width, height, ...device } = SIZES[size];
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: theme,
    locale: "en",
    reducedMotion: "reduce",
    ...device,
    ...(touch === undefined ? {} : { hasTouch: touch }),
    ...(agent ? { userAgent: agent } : {}),
  });
  context.setDefaultTimeout(PATIENCE);
  const made = await context.newPage();
  const errors = [];
  made.on("pageerror", (error) => errors.push(String(error)));
  made.on("console", (message) => {
    if (message.type() === "error") errors.push(message.text());
  });
  made.on("dialog", (dialog) => {
    errors.push(`a dialog of the browser: ${dialog.message()}`);
    void dialog.dismiss();
  });
  if (init) await made.addInitScript(init);
  await made.goto(`${server.url}?${query}#/${route}`);
  t.after(async () => {
    await context.close();
    assert.deepEqual(errors, []);
  });
  return made;
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
