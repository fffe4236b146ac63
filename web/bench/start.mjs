// How much comes over the network before somebody can do something, and how long that takes.

import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { arrive, begin, invitation, knows, register, seesEncrypted, signIn, write } from "../tests/acts.mjs";
import { Person } from "../tests/harness.mjs";

const SITE = new URL("../dist/site/", import.meta.url);
const ROUNDS = 5;
/** How much slower than this machine a telephone is taken to be. */
const THROTTLE = 4;

/** Sizes of the files of the first visit, as they are sent to a browser of today. */
export async function sizes() {
  const { files } = JSON.parse(await readFile(new URL("assets.json", SITE), "utf8"));
  const page = await readFile(new URL("index.html", SITE), "utf8");
  // Of what comes later it names the hashes only.
  const index = page.replaceAll(/<link rel="later"[^>]*>/g, "");
  const first = (path) =>
    index.includes(path) || path === "/index.html" || /\/core-|\/worker-/.test(path);
  const rows = [];
  for (const path of [...Object.keys(files), "/sw.js"]) {
    const plain = (await stat(new URL(`.${path}`, SITE))).size;
    const packed = await stat(new URL(`.${path}.br`, SITE)).catch(() => ({ size: plain }));
    rows.push({ path, plain, sent: packed.size, first: first(path) });
  }
  return rows;
}

/** Milliseconds from the click on a link until the first field or button can be used. */
export async function firstStart(browser, url) {
  const times = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const person = await Person.sit(browser);
    times.push(await started(person.page, url, { throttle: THROTTLE, wanted: "button, input" }));
    await person.context.close();
  }
  return times;
}

/**
 * Milliseconds from opening the link of an invitation until the first words to whoever sent it have arrived there,
 * encrypted. What somebody takes for reading and typing comes on top.
 */
export async function invited(browser, server) {
  const inviter = await Person.sit(browser, { size: "desktop" });
  await arrive(inviter, await server.invite("--admin"));
  await register(inviter, "mercutio");
  const link = await invitation(inviter);
  const guest = await Person.sit(browser);
  const start = performance.now();
  await arrive(guest, link);
  await register(guest, "benvolio");
  await knows(guest, "mercutio@localhost");
  await write(guest.page, "By my head, here come the Capulets.");
  await knows(inviter, "benvolio@localhost");
  await seesEncrypted(inviter.page, "here come the Capulets");
  const taken = performance.now() - start;
  await guest.context.close();
  await inviter.context.close();
  return taken;
}

/** The same without a network and as fast as this machine is: the service worker has the app. */
export async function laterStart(browser, url) {
  const person = await Person.sit(browser);
  await person.page.goto(url);
  await person.page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  return later(person, url, "button, input");
}

/** The same for somebody who has an account: until the list of chats is there. */
export async function laterStartWithAccount(browser, url, [address, password]) {
  const profile = await mkdtemp(join(tmpdir(), "clownfish-web-"));
  const person = await Person.sit(browser, { profile });
  await signIn(person, url, address, password);
  await begin(person.page, "juliet@localhost");
  await person.page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  const times = await later(person, url, ".conversation");
  await rm(profile, { recursive: true, force: true });
  return times;
}

async function later(person, url, wanted) {
  await person.page.close();
  await person.context.setOffline(true);
  const times = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const page = await person.window();
    times.push(await started(page, url, { throttle: 1, wanted }));
    await page.close();
  }
  await person.context.close();
  return times;
}

/** Milliseconds from the beginning of a navigation until something that is `wanted` is drawn. */
async function started(page, url, { throttle, wanted }) {
  const session = await page.context().newCDPSession(page);
  if (throttle > 1) await session.send("Emulation.setCPUThrottlingRate", { rate: throttle });
  await page.addInitScript((wanted) => {
    globalThis.usable = new Promise((resolve) => {
      const look = () => {
        const found = [...document.querySelectorAll(wanted)].find((one) => !one.disabled);
        if (!found?.checkVisibility()) return false;
        // Painted, and nothing that was begun before is still running.
        requestAnimationFrame(() => setTimeout(() => resolve(performance.now())));
        return true;
      };
      new MutationObserver((_, observer) => {
        if (look()) observer.disconnect();
      }).observe(document, { childList: true, subtree: true });
    });
  }, wanted);
  await page.goto(url, { waitUntil: "commit" });
  return await page.evaluate(() => globalThis.usable);
}
