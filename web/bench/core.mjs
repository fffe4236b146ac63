// What 10,000 encrypted messages cost that waited in the archive, in the app as it is served:
//
//   node web/bench/core.mjs [MESSAGES]      10,000 if not told otherwise
//
// how long until they are read and in the list of chats, for how long the page could not draw
// meanwhile, and how long it takes to open the conversation and to start the app then. Needs
// scripts/web.sh and a server with it (target/debug/anemone, or ANEMONE).

import { join } from "node:path";

import { inside, open, seesEncrypted, signIn, ticks, write } from "../tests/acts.mjs";
import { Person } from "../tests/harness.mjs";
import { Seat, launch, serve } from "../tests/lab/lab.mjs";
import { Server } from "../tests/server.mjs";
import { tasksOf } from "./tasks.mjs";

const AT_ONCE = 100;
const JULIET = "juliet@localhost";
const ROMEO = "romeo@localhost";
/** Milliseconds for everything; a machine that needs them has failed anyway. */
const LONGEST = 600_000;

/** Measures; `note` is told each figure as it comes: what, and milliseconds. */
export async function catchUp(messages, note) {
  const server = await Server.start();
  const site = await serve(server.ports.https);
  const browser = await launch();
  try {
    for (const name of ["romeo", "juliet"]) await server.addAccount(name, name);
    const profile = join(server.folder, "browser");
    const romeo = await Person.sit(browser, { name: "romeo", size: "desktop", profile });
    await signIn(romeo, server.url, ROMEO, "romeo");
    const juliet = await Seat.take(browser, site.url);
    await juliet.signIn("juliet", "juliet");
    await juliet.ask({ do: "addContact", address: ROMEO, name: null });
    await open(romeo.page, JULIET);
    await write(romeo.page, "I am away for a while");
    await ticks(romeo.page, "away for a while", /Sent/);
    await romeo.page.close();
    const began = performance.now();
    await fill(juliet, messages);
    note("sending them, encrypted", performance.now() - began);
    await juliet.leave();
    await comeBack(romeo, server.url, messages, note);
    await romeo.context.close();
  } finally {
    await browser.close();
    site.close();
    await server.remove();
  }
}

async function fill(juliet, messages) {
  for (let sent = 0; sent < messages; sent += AT_ONCE) {
    const outcomes = await juliet.page.evaluate(
      ([to, from, count]) =>
        Promise.all(
          Array.from({ length: count }, (_, at) =>
            globalThis.ask({ do: "send", to, text: `message ${from + at} of many`, replyTo: null }),
          ),
        ),
      [ROMEO, sent, Math.min(AT_ONCE, messages - sent)],
    );
    const wrong = outcomes.find((one) => one.is !== "kept");
    if (wrong) throw new Error(`not sent: ${JSON.stringify(wrong)}`);
    await juliet.sent();
  }
}

async function comeBack(romeo, url, messages, note) {
  const browser = romeo.context.browser();
  const page = await romeo.window();
  const began = performance.now();
  await page.goto(url);
  await page.locator(".conversation").first().waitFor();
  note("the list of chats, from the navigation on", performance.now() - began);
  const caughtUp = (count) => document.title === `(${count}) Clownfish`;
  const [longest] = await tasksOf(browser, page, () => page.waitForFunction(caughtUp, messages, { timeout: LONGEST }));
  note("catching up, from the navigation on", performance.now() - began);
  note("longest task of the page meanwhile, by the processor's clock", longest);
  const opened = performance.now();
  await open(page, JULIET);
  await page.locator("[data-message]").last().waitFor();
  note("opening the conversation", performance.now() - opened);
  await seesEncrypted(page, "of many");
  await page.close();

  const again = performance.now();
  const second = await romeo.window();
  await second.goto(url);
  await inside(second);
  await second.locator(".conversation").first().waitFor();
  note("the list of chats the next time", performance.now() - again);
}

if (process.argv[1]?.endsWith("core.mjs")) {
  const messages = Number(process.argv[2] ?? 10_000);
  console.log(`${messages} messages`);
  await catchUp(messages, (what, ms) => console.log(`${what.padEnd(62)} ${Math.round(ms)} ms`));
}
