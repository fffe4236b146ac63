// People with browsers. What a page complains about, and every violation of its policy, fails the
// test of whoever sits in front of it.

import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";

import { PATIENCE, PROGRAM } from "../app/dev/browser.mjs";
import { noteToasts } from "../app/dev/checks/waiting.mjs";

export { PATIENCE } from "../app/dev/browser.mjs";
export { becomes, hears } from "../app/dev/checks/waiting.mjs";

const modules = createRequire(new URL("../app/package.json", import.meta.url));
const { chromium } = modules("playwright-core");

const ROOT = new URL("../../", import.meta.url).pathname;
/** Pictures of the run. */
const PICTURES = join(ROOT, "target/web-pictures");

export const SIZES = {
  phone: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 },
  desktop: { viewport: { width: 1280, height: 800 }, hasTouch: false, isMobile: false, deviceScaleFactor: 1 },
};

export function launch(...more) {
  return chromium.launch({ ...PROGRAM, args: [...PROGRAM.args, ...more] });
}

/** Waits for a condition that the page itself has to wait for: `waitForFunction` takes a promise for true. */
export async function eventually(page, condition) {
  for (const until = Date.now() + PATIENCE; !(await page.evaluate(condition)); ) {
    if (Date.now() > until) throw new Error(`never: ${condition}`);
    await setTimeout(20);
  }
}

/** What browsers complain about when the server is gone, in the middle of something or not. */
export const NO_SERVER = /WebSocket connection|net::ERR_(CONNECTION_|EMPTY_RESPONSE|SOCKET_NOT_CONNECTED|INCOMPLETE_CHUNKED)/;

/** Contexts of a test are incognito, where Chromium has no push service, and says so by itself. */
const WITHOUT_PUSH = /does not support the Push API in incognito mode/;

/** Somebody with a browser of their own: nothing is shared with the others'. */
export class Person {
  /** What pages complained about, in words. */
  complaints = [];
  #allowed = [];

  /**
   * Who `trusts` takes the certificate of a trial's own authority. With a `profile`, a folder, it is a browser as people have it. Contexts of `browser` are incognito:
   * what they keep is in the memory of another program, which is asked for every piece.
   */
  static async sit(browser, { size = "phone", theme = "light", lang = "en", name = "", profile = null, agent = null, trusts = false } = {}) {
    const person = new Person();
    person.name = name;
    const options = {
      ...SIZES[size],
      colorScheme: theme,
      locale: lang,
      reducedMotion: "reduce",
      ignoreHTTPSErrors: trusts,
      ...(agent ? { userAgent: agent } : {}),
      permissions: ["notifications", "microphone", "camera", "clipboard-read", "clipboard-write"],
    };
    person.context = profile
      ? await chromium.launchPersistentContext(profile, { ...PROGRAM, ...options })
      : await browser.newContext(options);
    person.context.setDefaultTimeout(PATIENCE);
    await person.context.addInitScript(noteToasts);
    await person.context.addInitScript(() => {
      addEventListener("securitypolicyviolation", (event) => {
        console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`);
      });
    });
    person.page = await person.window();
    return person;
  }

  /** Another window of the same browser. */
  async window() {
    const page = await this.context.newPage();
    page.on("console", (message) => {
      if (message.type() === "error") this.#complain(`${message.text()} (${message.location().url})`);
    });
    page.on("pageerror", (error) => this.#complain(String(error.stack ?? error)));
    return page;
  }

  /** Complaints like this are expected from now on: the test makes them happen. */
  expects(pattern) {
    this.#allowed.push(pattern);
  }

  #complain(words) {
    if (WITHOUT_PUSH.test(words)) return;
    if (!this.#allowed.some((pattern) => pattern.test(words))) this.complaints.push(words);
  }

  /** Closes the browser of this person, and says what its pages complained about. */
  async leave() {
    await this.context.close();
    assert.deepEqual(this.complaints, [], `the pages of ${this.name || "somebody"} complain`);
  }

  /** Nothing on the screen keeps anybody out (WCAG 2.2 AA, as far as a program can tell). */
  async accessible(page = this.page) {
    const source = await readFile(modules.resolve("axe-core/axe.min.js"), "utf8");
    await page.evaluate(source);
    const found = await page.evaluate(() =>
      globalThis.axe.run(document, {
        runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
        // Initials in a circle stand for a picture; they are no part of a button's words.
        rules: { "label-content-name-mismatch": { enabled: false } },
      }),
    );
    const words = found.violations.flatMap(({ id, help, nodes }) =>
      nodes.map((node) => `${id}: ${help}: ${node.html.slice(0, 200)} ${node.failureSummary ?? ""}`),
    );
    assert.deepEqual(words, [], `axe finds something at ${page.url()}`);
  }

  /** A picture of the screen, for whoever looks at a run. Those that must stay as they are: app/dev/checks/looks.mjs. */
  async picture(name, page = this.page) {
    await mkdir(PICTURES, { recursive: true });
    const taken = await page.screenshot({ animations: "disabled", caret: "hide", scale: "css" });
    await writeFile(join(PICTURES, `${name}.png`), taken);
  }
}
