// People with browsers. What a page complains about, and every violation of its policy, fails the
// test of whoever sits in front of it.

import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";

const modules = createRequire(new URL("../app/package.json", import.meta.url));
const { chromium } = modules("playwright-core");

const ROOT = new URL("../../", import.meta.url).pathname;
/** Pictures of the run; those in `docs` are what it is compared with. */
const PICTURES = join(ROOT, "target/web-pictures");
const KEPT = join(ROOT, "docs/screenshots/web");

export const SIZES = {
  phone: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 },
  desktop: { viewport: { width: 1280, height: 800 }, hasTouch: false, isMobile: false, deviceScaleFactor: 1 },
};

/** Everything in these tests is on one machine; only a machine that is very busy takes this long. */
export const PATIENCE = 60_000;

const PROGRAM = {
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: [
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
  ],
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

/** Contexts of a test are incognito, where Chromium has no push service, and says so by itself. */
const WITHOUT_PUSH = /does not support the Push API in incognito mode/;

/** Somebody with a browser of their own: nothing is shared with the others'. */
export class Person {
  /** What pages complained about, in words. */
  complaints = [];
  #allowed = [];

  /**
   * With a `profile`, a folder, it is a browser as people have it. Contexts of `browser` are incognito:
   * what they keep is in the memory of another program, which is asked for every piece.
   */
  static async sit(browser, { size = "phone", theme = "light", lang = "en", name = "", profile = null } = {}) {
    const person = new Person();
    person.name = name;
    const options = {
      ...SIZES[size],
      colorScheme: theme,
      locale: lang,
      reducedMotion: "reduce",
      permissions: ["notifications", "microphone", "camera", "clipboard-read", "clipboard-write"],
    };
    person.context = profile
      ? await chromium.launchPersistentContext(profile, { ...PROGRAM, ...options })
      : await browser.newContext(options);
    person.context.setDefaultTimeout(PATIENCE);
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

  /**
   * A picture of the screen. With `kept`, it is one of those in the documentation: it must have the
   * same size and look much the same. UPDATE=1 writes them anew.
   */
  async picture(name, { kept = false, page = this.page } = {}) {
    await mkdir(PICTURES, { recursive: true });
    const taken = await page.screenshot({ animations: "disabled", caret: "hide", scale: "css" });
    await writeFile(join(PICTURES, `${name}.png`), taken);
    if (!kept) return;
    const path = join(KEPT, `${name}.png`);
    if (process.env.UPDATE) {
      await mkdir(KEPT, { recursive: true });
      await writeFile(path, taken);
      return;
    }
    const old = await readFile(path);
    const share = await difference(page, old, taken);
    assert.ok(share < TOLERANCE, `${name} looks different: ${(share * 100).toFixed(1)} % of it`);
  }
}

/** The share of pixels that differ visibly between two PNGs; 1 when their sizes differ. */
async function difference(page, one, other) {
  const blank = await page.context().browser().newPage();
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
          const far = [0, 1, 2].some((part) => Math.abs(a.data[at + part] - b.data[at + part]) > 40);
          if (far) different += 1;
        }
        return different / (a.data.length / 4);
      },
      [one.toString("base64"), other.toString("base64")],
    );
  } finally {
    await blank.close();
  }
}

/** Names, times and colours of people change from run to run; the shape of a page does not. */
const TOLERANCE = 0.12;
