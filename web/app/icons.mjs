// Makes the icons that must be pixels out of public/icons/icon.svg, with Chromium. They are kept with
// the sources, so that a build needs no browser; run this after a change of the drawing.

import { readFile } from "node:fs/promises";

import { chromium } from "playwright-core";

const FOLDER = new URL("public/icons/", import.meta.url);
const svg = await readFile(new URL("icon.svg", FOLDER), "utf8");
/** Filled to the edges: systems cut it to their own shape, and keep the middle 80 %. */
const full = svg
  .replace(
    /<rect id="ground"[^>]*>/,
    '<g transform="translate(51 51) scale(.8)"><rect x="-80" y="-80" width="680" height="680" fill="url(#sea)"/>',
  )
  .replace(/<\/svg>\s*$/, "</g></svg>");

const PICTURES = [
  ["icon-192.png", svg, 192],
  ["icon-512.png", svg, 512],
  ["maskable-512.png", full, 512],
  ["apple-touch.png", full, 180],
];

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu"],
});
for (const [name, drawing, size] of PICTURES) {
  const page = await browser.newPage({ viewport: { width: size, height: size } });
  await page.setContent(
    `<style>body{margin:0}svg{display:block;width:${size}px;height:${size}px}</style>${drawing}`,
  );
  const path = new URL(name, FOLDER).pathname;
  await page.screenshot({ path, omitBackground: true });
  await page.close();
}
await browser.close();
