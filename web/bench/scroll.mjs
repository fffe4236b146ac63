// Scrolls a conversation of 100,000 messages in Chromium and prints what took long:
//
//   node bench/scroll.mjs [--messages 100000] [--throttle 4] [--size desktop]
//
// "blocked" is the longest task of the main thread, "over 50 ms" how many of those there were, and
// "rows" the most rows that were in the page at any time.

import { parseArgs } from "node:util";

import { serve } from "../app/dev/serve.mjs";
import { launch, open } from "../app/dev/shot.mjs";

const { values } = parseArgs({
  options: {
    messages: { type: "string", default: "100000" },
    throttle: { type: "string", default: "1" },
    size: { type: "string", default: "desktop" },
  },
});
const messages = Number(values.messages);

/** What happens in the page while something is done to it. */
async function measured(page, name, act) {
  await page.evaluate(() => {
    const seen = { tasks: [], frames: [], rows: 0, last: performance.now(), stop: false };
    window.seen = seen;
    seen.observer = new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) seen.tasks.push(entry.duration);
    });
    seen.observer.observe({ type: "longtask" });
    const frame = (now) => {
      seen.frames.push(now - seen.last);
      seen.last = now;
      seen.rows = Math.max(seen.rows, document.querySelectorAll("[data-message]").length);
      if (!seen.stop) requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  });
  await act();
  await page.waitForTimeout(200);
  const { tasks, frames, rows } = await page.evaluate(() => {
    const { tasks, frames, rows, observer } = window.seen;
    for (const entry of observer.takeRecords()) tasks.push(entry.duration);
    window.seen.stop = true;
    observer.disconnect();
    return { tasks, frames: frames.slice(1), rows };
  });
  frames.sort((a, b) => a - b);
  const at = (part) => (frames[Math.min(frames.length - 1, Math.floor(frames.length * part))] ?? 0).toFixed(1);
  console.log(
    [
      name.padEnd(38),
      `frames ${String(frames.length).padStart(4)}`,
      `median ${at(0.5).padStart(6)} ms`,
      `99 % ${at(0.99).padStart(6)} ms`,
      `blocked ${Math.max(0, ...tasks).toFixed(0).padStart(4)} ms`,
      `over 50 ms ${String(tasks.length).padStart(3)}`,
      `rows ${rows}`,
    ].join("  "),
  );
}

/** The first row that is wholly in sight, to see that nothing jumps. */
const firstRow = (page) =>
  page.evaluate(() => {
    const box = document.querySelector(".timeline-box").getBoundingClientRect();
    const row = [...document.querySelectorAll("[data-message]")].find((one) => one.getBoundingClientRect().top >= box.top);
    return { id: row.dataset.message, top: Math.round(row.getBoundingClientRect().top) };
  });

const server = await serve(0, { minify: true });
const browser = await launch();
try {
  const route = "chat/bench%40anemone.example";
  const { page } = await open(browser, server.url, {
    size: values.size,
    route,
    query: `messages=${messages}&page=${messages - 500}`,
  });
  await page.waitForSelector("[data-message]", { timeout: 60_000 });
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("Emulation.setCPUThrottlingRate", { rate: Number(values.throttle) });
  const box = await page.locator(".timeline-box").boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  console.log(`${messages} messages, ${values.size}, CPU throttled ${values.throttle}×`);

  await measured(page, "wheel up, 150 steps", async () => {
    for (let step = 0; step < 150; step++) {
      await page.mouse.wheel(0, -240);
      await page.waitForTimeout(16);
    }
  });
  await measured(page, "wheel down, 150 steps", async () => {
    for (let step = 0; step < 150; step++) {
      await page.mouse.wheel(0, 240);
      await page.waitForTimeout(16);
    }
  });
  await measured(page, "dragged through all of it, 120 steps", () =>
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
  await measured(page, "a reaction to a message in sight", () => send(Number(before.id)));
  const after = await firstRow(page);
  if (after.id !== before.id || Math.abs(after.top - before.top) > 1) throw new Error(`it jumped: ${JSON.stringify([before, after])}`);
  await measured(page, "older messages come in", () =>
    page.evaluate(async () => {
      document.querySelector(".timeline-box").scrollTop = 1500;
      await new Promise((next) => setTimeout(next, 1500));
    }),
  );
  await measured(page, "to the end, and a message is sent", async () => {
    await page.locator(".timeline-latest").click();
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
} finally {
  await browser.close();
  await server.stop();
}
