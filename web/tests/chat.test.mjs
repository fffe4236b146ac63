// From an invitation to a conversation: two people, each in a browser of their own, on a phone and at a
// desk.

import assert from "node:assert/strict";
import { test } from "node:test";

import { arrive, inside, invitation, knows, register, sees, seesEncrypted, ticks, write } from "./acts.mjs";
import { becomes, NO_SERVER, Person } from "./harness.mjs";
import { stage } from "./stage.mjs";

const there = stage();

test("an invitation becomes an encrypted conversation", async () => {
  const romeo = await Person.sit(there.browser, { name: "romeo", size: "desktop" });
  await romeo.context.addInitScript(() => {
    const { persist } = navigator.storage;
    navigator.storage.persist = function () {
      globalThis.askedToKeep = true;
      return persist.call(this);
    };
  });
  await arrive(romeo, await there.server.invite("--admin"));
  await plainWords(romeo);
  await romeo.accessible();
  await romeo.picture("welcome-desktop");
  await register(romeo, "romeo");
  // The browser is asked to keep what is stored.
  await romeo.page.waitForFunction(() => globalThis.askedToKeep);
  await romeo.accessible();
  await romeo.picture("empty-desktop");

  const link = await invitation(romeo);
  const juliet = await Person.sit(there.browser, { name: "juliet", size: "phone" });
  await arrive(juliet, link);
  await juliet.page.getByText("romeo", { exact: false }).first().waitFor();
  await plainWords(juliet);
  await juliet.accessible();
  await juliet.picture("welcome-phone");
  await register(juliet, "juliet");
  await plainWords(juliet);

  await knows(romeo, "juliet@localhost");
  await knows(juliet, "romeo@localhost");
  await write(romeo.page, "But soft, what light through yonder window breaks?");
  await seesEncrypted(juliet.page, "what light through yonder window");
  await ticks(romeo.page, "what light", /Delivered|Read/);
  await write(juliet.page, "O Romeo, Romeo, wherefore art thou Romeo?");
  await seesEncrypted(romeo.page, "wherefore art thou");
  await ticks(juliet.page, "wherefore", /Delivered|Read/);
  for (const person of [romeo, juliet]) {
    await plainWords(person);
    await person.accessible();
  }
  await romeo.picture("chat-desktop");
  await juliet.picture("chat-phone");

  assert.ok(await there.server.holds("juliet"), "the files of the server can be searched");
  assert.ok(!(await there.server.holds("yonder")), "and hold nothing of what was written");
  await reload(juliet);
  await gone(romeo, juliet);
  await romeo.leave();
  await juliet.leave();
});

test("an invitation speaks German to whoever reads German, and keeps nobody out", async () => {
  const link = await there.server.invite();
  for (const [lang, size, theme, heading] of [
    ["de", "phone", "light", "Du bist zu localhost eingeladen"],
    ["en", "desktop", "dark", "You are invited to localhost"],
  ]) {
    const guest = await Person.sit(there.browser, { lang, size, theme });
    await guest.page.goto(link);
    await guest.page.getByRole("heading", { name: heading }).waitFor();
    assert.equal(await guest.page.evaluate(() => document.documentElement.lang), lang);
    await guest.accessible();
    await guest.picture(`invitation-${lang}-${size}`);
    await guest.page.goto(new URL("/about", link).href);
    await guest.page.getByRole("heading", { name: "localhost" }).waitFor();
    await guest.accessible();
    await guest.leave();
  }
});

test("one press makes an account with the name that is proposed", async () => {
  const guest = await Person.sit(there.browser);
  await arrive(guest, await there.server.invite());
  const name = await guest.page.getByRole("textbox", { name: "Your name" }).inputValue();
  await guest.page.getByRole("button", { name: /^Start chatting/ }).click();
  await inside(guest.page);
  await becomes(() => there.server.holds(name.toLowerCase().replace(" ", ".")), true, "the server knows the account");
  await guest.leave();
});

test("an account that is deleted is gone from the server, too", async () => {
  const paris = await there.sit("paris");
  await paris.page.evaluate(() => {
    location.hash = "#/settings/account";
  });
  await paris.page.getByRole("button", { name: /^Delete account/ }).click();
  const dialog = paris.page.getByRole("dialog");
  await dialog.getByRole("textbox").fill("paris@localhost");
  await dialog.getByRole("button", { name: "Delete account" }).click();
  await paris.page.getByRole("button", { name: "Sign in" }).waitFor();
  await becomes(async () => /paris/.test(await there.server.run("account", "list")), false);
  await paris.leave();
});

test("an account of another server is told where to go", async () => {
  const guest = await Person.sit(there.browser);
  await guest.page.goto(there.server.url);
  await guest.page.getByRole("button", { name: "Sign in" }).first().click();
  await guest.page.getByRole("textbox", { name: "Address" }).fill("romeo@verona.example");
  await guest.page.getByRole("textbox", { name: "Password" }).fill("montague");
  await guest.page.getByRole("button", { name: "Sign in" }).last().click();
  await guest.page.getByText("Accounts of verona.example do not seem to be on the server that this page comes from").waitFor();
  await guest.leave();
});

/** Nobody has to know what the encryption is called: it is in no text, and in nothing that is read aloud. */
async function plainWords({ page }) {
  assert.doesNotMatch(await page.content(), /omemo/i);
}

async function reload(person) {
  await person.page.reload();
  await inside(person.page);
  await seesEncrypted(person.page, "wherefore art thou");
}

/** The server goes away and comes back: what was written meanwhile is sent then. */
async function gone(writer, reader) {
  for (const person of [writer, reader]) person.expects(NO_SERVER);
  await there.server.stop();
  await write(writer.page, "Shall I hear more, or shall I speak at this?");
  await sees(writer.page, "shall I speak at this");
  await ticks(writer.page, "shall I speak", "Waiting to be sent");
  await writer.page.getByText(/No connection|Connecting/).first().waitFor();
  await there.server.begin();
  await seesEncrypted(reader.page, "shall I speak at this");
  await ticks(writer.page, "shall I speak", /Delivered|Read/);
}
