// What the core costs in a browser, printed as a table:
//
//   node web/bench/core.mjs [MESSAGES]      10,000 if not told otherwise
//
// its size as it is sent, how long it takes from a click to an open store, how long until so many
// encrypted messages that waited in the archive are read, and for how long the page was kept from
// drawing meanwhile. Needs scripts/web-core.sh and a server (target/debug/anemone, or ANEMONE).

import { readFile } from "node:fs/promises";
import { brotliCompressSync, constants } from "node:zlib";

import { Seat, launch, serve, until } from "../tests/lab/lab.mjs";
import { Server } from "../tests/server.mjs";

const MESSAGES = Number(process.argv[2] ?? 10_000);
const AT_ONCE = 100;
const JULIET = "juliet@localhost";
const ROMEO = "romeo@localhost";
const rows = [];

function note(what, value) {
  rows.push([what, value]);
  console.log(`${what.padEnd(52)} ${value}`);
}

const ms = (from) => `${Math.round(performance.now() - from)} ms`;

async function size() {
  const wasm = await readFile(new URL("../dist/core/core_bg.wasm", import.meta.url));
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
    [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
  };
  note("core, bytes", wasm.length);
  note("core, bytes with brotli", brotliCompressSync(wasm, { params }).length);
}

async function fill(juliet) {
  const began = performance.now();
  for (let sent = 0; sent < MESSAGES; sent += AT_ONCE) {
    const outcomes = await juliet.page.evaluate(
      ([to, from, count]) =>
        Promise.all(
          Array.from({ length: count }, (_, at) =>
            globalThis.ask({ do: "send", to, text: `message ${from + at} of many`, replyTo: null }),
          ),
        ),
      [ROMEO, sent, Math.min(AT_ONCE, MESSAGES - sent)],
    );
    const wrong = outcomes.find((one) => one.is !== "sent");
    if (wrong) throw new Error(`not sent: ${JSON.stringify(wrong)}`);
  }
  note(`${MESSAGES} messages sent, encrypted`, ms(began));
}

async function catchUp(romeo) {
  const page = await romeo.context.newPage();
  await page.addInitScript(() => {
    globalThis.longest = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) globalThis.longest = Math.max(globalThis.longest, entry.duration);
    }).observe({ type: "longtask", buffered: true });
  });
  const began = performance.now();
  await page.goto(romeo.url);
  await until(page, () => globalThis.host?.state.value.is === "working");
  note("store open, from the navigation on", ms(began));
  await page.waitForFunction(() => globalThis.account()?.connection?.is === "online", null, {
    timeout: 600_000,
  });
  note(`${MESSAGES} messages of the archive read`, ms(began));
  const unread = await page.evaluate(
    (address) => globalThis.notices.findLast((one) => one.is === "conversation" && one.address === address)?.unread,
    JULIET,
  );
  const opened = performance.now();
  await romeo.ask({ do: "open", address: JULIET }, page);
  note("a conversation opened", ms(opened));
  const [last] = (await romeo.messages(JULIET, page)).slice(-1);
  note("longest task of the page", `${Math.round(await page.evaluate(() => globalThis.longest))} ms`);
  note("unread", unread);
  if (last?.encryption.is !== "omemo") throw new Error(`not read: ${JSON.stringify(last)}`);
  await page.close();

  const again = performance.now();
  const second = await romeo.context.newPage();
  await second.goto(romeo.url);
  await until(second, () => globalThis.notices?.some((one) => one.is === "conversation"));
  note("opened again, to the list of conversations", ms(again));
}

await size();
const server = await Server.start();
const site = await serve(server.ports.https);
const browser = await launch();
try {
  await server.addAccount("romeo", "montague");
  await server.addAccount("juliet", "capulet");
  const romeo = await Seat.take(browser, site.url);
  await romeo.signIn("romeo", "montague");
  const juliet = await Seat.take(browser, site.url);
  await juliet.signIn("juliet", "capulet");
  await juliet.ask({ do: "addContact", address: ROMEO, name: null });
  await romeo.ask({ do: "addContact", address: JULIET, name: null });
  await romeo.page.close();
  await fill(juliet);
  await juliet.leave();
  await catchUp(romeo);
} finally {
  await browser.close();
  site.close();
  await server.remove();
}
