// What goes wrong, against a real server: each time the screen says what is, and nothing is lost.

import assert from "node:assert/strict";
import { test } from "node:test";

import { composer, inside, message, open, sees, seesEncrypted, signIn, ticks, write } from "./acts.mjs";
import { becomes, eventually, NO_SERVER, Person } from "./harness.mjs";
import { PASSWORD, stage } from "./stage.mjs";

const there = stage();
const people = there.pair;

test("without a server the app starts, and sends when there is one", async () => {
  const [anna, bert] = await people("anna", "bert");
  const stranger = await Person.sit(there.browser, { name: "a stranger" });
  await stranger.page.goto(there.server.url);
  await stranger.page.getByRole("button", { name: "Sign in" }).first().waitFor();
  await write(anna.page, "The clock struck nine when I did send the nurse");
  await ticks(anna.page, "struck nine", /Delivered|Read/);
  await anna.page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  for (const person of [anna, bert, stranger]) person.expects(NO_SERVER);
  await there.server.stop();

  await anna.page.reload();
  await inside(anna.page);
  await sees(anna.page, "struck nine");
  await write(anna.page, "In half an hour she promised to return");
  await ticks(anna.page, "half an hour", "Waiting to be sent");
  await anna.page.getByText(/No connection|Connecting/).first().waitFor();
  await anna.accessible();

  const { page } = stranger;
  await page.getByRole("button", { name: "Sign in" }).first().click();
  await page.getByRole("textbox", { name: "Address" }).fill("bert@localhost");
  await page.getByRole("textbox", { name: "Password" }).fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).last().click();
  await page.getByText("The server localhost does not answer").waitFor();
  const again = page.getByRole("button", { name: "Try again" });
  await again.waitFor();

  await there.server.begin();
  await ticks(anna.page, "half an hour", /Delivered|Read/);
  await seesEncrypted(bert.page, "half an hour");
  // It may have got in by itself meanwhile.
  await again.click({ timeout: 5_000 }).catch(() => undefined);
  await inside(page);
  for (const person of [anna, bert, stranger]) await person.leave();
});

test("a password that was changed elsewhere is asked for, and nothing is lost", async () => {
  const [clara, dora] = await people("clara", "dora");
  const { page } = clara;
  await write(page, "Before the change");
  await ticks(page, "Before the change", /Delivered|Read/);
  clara.expects(NO_SERVER);
  dora.expects(NO_SERVER);
  await there.server.setPassword("clara", "another rose");
  await page.getByRole("button", { name: "Sign in again" }).waitFor();
  await write(page, "Written while nobody let me in");
  await ticks(page, "nobody let me in", "Waiting to be sent");
  await clara.accessible();
  await page.getByRole("button", { name: "Sign in again" }).click();
  const dialog = page.getByRole("dialog", { name: "Sign in again" });
  await dialog.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.keyboard.press("Enter");
  await dialog.getByText("The password is not right.").waitFor();
  await dialog.getByLabel("Password", { exact: true }).fill("another rose");
  await page.keyboard.press("Enter");
  await dialog.waitFor({ state: "detached" });
  await ticks(page, "nobody let me in", /Delivered|Read/);
  await seesEncrypted(dora.page, "nobody let me in");
  await sees(page, "Before the change");
  await clara.leave();
  await dora.leave();
});

test("a token that has expired is replaced, and nobody is asked for anything", async () => {
  const [ulrich, vera] = await people("ulrich", "vera");
  for (const person of [ulrich, vera]) person.expects(NO_SERVER);
  await there.server.stop();
  await there.server.expireTokens("ulrich");
  await write(ulrich.page, "Written while the token expired");
  await there.server.begin();
  await ticks(ulrich.page, "the token expired", /Delivered|Read/);
  await seesEncrypted(vera.page, "the token expired");
  assert.equal(await ulrich.page.getByRole("button", { name: "Sign in again" }).count(), 0);
  await ulrich.leave();
  await vera.leave();
});

