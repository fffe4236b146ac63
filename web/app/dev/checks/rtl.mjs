// From right to left, and in German: nothing is wider than its screen, and what has a direction has the other one.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { AT_ONCE, becomes, fingers, lastPicture, middle, page, settled } from "./seat.mjs";

/** Where, and what is seen there. */
const PLACES = [
  ["list", ".list-scroll"],
  ["chat/romeo%40verona.example", "[data-message]"],
  ["chat/hostile%40elsinore.example", "[data-message]"],
  ["chat/cordelia%40britain.example", ".honest"],
  ["details/romeo%40verona.example", ".device-press"],
  ["settings/appearance", ".choice"],
  ["starred", ".starred-line"],
  ["chat/scheherazade%40tales.example", "[data-message]"],
  ["chat/masque%40conference.anemone.example", "[data-message]"],
  ["chat/viola%40illyria.example", "[data-message]"],
  ["details/masque%40conference.anemone.example", ".page"],
  ["settings/account", ".page"],
  ["settings/devices", ".device-press"],
  ["requests", ".page"],
  ["group", ".page"],
  ["add", ".page"],
];
const ROMEO = "chat/romeo%40verona.example";
const SCHEHERAZADE = "chat/scheherazade%40tales.example";
const RTL = "dir=rtl";

const button = (from, name) => from.getByRole("button", { name, exact: true });
const message = (on, text) => on.locator("[data-message]").filter({ hasText: text }).last();
const line = (on, name) => on.getByRole("list", { name: "Chats" }).getByRole("link", { name });

async function ready(on) {
  await on.locator("[data-message]").last().waitFor();
  await settled(on);
}

/** In a page: what sticks out of the screen, or can be pushed to a side. */
function wide() {
  const found = [];
  for (const one of document.querySelectorAll("html, .pane, .pane *, dialog, dialog *")) {
    const { overflowX, visibility } = getComputedStyle(one);
    const box = one.getBoundingClientRect();
    if (box.width === 0 || visibility === "hidden" || one.closest(".hidden-text, .hover-bar")) continue;
    // Code goes on to a side within itself.
    if (one.parentElement?.closest("pre, svg")) continue;
    if (box.left < -1 || box.right > innerWidth + 1) found.push(`${one.tagName}.${one.className.baseVal ?? one.className} from ${box.left} to ${box.right}`);
    if (overflowX === "auto" && one.scrollWidth > one.clientWidth + 1 && one.matches(".timeline-box, .list-scroll, .scroll, html")) found.push(`${one.className} scrolls to a side`);
  }
  return found.slice(0, 5);
}

