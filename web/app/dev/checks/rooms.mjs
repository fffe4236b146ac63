// Groups and channels on the sample, and conversations that are looked at somewhere in their past.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { AT_ONCE, becomes, hears, page, settled } from "./seat.mjs";

const MASQUE = "masque%40conference.anemone.example";
const GARDEN = "garden%40conference.illyria.example";
const PLAYERS = "players%40conference.elsinore.example";
const LONG = "bench@anemone.example";

const button = (on, name) => on.getByRole("button", { name, exact: true });
const composer = (on) => on.getByRole("textbox", { name: "Message" });
const until = (on, what, arg) => on.waitForFunction(what, arg);
/** What the page asks its core for, from now on. */
const listen = (on) =>
  on.evaluate(() => {
    globalThis.asked = [];
    const { core } = globalThis.store;
    const request = core.request.bind(core);
    core.request = (command) => {
      globalThis.asked.push(command);
      return request(command);
    };
  });
const asked = (on, what) => on.evaluate((what) => globalThis.asked.filter((one) => one.do === what), what);

describe("groups", { concurrency: AT_ONCE }, () => {
  test("others have a name and a face on the first of what belongs together", async (t) => {
    const on = await page(t, { route: `chat/${MASQUE}` });
    await on.getByText("This one is for Tybalt").waitFor();
    const rows = await on.evaluate(() =>
      [...document.querySelectorAll("[data-message]")].slice(-3).map((row) => ({
        author: row.querySelector(".bubble-author")?.textContent ?? null,
        face: row.querySelector(".message-face") !== null,
        us: row.querySelector(".bubble-names-us") !== null,
      })),
    );
    assert.deepEqual(rows, [
      { author: "Mercutio", face: true, us: false },
      { author: null, face: false, us: false },
      { author: "Benvolio", face: true, us: true },
    ]);
    assert.equal(await on.locator(".message-row-own .bubble-author").count(), 0);
  });

  test("an @ offers the people, and Enter takes one instead of sending", async (t) => {
    const on = await page(t, { route: `chat/${MASQUE}` });
    await composer(on).fill("Ask @me");
    const list = on.getByRole("listbox", { name: "Who to mention" });
    await list.getByRole("option", { name: "Mercutio" }).waitFor();
    await on.keyboard.press("Enter");
    await list.waitFor({ state: "detached" });
    await becomes(() => composer(on).inputValue(), "Ask @Mercutio ");
    await composer(on).pressSequentially("@");
    await list.waitFor();
    await on.keyboard.press("Escape");
    await list.waitFor({ state: "detached" });
    assert.equal(await composer(on).inputValue(), "Ask @Mercutio @");
  });

  test("a mention is seen in the list and gone when it was read", async (t) => {
    const on = await page(t);
    const line = on.getByRole("link", { name: /The masque/ });
    await line.getByText("You are mentioned").waitFor();
    await line.click();
    await until(on, () => document.querySelectorAll('.conversation[data-address^="masque"] .unread').length === 0);
  });

  test("a group is made with people from the contacts", async (t) => {
    const on = await page(t, { route: "group", size: "phone" });
    await listen(on);
    const field = on.getByRole("searchbox", { name: "Find a contact, or type an address" });
    await field.fill("benv");
    await on.getByRole("checkbox", { name: /Benvolio/ }).click();
    await field.fill("anna@example.org");
    await button(on, "Add anna@example.org").click();
    await button(on, "Make the group").click();
    await until(on, () => location.hash.startsWith("#/chat/"));
    const [made] = await asked(on, "createRoom");
    assert.deepEqual(made.people, ["benvolio@verona.example", "anna@example.org"]);
    assert.equal(made.name, "Benvolio, anna, Juliet");
    assert.equal(made.public, false);
    await on.getByRole("heading", { name: "Group details" }).waitFor({ state: "detached" });
  });

  test("an invitation of a contact stands in the list, and is answered in the conversation", async (t) => {
    const on = await page(t);
    await on.getByRole("link", { name: /The players.*Benedick invites you/ }).click();
    await listen(on);
    await button(on, "Join").click();
    await composer(on).waitFor();
    await becomes(async () => (await asked(on, "joinRoom"))[0]?.address, "players@conference.elsinore.example");
  });

  test("a declined invitation leaves the list", async (t) => {
    const on = await page(t, { route: `chat/${PLAYERS}` });
    await button(on, "Decline").click();
    await until(on, () => location.hash === "#/list");
    await on.getByRole("link", { name: /The players/ }).waitFor({ state: "detached" });
  });

  test("a channel says that it is open, and offers no encryption that it cannot have", async (t) => {
    const on = await page(t, { route: `chat/${GARDEN}` });
    await on.getByText("Everybody who enters can read along. Nothing here is encrypted.").waitFor();
    await button(on, "Open: cannot be encrypted").click();
    const dialog = on.getByRole("dialog");
    await dialog.getByText(/open to everybody/).waitFor();
    assert.equal(await dialog.getByRole("button", { name: /[Ee]ncrypt/ }).count(), 0);
  });

  test("owners change what others are, and close the group", async (t) => {
    const on = await page(t, { route: `details/${MASQUE}` });
    await listen(on);
    await on.getByRole("button", { name: /^Benvolio|^B ?Benvolio/ }).last().click();
    await on.getByRole("menuitem", { name: "Make admin" }).click();
    await until(on, () => globalThis.asked.some((one) => one.do === "setAffiliation"));
    assert.deepEqual((await asked(on, "setAffiliation")).map((one) => [one.person, one.affiliation]), [
      ["benvolio@verona.example", "admin"],
    ]);
    await button(on, "Close for everybody").click();
    await on.getByRole("dialog").getByRole("button", { name: "Close for everybody" }).click();
    await on.getByText("You are not in this group: it was closed by an owner").first().waitFor();
  });

  test("a link to a group is made when it is asked for, and all of them are withdrawn", async (t) => {
    const on = await page(t, { route: `details/${MASQUE}` });
    await listen(on);
    await on.getByRole("button", { name: /^Invite by link/ }).click();
    const dialog = on.getByRole("dialog", { name: /^Link to/ });
    await dialog.getByText(/whoever has the link can come in/).waitFor();
    assert.deepEqual(await asked(on, "roomLink"), [], "nothing is made by looking");
    await dialog.getByRole("button", { name: "Make a link" }).click();
    await dialog.getByRole("img", { name: "The link as a QR code" }).waitFor();
    await becomes(() => dialog.getByRole("status").first().textContent(), "The link is made. Good for 7 days.");
    await dialog.getByRole("button", { name: "Make a link" }).waitFor({ state: "detached" });
    assert.deepEqual((await asked(on, "roomLink")).map((one) => one.seconds), [604_800]);
    await dialog.getByRole("button", { name: "Withdraw all links" }).click();
    await on.getByRole("button", { name: "Withdraw", exact: true }).click();
    await hears(on, "1 link is withdrawn");
    await dialog.getByRole("button", { name: "Make a link" }).waitFor();
    assert.equal((await asked(on, "revokeRoomLinks")).length, 1);
  });

  test("links that are good are there again when the dialog is opened, and at the limit it says so", async (t) => {
    const on = await page(t, { route: `details/${MASQUE}` });
    const dialog = on.getByRole("dialog", { name: /^Link to/ });
    const look = () => on.getByRole("button", { name: /^Invite by link/ }).click();
    for (let made = 0; made < 2; made += 1) {
      await look();
      await dialog.getByRole("button", { name: "Make a link" }).click();
      await dialog.getByRole("img", { name: "The link as a QR code" }).waitFor();
      await on.keyboard.press("Escape");
      await dialog.waitFor({ state: "detached" });
    }
    await look();
    await dialog.getByRole("button", { name: "Good for 7 days." }).nth(1).waitFor();
    await dialog.getByRole("button", { name: "Make a link" }).click();
    await dialog.getByText("This group has as many links as it can.", { exact: false }).waitFor();
    await dialog.getByRole("button", { name: "Good for 7 days." }).first().click();
    await dialog.getByRole("img", { name: "The link as a QR code" }).waitFor();
    await becomes(() => dialog.getByRole("status").first().textContent(), "Good for 7 days.");
    await dialog.getByText(/^http.*#\/enter\/masque%40conference\.anemone\.example\/7d1e4b9f2c0\/The%20masque$/).waitFor();
  });

  test("who is refused asks with some words, sees that it was asked, and takes it back", async (t) => {
    const on = await page(t, { route: "join/members%40conference.example.org", size: "phone" });
    await listen(on);
    await on.getByLabel("Your name there").fill("Viola");
    await button(on, "Join").click();
    await button(on, "Ask to be let in").click();
    await on.getByLabel(/A few words about you/).fill("I sing");
    await button(on, "Send request").click();
    await on.getByText(/^You asked to be let in: .*An admin decides\.$/).waitFor();
    assert.deepEqual((await asked(on, "askToJoin")).map((one) => [one.nick, one.words]), [["Viola", "I sing"]]);
    await button(on, "Take the request back").click();
    await button(on, "Ask to be let in").waitFor();
    assert.equal((await asked(on, "withdrawJoinRequest")).length, 1);
  });

  test("who asks to be let in is named by their address, and each answer leads on to the next", async (t) => {
    const on = await page(t, { route: `details/${MASQUE}` });
    await on.getByRole("button", { name: /^Invite by link/ }).waitFor();
    await on.evaluate((room) => globalThis.sample.asks(decodeURIComponent(room), [
      { nick: "Benvolio", address: "iago@venice.example", words: "benvolio@verona.example" },
      { nick: "Feste", address: null, words: null },
    ]), MASQUE);
    const first = on.locator(".row", { hasText: "iago@venice.example" });
    await first.getByText("“benvolio@verona.example”", { exact: true }).waitFor();
    await on.locator(".row", { hasText: "Feste" }).getByText("Address unknown", { exact: true }).waitFor();
    // In the conversation it can be answered as long as nobody has.
    await on.evaluate((room) => {
      const address = decodeURIComponent(room);
      const old = globalThis.store.window(address).messages.at(-1);
      const content = { is: "asks", nick: "Feste", address: null };
      globalThis.tell({ is: "messages", address, messages: [{ ...old, id: 999_999, place: `${old.place}z`, content }] });
    }, MASQUE);
    await on.getByText("“Feste” (address unknown) asks to be let in.").first().waitFor();
    await button(on, "Answer").waitFor();
    await first.getByRole("button", { name: "Do not let Benvolio in" }).click();
    await first.waitFor({ state: "detached" });
    await until(on, () => document.activeElement.getAttribute("aria-label") === "Do not let Feste in");
    await on.keyboard.press("Enter");
    await on.getByText("Requests to join").waitFor({ state: "detached" });
    await until(on, () => document.activeElement.classList.contains("page-title"));
    await button(on, "Answer").waitFor({ state: "detached" });
  });

  test("what happened stands in small lines, of many only the last until all are wanted", async (t) => {
    const on = await page(t, { route: `chat/${MASQUE}` });
    const row = on.locator(".happenings");
    await row.getByText("The subject is now “Saturday at the Capulets’”").waitFor();
    assert.equal(await row.getByText("Romeo joined").count(), 0);
    await row.getByRole("button", { name: "3 earlier changes" }).click();
    await row.getByText("Romeo joined").waitFor();
    await becomes(() => row.getByRole("listitem").count(), 6);
    await becomes(() => row.getByRole("button").count(), 0);
  });

  test("owners change its name and its picture, and others do not", async (t) => {
    const on = await page(t, { route: `details/${MASQUE}` });
    await listen(on);
    await button(on, "Rename").click();
    await on.getByLabel("Name of the group").fill("The feast");
    await on.keyboard.press("Enter");
    await on.getByRole("heading", { name: "The feast" }).first().waitFor();
    await on.getByText("It is called The feast now").first().waitFor();
    await on.getByLabel("Choose a picture").setInputFiles({ name: "mask.png", mimeType: "image/png", buffer: Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==", "base64") });
    await on.getByRole("dialog").getByRole("button", { name: "Use picture" }).click();
    await until(on, () => globalThis.asked.some((one) => one.do === "setRoomAvatar" && one.png));
    await button(on, "Change picture").click();
    await on.getByRole("menuitem", { name: /Remove/ }).click();
    await until(on, () => globalThis.asked.some((one) => one.do === "setRoomAvatar" && one.png === null));
    await on.evaluate((route) => (location.hash = route), `#/details/${GARDEN}`);
    await on.getByRole("heading", { name: "Channel details" }).waitFor();
    assert.equal(await button(on, "Rename").count(), 0);
  });

  test("joining by a link that leads nowhere says so, and one that leads somewhere goes there", async (t) => {
    const on = await page(t, { route: "join/", size: "phone" });
    const field = on.getByLabel("Address or link");
    await field.fill("no address");
    await button(on, "Join").click();
    await on.getByText("This is neither the address of a channel nor a link to one.").waitFor();
    await field.fill("xmpp:nowhere@conference.example.org?join");
    await button(on, "Join").click();
    await on.getByText(/it does not exist/).waitFor();
    await field.fill("xmpp:tavern@conference.example.org?join");
    await button(on, "Join").click();
    await until(on, () => location.hash.startsWith("#/chat/tavern"));
  });

  test("a link with a secret is a question by name, and its secret stays nowhere", async (t) => {
    const link = "xmpp:mf3k2j@conference.example.org?join;password=7d1e4b9f2c;name=The%20tavern";
    const on = await page(t, { route: `join/${encodeURIComponent(link)}`, size: "phone" });
    await listen(on);
    await on.getByRole("heading", { name: "Join the group “The tavern”?" }).waitFor();
    await until(on, () => location.hash === "#/join/mf3k2j%40conference.example.org");
    assert.equal(await on.getByLabel("Address or link").count(), 0);
    await button(on, "Another group or channel").click();
    // Pasted, it is the same.
    await on.getByLabel("Address or link").fill(link);
    await on.getByRole("heading", { name: "Join the group “The tavern”?" }).waitFor();
    await button(on, "Join").click();
    await until(on, () => location.hash.startsWith("#/chat/mf3k2j"));
    assert.deepEqual((await asked(on, "joinRoom")).map((one) => one.password), ["7d1e4b9f2c"]);
  });

  test("the page of a link to a group asks who has an account, and tells others that it takes one", async (t) => {
    const route = "enter/mf3k2j%40conference.example.org/7d1e4b9f2c/The%20tavern";
    const on = await page(t, { route, size: "phone" });
    await on.getByRole("heading", { name: "Join the group “The tavern”?" }).waitFor();
    await until(on, () => location.hash === "#/join/mf3k2j%40conference.example.org");
    const nobody = await page(t, { route, size: "phone", query: "signedOut=" });
    await nobody.getByText(/A link into the group “The tavern” led you here/).waitFor();
    const uri = await nobody.getByRole("link", { name: "Open it in another app" }).getAttribute("href");
    assert.equal(uri, "xmpp:mf3k2j@conference.example.org?join;password=7d1e4b9f2c");
    await until(nobody, () => !location.hash.includes("7d1e"));
    // Who signs in is asked then.
    await button(nobody, "Sign in").click();
    await nobody.getByLabel("Address").fill("juliet@anemone.example");
    await nobody.getByLabel("Password", { exact: true }).fill("wherefore art thou");
    await nobody.keyboard.press("Enter");
    await nobody.getByRole("heading", { name: "Join the group “The tavern”?" }).waitFor();
  });
});

describe("somewhere in the past", { concurrency: AT_ONCE }, () => {
  const open = async (t) => {
    const on = await page(t, { route: `chat/${encodeURIComponent(LONG)}`, query: "messages=2000" });
    await until(on, (long) => globalThis.store.window(long)?.messages.length >= 60, LONG);
    await listen(on);
    return on;
  };
  const first = (on) => on.evaluate((long) => globalThis.store.window(long).messages[0].id, LONG);
  const leap = (on, back) =>
    on.evaluate((id) => {
      location.hash = `#/chat/${encodeURIComponent("bench@anemone.example")}/${id}`;
      dispatchEvent(new PopStateEvent("popstate"));
    }, back);

  test("a message that is not loaded is jumped to, without what lies between", async (t) => {
    const on = await open(t);
    const id = (await first(on)) - 1500;
    await leap(on, id);
    await on.locator(`[data-message="${id}"]`).waitFor();
    assert.ok((await asked(on, "older")).length <= 1, "pages of what lies between were loaded");
    assert.ok(await on.evaluate((long) => globalThis.store.window(long).newer, LONG));
    await settled(on);
    const box = await on.locator(".timeline-box").boundingBox();
    const row = await on.locator(`[data-message="${id}"]`).boundingBox();
    assert.ok(row.y > box.y && row.y < box.y + box.height, "it is in sight");
  });

  test("newer pages come on the way down, and do not carry the reader along", async (t) => {
    const on = await open(t);
    const id = (await first(on)) - 1500;
    await leap(on, id);
    await on.locator(`[data-message="${id}"]`).waitFor();
    await settled(on);
    const count = await on.evaluate((long) => globalThis.store.window(long).messages.length, LONG);
    await on.evaluate(() => {
      const box = document.querySelector(".timeline-box");
      box.scrollTop = box.scrollHeight;
    });
    await until(on, ([long, count]) => globalThis.store.window(long).messages.length > count, [LONG, count]);
    await settled(on);
    const asks = (await asked(on, "newer")).length;
    assert.ok(asks <= 3, `${asks} pages for one screen`);
    assert.ok(await on.evaluate((long) => globalThis.store.window(long).newer, LONG), "the end is far away");
  });

  test("one button leads back to the latest message", async (t) => {
    const on = await open(t);
    await leap(on, (await first(on)) - 1500);
    await until(on, (long) => globalThis.store.window(long).newer, LONG);
    await on.getByRole("button", { name: /Jump to the latest message/ }).click();
    await on.getByText("The end of a very long conversation").last().waitFor();
    await until(on, (long) => !globalThis.store.window(long).newer, LONG);
  });

  test("what is written is shown at the end", async (t) => {
    const on = await open(t);
    await leap(on, (await first(on)) - 1500);
    await until(on, (long) => globalThis.store.window(long).newer, LONG);
    await composer(on).fill("Back again");
    await on.keyboard.press("Enter");
    await on.locator(".message-row-own").getByText("Back again").waitFor();
    await until(on, (long) => !globalThis.store.window(long).newer, LONG);
  });
});

describe("what could not be fetched", { concurrency: AT_ONCE }, () => {
  /** Requests of this kind fail, so often. */
  const breaks = (on, what, times) =>
    on.evaluate(
      ([what, times]) => {
        const { core } = globalThis.store;
        const request = core.request.bind(core);
        core.request = async (command) => {
          if (command.do !== what || times-- <= 0) return request(command);
          return { is: "failed", problem: { kind: "timeout", words: "no answer" } };
        };
      },
      [what, times],
    );

  test("an older page that failed is asked for again where it is missing", async (t) => {
    const on = await page(t, { query: "messages=400" });
    await breaks(on, "older", 1);
    await on.evaluate((long) => (location.hash = `#/chat/${encodeURIComponent(long)}`), LONG);
    await until(on, (long) => globalThis.store.window(long)?.messages.length >= 60, LONG);
    await on.evaluate(() => (document.querySelector(".timeline-box").scrollTop = 0));
    await on.getByText("Older messages could not be loaded.").waitFor();
    const count = await on.evaluate((long) => globalThis.store.window(long).messages.length, LONG);
    await button(on, "Try again").click();
    await until(on, ([long, count]) => globalThis.store.window(long).messages.length > count, [LONG, count]);
    await on.getByText("Older messages could not be loaded.").waitFor({ state: "detached" });
  });

  test("a newer page as well", async (t) => {
    const on = await page(t, { route: `chat/${encodeURIComponent(LONG)}`, query: "messages=2000" });
    await until(on, (long) => globalThis.store.window(long)?.messages.length >= 60, LONG);
    const id = await on.evaluate((long) => globalThis.store.window(long).messages[0].id - 1500, LONG);
    await breaks(on, "newer", 1);
    await on.evaluate((id) => {
      location.hash = `#/chat/${encodeURIComponent("bench@anemone.example")}/${id}`;
      dispatchEvent(new PopStateEvent("popstate"));
    }, id);
    await on.locator(`[data-message="${id}"]`).waitFor();
    await on.evaluate(() => {
      const box = document.querySelector(".timeline-box");
      box.scrollTop = box.scrollHeight;
    });
    await on.getByText("Newer messages could not be loaded.").waitFor();
    await button(on, "Try again").click();
    await on.getByText("Newer messages could not be loaded.").waitFor({ state: "detached" });
  });

  test("what was missed says so below the last message, and is asked for", async (t) => {
    const on = await page(t, { query: "behind" });
    await on.getByRole("link", { name: /The masque/ }).click();
    await on.getByText("What was written meanwhile could not be loaded yet.").waitFor();
    await listen(on);
    await button(on, "Try again").click();
    await on.getByText("What was written meanwhile could not be loaded yet.").waitFor({ state: "detached" });
    await becomes(async () => (await asked(on, "catchUp")).length, 1);
  });
});

describe("small things", { concurrency: AT_ONCE }, () => {
  test("hiding a conversation can be undone", async (t) => {
    const on = await page(t);
    const line = on.getByRole("link", { name: /Friar Laurence/ });
    await line.click({ button: "right" });
    await on.getByRole("menuitem", { name: /Hide/ }).click();
    await line.waitFor({ state: "detached" });
    await button(on, "Undo").click();
    await line.waitFor();
  });

  test("only a store that is damaged can be erased", async (t) => {
    for (const core of ["load", "busy", "storage", "crashed"]) {
      const other = await page(t, { query: `core=${core}` });
      await button(other, "Reload").waitFor();
      assert.equal(await other.getByRole("button", { name: /Erase/ }).count(), 0, core);
    }
    const on = await page(t, { query: "core=damaged" });
    await button(on, "Erase and sign in again").click();
    await on.getByRole("dialog").getByRole("button", { name: "Erase" }).click();
    await on.getByRole("heading", { name: "Chats" }).waitFor();
  });

  test("who opens an invitation with an account is asked what it is for", async (t) => {
    const on = await page(t, { route: "invite/abc/romeo%40verona.example/anna" });
    await on.getByText(/You are signed in as juliet@anemone.example/).waitFor();
    await button(on, "Sign out and make a new one").click();
    await on.getByRole("dialog").getByRole("button", { name: "Sign out" }).click();
    await on.getByRole("heading", { name: "romeo invites you to chat" }).waitFor();
  });

  test("the details of a person lead to the pictures of the conversation", async (t) => {
    const on = await page(t, { route: "details/romeo%40verona.example" });
    await button(on, "Media").click();
    await on.getByRole("dialog", { name: "Pictures and files" }).waitFor();
  });
});