test("a core that panics is followed by one that goes on from the store", async () => {
  const [emil, fritz] = await people("emil", "fritz");
  await write(emil.page, "Said before");
  await ticks(emil.page, "Said before", /Delivered|Read/);
  const [worker] = emil.page.workers();
  const ended = worker.waitForEvent("close");
  await worker.evaluate(() => {
    // As WebAssembly ends when Rust panics.
    setTimeout(() => {
      throw new WebAssembly.RuntimeError("unreachable executed");
    });
  });
  await ended;
  // Written into the gap: it waits for the next one.
  await write(emil.page, "Said into the gap");
  await ticks(emil.page, "into the gap", /Delivered|Read/);
  await sees(emil.page, "Said before");
  await seesEncrypted(fritz.page, "into the gap");
  await write(fritz.page, "Heard");
  await seesEncrypted(emil.page, "Heard");
  await emil.leave();
  await fritz.leave();
});

test("storage that was wiped under the page leaves a device that is new, and says so", async () => {
  const [greta, hans] = await people("greta", "hans");
  await write(greta.page, "Kept by the server only");
  await ticks(greta.page, "Kept by the server", /Delivered|Read/);
  const devtools = await greta.context.newCDPSession(greta.page);
  await devtools.send("Storage.clearDataForOrigin", { origin: new URL(there.server.url).origin, storageTypes: "all" });
  greta.expects(/storage|NotFoundError|service worker|ServiceWorker/i);
  await eventually(greta.page, async () => (await navigator.serviceWorker.getRegistrations()).length === 0);
  // The page goes on as it was: one that loaded itself again meanwhile could not be closed.
  await inside(greta.page);
  await greta.page.close();
  greta.page = await greta.window();
  await greta.page.goto(there.server.url);
  // What remembered the account went as well, unless the page noted it again before it was closed.
  await greta.page.getByRole("heading", { name: /Welcome to Clownfish|What was kept on this device is gone/ }).waitFor();
  await signIn(greta, there.server.url, "greta@localhost", PASSWORD);
  await open(greta.page, "hans@localhost");
  await greta.page.getByText("was not encrypted for this device").first().waitFor();
  await write(greta.page, "It is me, with new keys");
  await seesEncrypted(hans.page, "with new keys");
  await hans.page.getByText("greta@localhost uses a new device.").first().waitFor();
  await greta.leave();
  await hans.leave();
});

test("a full disk is told, what was written stays in the field, and goes out when there is room", async () => {
  const [otto, paula] = await people("otto", "paula");
  await write(otto.page, "While there was room");
  await ticks(otto.page, "there was room", /Delivered|Read/);
  const devtools = await otto.context.newCDPSession(otto.page);
  const { origin } = new URL(there.server.url);
  await devtools.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: 1 });
  otto.expects(/quota|storage/i);
  const long = "A long story. ".repeat(1_000);
  const full = otto.page.getByText("Nothing can be kept on this device").first();
  // What the browser had set aside for the files is used up first: each story is kept, or is not.
  for (let round = 0; round < 200 && !(await full.isVisible()); round += 1) {
    await write(otto.page, `Story ${round}. ${long}`);
    await message(otto.page, `Story ${round}.`).or(full).first().waitFor();
  }
  await full.waitFor();
  await otto.accessible();
  await composer(otto.page).fill("Not to be lost");
  await devtools.send("Storage.overrideQuotaForOrigin", { origin });
  await otto.page.getByText("Nothing can be kept on this device").waitFor({ state: "detached" });
  await becomes(() => composer(otto.page).inputValue(), "Not to be lost");
  await otto.page.getByRole("button", { name: "Send", exact: true }).click();
  await ticks(otto.page, "Not to be lost", /Delivered|Read/);
  await seesEncrypted(paula.page, "Not to be lost");
  await sees(otto.page, "there was room");
  await otto.leave();
  await paula.leave();
});

/** Sets the clock of a page, or of a worker, ahead. */
const setAhead = (days) => {
  const real = Date.now.bind(Date);
  Date.now = () => real() + days * 86_400_000;
};