describe("from right to left", { concurrency: AT_ONCE }, () => {
  for (const [route, seen] of PLACES) {
    for (const size of ["phone", "desktop"]) {
      test(`${route}, on a ${size}`, async (t) => {
        const on = await page(t, { size, query: "dir=rtl&lang=de", route });
        await on.locator(seen).first().waitFor();
        await settled(on);
        const { dir, lang, much } = await on.evaluate(() => {
          const { dir, lang, scrollWidth } = document.documentElement;
          return { dir, lang, much: scrollWidth - innerWidth };
        });
        assert.deepEqual([dir, lang], ["rtl", "de"]);
        assert.ok(much <= 0, `${much} pixels too wide`);
        assert.deepEqual(await on.evaluate(wide), []);
      });
    }
  }

  for (const size of ["phone", "desktop"]) {
    test(`a chat is found, read, answered and left, on a ${size}`, async (t) => {
      const on = await page(t, { size, query: RTL });
      await on.getByRole("searchbox").fill("rom");
      await on.getByRole("region", { name: "People" }).waitFor();
      await settled(on);
      assert.deepEqual(await on.evaluate(wide), []);
      await on.getByRole("searchbox").fill("");
      await line(on, /Romeo/).click();
      await ready(on);
      if (size === "desktop") {
        const [list, main] = await Promise.all([".pane-list", ".pane-main"].map((pane) => on.locator(pane).boundingBox()));
        assert.ok(list.x >= main.x + main.width - 1, "the list is on the right");
      }
      // Every drawing that points somewhere points to the other side.
      const pointing = await on.locator(".icon-turning").evaluateAll((all) => all.map((one) => getComputedStyle(one).transform));
      assert.ok(pointing.length > 0 && pointing.every((one) => one.startsWith("matrix(-1")), pointing.join());
      const field = on.getByRole("textbox", { name: "Message" });
      await field.fill("שלום Romeo, see https://verona.example/balcony (at 9)!");
      await becomes(() => field.evaluate((one) => getComputedStyle(one).direction), "rtl");
      await field.fill("Hello, ");
      await becomes(() => field.evaluate((one) => one.matches(":dir(ltr)")), true);
      await field.fill("שלום Romeo, see https://verona.example/balcony (at 9)!");
      await button(on, "Send").click();
      const sent = message(on, "see https://verona");
      await sent.waitFor();
      await settled(on);
      const boxes = await sent.evaluate((row) => {
        const of = (what) => row.querySelector(what).getBoundingClientRect();
        const [bubble, time] = [of(".bubble"), of("time")];
        return { left: bubble.left, right: bubble.right, time: time.left, timeEnds: time.right, pane: row.parentElement.getBoundingClientRect().left };
      });
      assert.ok(boxes.left - boxes.pane < 40, "own ones are on the left");
      assert.ok(boxes.time >= boxes.left && boxes.timeEnds <= boxes.right, "the time is in the bubble");
      const sendPlace = await on.locator(".composer").evaluate((one) => {
        const [text, send] = [".composer-text", ".composer-record, .composer-send"].map((what) => one.querySelector(what).getBoundingClientRect());
        return send.right <= text.left + 1;
      });
      assert.ok(sendPlace, "the button to send is at the left end");
      assert.deepEqual(await on.evaluate(wide), []);
      await sent.locator("time").first().click({ button: "right" });
      await on.getByRole("menuitem", { name: "Reply" }).waitFor();
      await settled(on);
      const menu = await on.getByRole("menu").boundingBox();
      assert.ok(menu.x >= 0 && menu.x + menu.width <= on.viewportSize().width, JSON.stringify(menu));
      await on.getByRole("menuitem", { name: "Reply" }).click();
      await button(on, "Do not reply").click();
      if (size === "phone") {
        await button(on, "Back to the list").click();
        await on.waitForFunction(() => location.hash === "#/list");
      }
    });
  }

  test("each text has its own direction, and turns nothing beside it round", async (t) => {
    const on = await page(t, { size: "phone", query: RTL, route: ROMEO });
    await ready(on);
    const said = ["Hello, world!", "مرحبا (hello) 12:30!", "\u202eevil", "abc שלום def."];
    for (const text of said) {
      await on.getByRole("textbox", { name: "Message" }).fill(text);
      await button(on, "Send").click();
      await message(on, text.replace("\u202e", "")).waitFor();
    }
    await settled(on);
    const looks = (text) =>
      message(on, text).evaluate((row) => {
        const block = row.querySelector(".text-paragraph");
        return { direction: getComputedStyle(block).direction, bidi: getComputedStyle(block).unicodeBidi };
      });
    assert.equal((await looks("Hello, world!")).direction, "ltr");
    assert.equal((await looks("12:30!")).direction, "rtl");
    assert.equal((await looks("abc")).direction, "ltr");
    for (const text of ["Hello, world!", "12:30!", "evil", "abc"]) {
      assert.match((await looks(text)).bidi, /isolate|plaintext/, text);
      // What turns a line round does not reach the time.
      const time = await message(on, text).locator("time").first().innerText();
      assert.match(time, /^\d+:\d\d(\sAM|\sPM)?$/u);
    }
    // In the list the last words stand beside a name and a time.
    await button(on, "Back to the list").click();
    await line(on, /Romeo/).waitFor();
    // They give way to who writes now and then.
    await on.waitForFunction(() => {
      const words = document.querySelector('.conversation[data-address="romeo@verona.example"] .conversation-text[dir]');
      return words !== null && getComputedStyle(words).unicodeBidi.includes("isolate");
    });
  });

  test("lines in the middle read in the direction of their words, and times stand apart from them", async (t) => {
    const on = await page(t, { size: "phone", query: RTL, route: ROMEO });
    await ready(on);
    const action = message(on, "climbs over the wall").locator(".action-line");
    const [name, words, star] = await action.evaluate((line) =>
      [".action-name", "p", ".action-star"].map((what) => line.querySelector(what).getBoundingClientRect().toJSON()),
    );
    assert.ok(star.right <= name.left + 1 && name.right <= words.left + 1, "from left to right");
    await on.evaluate(() => (location.hash = "#/chat/masque%40conference.anemone.example"));
    const line = on.locator(".happenings li").filter({ hasText: "Romeo is an admin now" });
    await line.waitFor();
    await settled(on);
    const [text, time] = await line.evaluate((one) => ["span", "time"].map((what) => one.querySelector(what).getBoundingClientRect().toJSON()));
    assert.ok(time.left - text.right >= 4, `${text.right} and ${time.left}`);
  });

  test("a swipe to the left answers, one to the right does not, and the list is swiped the other way as well", async (t) => {
    const on = await page(t, { size: "phone", query: RTL, route: ROMEO });
    await ready(on);
    const touch = await fingers(on);
    const text = message(on, "Look out of your window!").locator(".bubble-text").first();
    const swipe = async (element, far) => {
      const [x, y] = await middle(on, element);
      const way = Array.from({ length: Math.abs(far) / 8 }, (_, step) => ["touchMove", x + 8 * (step + 1) * Math.sign(far), y]);
      await touch(["touchStart", x, y], ...way, ["touchEnd"]);
    };
    await swipe(text, 120);
    await settled(on);
    assert.equal(await button(on, "Do not reply").count(), 0);
    await swipe(text, -120);
    await button(on, "Do not reply").click();
    await button(on, "Back to the list").click();
    await line(on, /Romeo/).waitFor();
    assert.ok((await on.evaluate(() => globalThis.store.conversation("mercutio@verona.example").unread)) > 0);
    await swipe(line(on, /Mercutio/), -176);
    await on.waitForFunction(() => globalThis.store.conversation("mercutio@verona.example").unread === 0);
  });

  test("in the viewer the next one is on the left, for fingers, pointers and keys", async (t) => {
    const on = await page(t, { query: RTL, route: "chat/bench%40anemone.example" });
    await (await lastPicture(on, "bench@anemone.example")).click();
    const viewer = on.locator(".viewer");
    await viewer.getByText("21 of 21").waitFor();
    await on.keyboard.press("ArrowRight");
    await viewer.getByText("20 of 21").waitFor();
    await on.keyboard.press("ArrowRight");
    await viewer.getByText("19 of 21").waitFor();
    await on.keyboard.press("ArrowLeft");
    await viewer.getByText("20 of 21").waitFor();
    await settled(on);
    const [next, previous] = await Promise.all(["Next", "Previous"].map((name) => button(viewer, name).boundingBox()));
    assert.ok(next.x < 200 && previous.x > 1000, `${next.x} and ${previous.x}`);
    const icons = await viewer.locator(".viewer-step .icon").evaluateAll((all) => all.map((one) => getComputedStyle(one).transform));
    assert.ok(icons.every((one) => one.startsWith("matrix(-1")), icons.join());
    const { width, height } = on.viewportSize();
    await on.mouse.move(width / 2, height / 2);
    await on.mouse.down();
    await on.mouse.move(width / 2 + 120, height / 2, { steps: 4 });
    await on.mouse.up();
    await viewer.getByText("21 of 21").waitFor();
  });

  test("emoji and reactions are reached by arrows that go where they point", async (t) => {
    const on = await page(t, { query: RTL, route: ROMEO });
    await ready(on);
    await on.evaluate(() => [...document.querySelectorAll("[data-message]")].at(-1).focus());
    await on.keyboard.press("Enter");
    const first = button(on, "React with 👍");
    await first.focus();
    const place = () => on.evaluate(() => document.activeElement.getBoundingClientRect().x);
    await settled(on);
    const before = await place();
    await on.keyboard.press("ArrowLeft");
    await becomes(async () => (await place()) < before, true, "to the left");
    await on.keyboard.press("ArrowRight");
    await becomes(place, before);
  });

  test("the bar of a sound that plays elsewhere", async (t) => {
    const on = await page(t, { size: "phone", query: "dir=rtl&lang=de", route: "chat/romeo%40verona.example" });
    const voice = on.getByRole("group", { name: /^Sprachnachricht/ });
    await voice.getByRole("button", { name: "Abspielen" }).click();
    await on.evaluate(() => {
      location.hash = "#/list";
    });
    const bar = on.getByRole("region", { name: "Wiedergabe" });
    await bar.getByRole("button", { name: /^Du.*Sprachnachricht.*Nachricht zeigen$/ }).waitFor();
    await settled(on);
    const [plays, ends] = await Promise.all(["Pause", "Wiedergabe beenden"].map((name) => bar.getByRole("button", { name }).boundingBox()));
    assert.ok(plays.x > ends.x && ends.x >= 0 && plays.x + plays.width <= 390, `${JSON.stringify(plays)} ${JSON.stringify(ends)}`);
  });

  test("own messages stand at the other side, and the way back points there", async (t) => {
    const on = await page(t, { size: "phone", query: "dir=rtl&lang=de", route: "chat/romeo%40verona.example" });
    await on.locator(".bubble-own").last().waitFor();
    await settled(on);
    const own = await on.locator(".bubble-own").last().boundingBox();
    const other = await on.locator(".bubble-other").last().boundingBox();
    assert.ok(own && other && own.x < other.x + other.width - own.width, "own ones are on the left");
    const back = await on.locator(".chat-header .icon-button").first().boundingBox();
    assert.ok(back && back.x > 195, "the way back is on the right");
  });
});
