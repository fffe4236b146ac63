// Pictures of the page on the sample:
//   node dev/shot.mjs OUT [--size phone,desktop] [--theme light,dark] [--dir ltr] [--lang en]
//     [--query many=1000] [--do 'click=text' …] ROUTE…
// A route is what is behind the #: list, chat/romeo%40verona.example, settings. Steps of `--do` are
// done before the picture: click=SELECTOR, right=SELECTOR, hover=SELECTOR, press=KEY, type=TEXT,
// wait=MILLISECONDS.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";

import { PROGRAM } from "./browser.mjs";
import { serve } from "./serve.mjs";

export const SIZES = {
  phone: { width: 390, height: 844, hasTouch: true, isMobile: true, deviceScaleFactor: 2 },
  small: { width: 320, height: 568, hasTouch: true, isMobile: true, deviceScaleFactor: 2 },
  desktop: { width: 1280, height: 800, hasTouch: false, isMobile: false, deviceScaleFactor: 1 },
};

export function launch() {
  return chromium.launch(PROGRAM);
}

export async function open(browser, url, { size = "phone", theme = "light", dir = "ltr", lang = "en", query = "", route = "list" }) {
  const { width, height, ...device } = SIZES[size];
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: theme, locale: lang, ...device });
  const page = await context.newPage();
  // A busy machine takes its time.
  page.setDefaultTimeout(120_000);
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") console.error(`${route}: ${message.text()}`);
  });
  page.on("pageerror", (error) => console.error(`${route}: ${error.stack ?? error}`));
  await page.goto(`${url}?${new URLSearchParams(query)}&dir=${dir}&lang=${lang}#/${route}`);
  await page.waitForTimeout(500);
  return { context, page };
}

export async function act(page, step) {
  const [what, ...rest] = step.split("=");
  const value = rest.join("=");
  if (what === "click") await page.locator(value).first().click();
  else if (what === "right") await page.locator(value).first().click({ button: "right" });
  else if (what === "hover") await page.locator(value).first().hover();
  else if (what === "press") await page.keyboard.press(value);
  else if (what === "type") await page.keyboard.type(value);
  else if (what === "wait") await page.waitForTimeout(Number(value));
  else throw new Error(`no such step: ${step}`);
}

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      size: { type: "string", default: "phone,desktop" },
      theme: { type: "string", default: "light,dark" },
      dir: { type: "string", default: "ltr" },
      lang: { type: "string", default: "en" },
      query: { type: "string", default: "" },
      name: { type: "string", default: "" },
      do: { type: "string", multiple: true, default: [] },
    },
  });
  const [out = "shots", ...routes] = positionals;
  mkdirSync(out, { recursive: true });
  const server = await serve();
  const browser = await launch();
  try {
    for (const route of routes.length ? routes : ["list"]) {
      for (const size of values.size.split(",")) {
        for (const theme of values.theme.split(",")) {
          for (const dir of values.dir.split(",")) {
            const { context, page } = await open(browser, server.url, { size, theme, dir, lang: values.lang, query: values.query, route });
            for (const step of values.do) await act(page, step);
            await page.waitForTimeout(350);
            const name = values.name || decodeURIComponent(route).replace(/[^\w@.-]+/g, "_");
            const file = join(out, `${name}-${size}-${theme}-${dir}.png`);
            await page.screenshot({ path: file });
            console.log(file);
            await context.close();
          }
        }
      }
    }
  } finally {
    await browser.close();
    await server.stop();
  }
}

if (process.argv[1]?.endsWith("shot.mjs")) await main();