for (const [days, words] of [[400, "The clock of this device is 400 days fast"], [-400, "The clock of this device is 400 days slow"]]) {
  test(`a clock that is ${days} days off is told, and everything arrives`, async () => {
    const names = days > 0 ? ["quentin", "rosa"] : ["sam", "tilda"];
    const [one, other] = await people(...names);
    await one.context.addInitScript(setAhead, days);
    one.page.on("worker", (worker) => void worker.evaluate(setAhead, days).catch(() => undefined));
    await one.page.reload();
    await one.page.getByText(words).waitFor();
    for (const person of [one, other]) person.expects(NO_SERVER);
    // Logged in anew while the clock is wrong, of the worker as well.
    await there.server.stop();
    await write(one.page, "By the wrong clock");
    await write(other.page, "By the right clock");
    await there.server.begin();
    await ticks(one.page, "By the wrong clock", /Delivered|Read/);
    await seesEncrypted(other.page, "By the wrong clock");
    await seesEncrypted(one.page, "By the right clock");
    await one.accessible();
    await one.leave();
    await other.leave();
  });
}

/** What somebody might send to break the page of another. */
const HOSTILE = {
  markup: "<img src=x onerror=alert(1)><script>alert(2)</script> <a href='javascript:alert(3)'>press</a> MARKUP",
  bidi: "‮TIDIB si siht‬ ⁦and⁩ ‏this BIDI",
  zalgo: `${"Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́Ǫ̵̹̻̝̳͂̌̌͘".repeat(60)} ZALGO`,
  unbroken: `${"W".repeat(5_000)}UNBROKEN`,
  giant: `${"A giant text. ".repeat(1_500)} GIANT`,
  lines: `${"\n".repeat(500)}LINES`,
  styles: `${"*_~`".repeat(500)} STYLES`,
};

test("hostile messages and broken files are shown as what they are, and break nothing", async () => {
  const [ida, karl] = await people("ida", "karl");
  for (const [name, text] of Object.entries(HOSTILE)) {
    await write(ida.page, text);
    await message(karl.page, name.toUpperCase()).or(karl.page.getByText(/Show all|Show more/).last()).first().waitFor();
  }
  await ida.page.locator(".composer-file").last().setInputFiles([
    { name: "no-picture.png", mimeType: "image/png", buffer: Buffer.from("this is no picture") },
    { name: "‮gnp.exe", mimeType: "application/x-msdownload", buffer: Buffer.from("MZ") },
    { name: "page.svg", mimeType: "image/svg+xml", buffer: Buffer.from("<svg xmlns='http://www.w3.org/2000/svg' onload='alert(4)'/>") },
  ]);
  await ida.page.getByRole("button", { name: "Send", exact: true }).click();
  // What cannot be drawn cannot be made smaller either.
  await ida.page.getByRole("dialog").getByRole("button", { name: "Send as it is" }).click();
  await karl.page.getByText("This file cannot be shown").waitFor();
  await karl.page.getByRole("button", { name: /^Download page\.svg/ }).waitFor();
  for (const person of [ida, karl]) {
    const found = await person.page.evaluate(() => {
      const box = document.querySelector(".timeline-box");
      const live = box.querySelectorAll("script, iframe, object, embed, svg [onload], [onerror], a[href^='javascript']").length;
      return { live, wide: box.scrollWidth > box.clientWidth, page: document.documentElement.scrollWidth > innerWidth };
    });
    assert.deepEqual(found, { live: 0, wide: false, page: false });
    await person.accessible();
  }
  await write(karl.page, "Is that all?");
  await seesEncrypted(ida.page, "Is that all?");
  await ida.leave();
  await karl.leave();
});

test("an upload that is called off sends nothing, and another one goes through", async () => {
  const [lena, max] = await people("lena", "max");
  let hold = true;
  const held = [];
  await lena.context.route("**/upload/**", (route) => (hold ? held.push(route) : route.continue()));
  const give = async (name) => {
    const file = { name, mimeType: "application/pdf", buffer: Buffer.alloc(100_000, 7) };
    await lena.page.locator(".composer-file").last().setInputFiles([file]);
    await lena.page.getByRole("button", { name: "Send", exact: true }).click();
  };
  await give("called-off.pdf");
  await lena.page.getByRole("button", { name: "Cancel the transfer" }).click();
  await lena.page.getByRole("button", { name: "Cancel the transfer" }).waitFor({ state: "detached" });
  hold = false;
  for (const route of held) await route.abort().catch(() => undefined);
  await give("goes-through.pdf");
  await max.page.getByText("goes-through").first().waitFor();
  assert.equal(await max.page.getByText("called-off").count(), 0);
  await lena.leave();
  await max.leave();
});
