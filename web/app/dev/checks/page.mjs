// How the page behaves, on the sample.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { AT_ONCE, becomes, fingers, held, middle, page } from "./seat.mjs";

const line = (on, name) => on.getByRole("list", { name: "Chats" }).getByRole("link", { name });
const focused = (on) => on.evaluate(() => document.activeElement?.dataset?.address ?? document.activeElement?.className);
const hash = (on) => on.evaluate(() => location.hash);
const until = (on, what, value) => on.waitForFunction(what, value);

describe("the page", { concurrency: AT_ONCE }, () => {
  test("arrow keys move in the list, Enter opens", async (t) => {
    const on = await page(t);
    await line(on, /Romeo/).focus();
    await on.keyboard.press("ArrowDown");
    await becomes(() => focused(on), "nurse@anemone.example");
    await on.keyboard.press("End");
    await until(on, () => document.activeElement?.dataset.address === "faust@leipzig.example");
    await on.keyboard.press("Home");
    await until(on, () => document.activeElement?.dataset.address === "romeo@verona.example");
    await on.keyboard.press("Enter");
    await until(on, () => location.hash === "#/chat/romeo%40verona.example");
    await becomes(() => line(on, /Romeo/).getAttribute("aria-current"), "page");
  });

  test("only one line of the list is a stop of Tab", async (t) => {
    const on = await page(t);
    await line(on, /Romeo/).waitFor();
    assert.equal(await on.locator('.conversation[tabindex="0"]').count(), 1);
  });

  test("the menu opens by key, and the focus goes back to its line", async (t) => {
    const on = await page(t);
    await line(on, /Nurse/).focus();
    await on.keyboard.press("Shift+F10");
    const menu = on.getByRole("menu", { name: "Actions for Nurse" });
    await menu.waitFor();
    const item = () => on.evaluate(() => document.activeElement.textContent);
    await becomes(item, "Unpin");
    await on.keyboard.press("ArrowDown");
    await becomes(item, "Mute");
    await on.keyboard.press("Escape");
    await menu.waitFor({ state: "detached" });
    await becomes(() => focused(on), "nurse@anemone.example");
  });

  test("muting asks for how long, and the count turns grey", async (t) => {
    const on = await page(t);
    await line(on, /Romeo/).click({ button: "right" });
    await on.getByRole("menuitem", { name: "Mute" }).click();
    await on.getByRole("menuitem", { name: "8 hours" }).click();
    await line(on, /Romeo.*muted/).locator(".unread-muted").waitFor();
    assert.equal(await hash(on), "#/list");
  });

  test("reading from the list takes the count away, from the title too", async (t) => {
    const on = await page(t);
    await until(on, () => document.title === "(150) Clownfish");
    await line(on, /Romeo/).click({ button: "right" });
    await on.getByRole("menuitem", { name: "Mark as read" }).click();
    await until(on, () => document.title === "(147) Clownfish");
    await line(on, /Romeo/).locator(".unread").waitFor({ state: "detached" });
  });

  test("hidden chats are listed until one is brought back", async (t) => {
    const on = await page(t);
    const filter = (name) => on.getByRole("group", { name: "Show" }).getByRole("button", { name, exact: true });
    await line(on, /Laurence/).click({ button: "right" });
    assert.equal(await filter("Hidden").count(), 0);
    await on.getByRole("menuitem", { name: "Hide" }).click();
    await line(on, /Laurence/).waitFor({ state: "detached" });
    await filter("Hidden").click();
    await becomes(() => on.getByRole("list", { name: "Chats" }).getByRole("link").count(), 1);
    await line(on, /Laurence/).click({ button: "right" });
    await on.getByRole("menuitem", { name: "Show in the list" }).click();
    await line(on, /Romeo/).waitFor();
    await line(on, /Laurence/).waitFor();
    await filter("Hidden").waitFor({ state: "detached" });
  });

  test("a few letters of what they are called elsewhere lead to the hidden chats", async (t) => {
    const on = await page(t);
    await line(on, /Laurence/).click({ button: "right" });
    await on.getByRole("menuitem", { name: "Hide" }).click();
    await line(on, /Laurence/).waitFor({ state: "detached" });
    await on.keyboard.press("Control+k");
    await on.getByRole("combobox", { name: "Go to" }).fill("archived");
    await becomes(() => on.getByRole("option", { selected: true }).textContent(), "Hidden chats");
    await on.keyboard.press("Enter");
    await line(on, /Laurence/).waitFor();
    await line(on, /Romeo/).waitFor({ state: "detached" });
  });

  test("a few letters and Enter go to a chat", async (t) => {
    const on = await page(t);
    await line(on, /Romeo/).waitFor();
    await on.keyboard.press("Control+k");
    await on.getByRole("combobox", { name: "Go to" }).fill("laur");
    await becomes(() => on.getByRole("option", { selected: true }).textContent(), "FLFriar Laurence");
    await on.keyboard.press("Enter");
    await until(on, () => location.hash.startsWith("#/chat/laurence"));
  });

  test("Alt A goes round the unread chats", async (t) => {
    const on = await page(t);
    await line(on, /Romeo/).waitFor();
    await on.keyboard.press("Alt+a");
    await until(on, () => location.hash.startsWith("#/chat/romeo"));
    await on.keyboard.press("Alt+a");
    await until(on, () => location.hash.startsWith("#/chat/masque"));
    await on.keyboard.press("Alt+a");
    await until(on, () => location.hash.startsWith("#/chat/scheherazade"));
  });

  test("the help opens by ?, not while writing", async (t) => {
    const on = await page(t);
    await on.getByRole("searchbox").fill("why");
    await on.keyboard.press("?");
    assert.equal(await on.getByRole("dialog").count(), 0);
    await on.keyboard.press("Escape");
    await line(on, /Romeo/).focus();
    await on.keyboard.press("?");
    await on.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor();
    await on.keyboard.press("Escape");
    await on.getByRole("dialog").waitFor({ state: "detached" });
    await becomes(() => focused(on), "romeo@verona.example");
  });

  test("the search finds people, then messages, and goes to the message", async (t) => {
    const on = await page(t);
    await on.getByRole("searchbox").fill("rosemary");
    await on.getByText("Nothing found").waitFor();
    await on.getByRole("searchbox").fill("sun");
    const messages = on.getByRole("region", { name: "Messages" });
    await messages.waitFor();
    await on.getByRole("searchbox").fill("rom");
    await on.getByRole("region", { name: "People" }).getByRole("button", { name: /Romeo/ }).waitFor();
    await on.getByRole("searchbox").fill("climb");
    await messages.getByRole("button", { name: /Is that the wall/ }).click();
    await until(on, () => /^#\/chat\/romeo%40verona\.example\/\d+$/.test(location.hash));
    await becomes(() => on.getByRole("searchbox").inputValue(), "");
  });

  test("a search that breaks off says why, in words of the page, and is tried again", async (t) => {
    const breaks = (on, words) =>
      on.evaluate((words) => {
        const { sample } = globalThis;
        globalThis.whole ??= sample.request.bind(sample);
        const problem = { kind: "storage", words };
        const request = (command) =>
          command.do === "search" ? Promise.resolve({ is: "failed", problem }) : globalThis.whole(command);
        sample.request = words ? request : globalThis.whole;
      }, words);
    for (const [lang, text, again] of [
      ["en", "Nothing can be saved on this device just now: there is no space left for messages and keys. Make room on it.", "Try again"],
      ["de", /^Auf diesem Gerät lässt sich gerade nichts speichern: /, "Noch einmal versuchen"],
    ]) {
      const on = await page(t, { query: `lang=${lang}` });
      await on.getByRole("searchbox").waitFor();
      await breaks(on, "there is no space left for messages and keys");
      await on.getByRole("searchbox").fill("climb");
      const problem = on.getByRole("alert");
      await problem.getByText(text).waitFor();
      assert.equal(await on.getByText(/Nothing found|Nichts gefunden/).count(), 0, "nobody knows that");
      await breaks(on, null);
      await problem.getByRole("button", { name: again }).click();
      await on.getByRole("button", { name: /Is that the wall/ }).waitFor();
      await problem.waitFor({ state: "detached" });

      await on.evaluate(() => {
        location.hash = "#/chat/romeo%40verona.example";
      });
      await on.getByRole("button", { name: /Search in this chat|In diesem Chat suchen/ }).click();
      await breaks(on, "there is no space left for messages and keys");
      const bar = on.getByRole("search", { name: /Search in this chat|In diesem Chat suchen/ });
      await bar.getByRole("searchbox").fill("climb");
      await problem.getByText(text).waitFor();
      await breaks(on, null);
      await problem.getByRole("button", { name: again }).click();
      await bar.getByText(/^1 (of|von) /).waitFor();
      await problem.waitFor({ state: "detached" });
    }
  });

  test("arrow keys go from the search into what it found", async (t) => {
    const on = await page(t);
    await on.getByRole("searchbox").fill("ro");
    await on.getByRole("button", { name: /Romeo/ }).waitFor();
    await on.keyboard.press("ArrowDown");
    await on.keyboard.press("ArrowDown");
    await on.keyboard.press("Enter");
    await until(on, () => location.hash.startsWith("#/chat/rosalind"));
  });

  test("unread chats stay in their filter while they are read", async (t) => {
    const on = await page(t);
    await on.getByRole("button", { name: /Unread/ }).click();
    const lines = on.getByRole("list", { name: "Chats" }).getByRole("link");
    await until(on, () => document.querySelectorAll(".conversation").length === 7);
    await lines.first().click();
    await until(on, () => location.hash.startsWith("#/chat/romeo"));
    assert.equal(await lines.count(), 7);
  });

  test("groups can be shown alone", async (t) => {
    const on = await page(t);
    await on.getByRole("button", { name: "Groups" }).click();
    await line(on, /Nurse/).waitFor({ state: "detached" });
    await line(on, /The masque/).waitFor();
    await on.getByRole("button", { name: "Groups" }).click();
    await line(on, /Nurse/).waitFor();
  });

  test("of 1,000 chats few are drawn, and the last is reached", async (t) => {
    const on = await page(t, { query: "many=1000" });
    await line(on, /Romeo/).focus();
    assert.ok((await on.locator(".conversation").count()) < 60);
    await on.keyboard.press("End");
    await until(on, () => document.activeElement?.dataset.address === "faust@leipzig.example");
    assert.ok((await on.locator(".conversation").count()) < 60);
    assert.equal(await on.locator("[aria-setsize]").first().getAttribute("aria-setsize"), "1027");
  });

  test("markup in names and messages is text", async (t) => {
    const on = await page(t);
    await line(on, /<b>Hamlet<\/b>/).waitFor();
    assert.equal(await on.locator(".list b, .list script, .list img[src=x]").count(), 0);
  });

  test("a short loss of the connection is not told, a longer one is", async (t) => {
    const on = await page(t, { query: "connection=waiting", init: [held, 2_000] });
    await line(on, /Romeo/).waitFor();
    assert.equal(await on.locator(".bar").count(), 0);
    await on.evaluate(() => globalThis.goOff());
    await on.getByRole("button", { name: "Try now" }).click();
    await until(on, () => document.querySelectorAll(".bar").length === 0);
  });

  test("a refused login has one way on", async (t) => {
    const on = await page(t, { query: "connection=refused" });
    await on.getByRole("button", { name: "Sign in again" }).click();
    const dialog = on.getByRole("dialog", { name: "Sign in again" });
    await dialog.getByLabel("Password", { exact: true }).fill("wrong");
    await on.keyboard.press("Enter");
    await dialog.getByText("The password is not right.").waitFor();
    await dialog.getByLabel("Password", { exact: true }).fill("right");
    await on.keyboard.press("Enter");
    await dialog.waitFor({ state: "detached" });
    await until(on, () => document.querySelectorAll(".bar").length === 0);
  });

  test("another tab has the account until it is used here", async (t) => {
    const on = await page(t, { query: "core=elsewhere" });
    await on.getByRole("button", { name: "Use here" }).click();
    await line(on, /Romeo/).waitFor();
  });

  test("a broken page says so, and that nothing is lost", async (t) => {
    const on = await page(t);
    await line(on, /Romeo/).waitFor();
    await on.evaluate(() => {
      Object.defineProperty(globalThis.store, "contacts", {
        get: () => {
          throw new Error("broken");
        },
      });
    });
    await on.getByRole("button", { name: /Unread/ }).click();
    await on.getByText("Nothing is lost").waitFor();
    await on.getByRole("button", { name: "Reload" }).click();
    await line(on, /Romeo/).waitFor();
  });

  test("the theme and the language are kept", async (t) => {
    const on = await page(t, { route: "settings/appearance" });
    await on.getByRole("radio", { name: "Dark" }).check({ force: true });
    await on.getByRole("radio", { name: "Deutsch" }).check({ force: true });
    await on.getByRole("heading", { name: "Darstellung" }).waitFor();
    await on.reload();
    await until(on, () => document.documentElement.dataset.theme === "dark");
    await until(on, () => document.documentElement.lang === "de");
  });

  test("an account is deleted when its address was typed, and then nothing of it is left", async (t) => {
    const on = await page(t, { route: "settings/account" });
    await on.getByRole("button", { name: /Delete account/ }).click();
    const dialog = on.getByRole("dialog", { name: "Delete your account?" });
    const go = dialog.getByRole("button", { name: "Delete account" });
    await go.click();
    await dialog.getByText("Type juliet@anemone.example to delete it.").waitFor();
    await dialog.getByLabel("Your address, to be sure").fill("Juliet@anemone.example ");
    await go.click();
    await on.getByRole("heading", { name: "Welcome to Clownfish" }).waitFor();
  });

  test("signing out asks first, and forgets", async (t) => {
    const on = await page(t, { route: "settings/account" });
    await on.evaluate(() => localStorage.setItem("clownfish:settings", "{}"));
    await on.getByRole("button", { name: /Sign out/ }).click();
    const dialog = on.getByRole("dialog", { name: "Sign out and delete everything here?" });
    // The button that has the focus cancels.
    await until(on, () => document.activeElement?.textContent === "Cancel");
    await on.keyboard.press("Enter");
    await dialog.waitFor({ state: "detached" });
    assert.ok(await on.evaluate(() => globalThis.store.account.value));
    await on.getByRole("button", { name: /Sign out/ }).click();
    await dialog.getByRole("button", { name: "Sign out" }).click();
    await until(on, () => globalThis.store.account.value === null);
    await until(on, () => localStorage.getItem("clownfish:settings") === null);
  });

  /** Notifications that are only written down. */
  function recorded() {
    globalThis.shown = [];
    globalThis.Notification = class {
      static permission = "granted";
      constructor(title, options) {
        globalThis.shown.push({ title, body: options.body, tag: options.tag });
      }
      close() {}
    };
  }

  const say = (on, address) =>
    on.evaluate((to) => globalThis.store.ask({ do: "send", to, text: "Hello?", replyTo: null }), address);

  test("a message is told, unless its chat is on screen", async (t) => {
    const on = await page(t, { init: recorded, route: "chat/nurse%40anemone.example" });
    await line(on, /Romeo/).waitFor();
    await say(on, "nurse@anemone.example");
    await say(on, "portia@belmont.example");
    await until(on, () => globalThis.shown.length > 0);
    assert.deepEqual(await on.evaluate(() => globalThis.shown), [
      { title: "Portia", body: "That is what I thought, too.", tag: "portia@belmont.example" },
    ]);
  });

  test("what was written can be left out of notifications", async (t) => {
    const on = await page(t, { init: recorded, route: "settings/notifications" });
    await on.getByRole("switch", { name: "Show what was written" }).click();
    await say(on, "portia@belmont.example");
    await until(on, () => globalThis.shown.length > 0);
    assert.deepEqual(await on.evaluate(() => globalThis.shown), [
      { title: "New message", body: "", tag: "portia@belmont.example" },
    ]);
  });

  async function touch(on, type, points) {
    on.cdp ??= await on.context().newCDPSession(on);
    await on.cdp.send("Input.dispatchTouchEvent", { type, touchPoints: points });
  }

  test("a swipe marks as read, and opens nothing", async (t) => {
    const on = await page(t, { size: "phone" });
    const swipe = await fingers(on);
    const [, y] = await middle(on, line(on, /Romeo/));
    const way = Array.from({ length: 18 }, (_, step) => ["touchMove", 70 + 10 * step, y]);
    await swipe(["touchStart", 60, y], ...way, ["touchEnd"]);
    await until(on, () => globalThis.store.conversation("romeo@verona.example").unread === 0);
    assert.equal(await hash(on), "#/list");
  });

  test("a finger that rests opens the menu, and not the chat", async (t) => {
    const on = await page(t, { size: "phone" });
    const box = await line(on, /Nurse/).boundingBox();
    await touch(on, "touchStart", [{ x: 120, y: box.y + 20 }]);
    await on.getByRole("menu", { name: "Actions for Nurse" }).waitFor();
    await touch(on, "touchEnd", []);
    assert.equal(await hash(on), "#/list");
    await on.keyboard.press("Escape");
    assert.equal(await hash(on), "#/list");
  });

  test("on a phone the chat covers the list, and back uncovers it", async (t) => {
    const on = await page(t, { size: "phone" });
    await line(on, /Nurse/).click();
    await until(on, () => document.querySelector(".pane-list").inert);
    await on.goBack();
    await until(on, () => !document.querySelector(".pane-list").inert);
    await line(on, /Nurse/).waitFor();
  });

  test("a chat that was opened by its address goes back to the list", async (t) => {
    const on = await page(t, { size: "phone", route: "chat/nurse%40anemone.example" });
    await on.getByRole("button", { name: "Back" }).click();
    await until(on, () => location.hash === "#/list");
  });
});
