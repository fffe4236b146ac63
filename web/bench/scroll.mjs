// Scrolls a conversation of 100,000 messages in Chromium and prints what took long:
//
//   node bench/scroll.mjs [--messages 100000] [--throttle 4] [--size desktop]
//
// "longest" is the longest task of the main thread and "over 50 ms" how many such there were, both by the
// processor's clock; "rows" are the most rows that were in the page at any time. Frames are by the wall's
// clock, and only good on a machine that does nothing else.

import { parseArgs } from "node:util";

import { serve } from "../app/dev/serve.mjs";
import { launch, open } from "../app/dev/shot.mjs";
import { tasksOf } from "./tasks.mjs";

export const CROWD = 5_000;

/** What happens in the page while something is done to it. */
async function measure(browser, page, name, act) {
  await page.evaluate(() => {
    const seen = { frames: [], rows: 0, last: performance.now(), stop: false };
    window.seen = seen;
    const frame = (now) => {
      seen.frames.push(now - seen.last);
      seen.last = now;
      seen.rows = Math.max(seen.rows, document.querySelectorAll("[data-message]").length);
      if (!seen.stop) requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  });
  const tasks = await tasksOf(browser, page, async () => {
    await act();
    await page.waitForTimeout(200);
  });
  const { frames, rows } = await page.evaluate(() => {
    const { frames, rows } = window.seen;
    window.seen.stop = true;
    return { frames: frames.slice(1), rows };
  });
  frames.sort((a, b) => a - b);
  const at = (part) => frames[Math.min(frames.length - 1, Math.floor(frames.length * part))] ?? 0;
  return { name, frames: frames.length, middle: at(0.5), most: at(0.99), longest: tasks[0] ?? 0, long: tasks.filter((one) => one > 50).length, rows };
}

/** A figure of `measured` as a line. */
export function spelled({ name, frames, middle, most, longest, long, rows }) {
  return [
    name.padEnd(38),
    `frames ${String(frames).padStart(4)}`,
    `median ${middle.toFixed(1).padStart(6)} ms`,
    `99 % ${most.toFixed(1).padStart(6)} ms`,
    `longest ${longest.toFixed(0).padStart(4)} ms`,
    `over 50 ms ${String(long).padStart(3)}`,
    `rows ${rows}`,
  ].join("  ");
}

/** The first row that is wholly in sight, to see that nothing jumps. */
const firstRow = (page) =>
  page.evaluate(() => {
    const box = document.querySelector(".timeline-box").getBoundingClientRect();
    const row = [...document.querySelectorAll("[data-message]")].find((one) => one.getBoundingClientRect().top >= box.top);
    return { id: row.dataset.message, top: Math.round(row.getBoundingClientRect().top) };
  });

/** Scrolls, and says of each part what it took; throws when something jumps. */
export async function scrolling({ messages, throttle = 1, size = "desktop" }, note) {
  const server = await serve(0, { minify: true });
  const browser = await launch();
  try {
    await conversation(browser, server.url, { messages, throttle, size }, note);
  } finally {
    await browser.close();
    await server.stop();
  }
}

/** Milliseconds of the longest task when a start tells of so many people, each a contact and in the list. */
export async function crowded(many) {
  const server = await serve(0, { minify: true });
  const browser = await launch();
  try {
    const { page } = await open(browser, server.url, { size: "desktop", route: "list" });
    await page.locator(".conversation").first().waitFor();
    await page.evaluate((many) => window.sample.crowd(many), many);
    const [longest = 0] = await tasksOf(browser, page, async () => {
      await page.evaluate(() => window.sample.everything());
      await page.waitForTimeout(1_000);
    });
    return longest;
  } finally {
    await browser.close();
    await server.stop();
  }
}

async function conversation(browser, url, { messages, throttle, size }, note) {
  const route = "chat/bench%40anemone.example";
  const { page } = await open(browser, url, {
    size,
    route,
    query: `messages=${messages}&page=${messages - 500}`,
  });
  await page.waitForSelector("[data-message]", { timeout: 60_000 });
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("Emulation.setCPUThrottlingRate", { rate: throttle });
  const box = await page.locator(".timeline-box").boundingBox();
  const measured = async (name, act) => note(await measure(browser, page, name, act));
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await measured("wheel up, 80 steps", async () => {
    for (let step = 0; step < 80; step++) {
      await page.mouse.wheel(0, -240);
      await page.waitForTimeout(16);
    }
  });
  await measured("wheel down, 80 steps", async () => {
    for (let step = 0; step < 80; step++) {
      await page.mouse.wheel(0, 240);
      await page.waitForTimeout(16);
    }
  });
  await measured("dragged through all of it, 120 steps", () =>
    page.evaluate(async () => {
      const list = document.querySelector(".timeline-box");
      for (let step = 0; step <= 120; step++) {
        list.scrollTop = list.scrollHeight * (1 - (step * 0.95) / 120);
        await new Promise((next) => requestAnimationFrame(next));
      }
    }),
  );
  const send = (to) =>
    page.evaluate((to) => window.store.ask({ do: "react", message: to, emoji: ["👍"] }), to);
  const before = await firstRow(page);
  await measured("a reaction to a message in sight", () => send(Number(before.id)));
  const after = await firstRow(page);
  if (after.id !== before.id || Math.abs(after.top - before.top) > 1) throw new Error(`it jumped: ${JSON.stringify([before, after])}`);
  await measured("older messages come in", () =>
    page.evaluate(async () => {
      document.querySelector(".timeline-box").scrollTop = 1500;
      await new Promise((next) => setTimeout(next, 1500));
    }),
  );
  await measured("to the end, and a message is sent", async () => {
    await page.locator(".timeline-leap").click();
    await page.waitForTimeout(300);
    await page.locator(".composer-text").fill("The last one");
    await page.locator(".composer-send").click();
    await page.waitForTimeout(2_500);
  });
  const end = await page.evaluate(() => {
    const list = document.querySelector(".timeline-box");
    return list.scrollHeight - list.scrollTop - list.clientHeight;
  });
  if (end > 2) throw new Error(`it is not at the end: ${end}`);
}

if (process.argv[1]?.endsWith("scroll.mjs")) {
  const { values } = parseArgs({
    options: {
      messages: { type: "string", default: "100000" },
      throttle: { type: "string", default: "1" },
      size: { type: "string", default: "desktop" },
    },
  });
  const asked = { ...values, messages: Number(values.messages), throttle: Number(values.throttle) };
  console.log(`${CROWD} people: longest task ${(await crowded(CROWD)).toFixed(0)} ms`);
  console.log(`${asked.messages} messages, ${asked.size}, CPU throttled ${asked.throttle}×`);
  await scrolling(asked, (figure) => console.log(spelled(figure)));
}
