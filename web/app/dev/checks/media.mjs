// Sounds, films and pictures on the sample: what plays goes on wherever somebody reads, and what moves stands still
// where it shall.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { AT_ONCE, becomes, lastPicture, page, reused, settled } from "./seat.mjs";

const ROMEO = "chat/romeo%40verona.example";
const VIOLA = "chat/viola%40illyria.example";

const until = (on, what, arg) => on.waitForFunction(what, arg);
const go = (on, hash) =>
  on.evaluate((hash) => {
    location.hash = hash;
    dispatchEvent(new PopStateEvent("popstate"));
  }, hash);
const bar = (on) => on.getByRole("region", { name: "Player" });
const button = (from, name) => from.getByRole("button", { name, exact: true });
const voice = (on) => on.locator("[data-message]").filter({ has: on.getByRole("group", { name: /^Voice message/ }) });
/** A page in which sounds last a minute, with a conversation. `sound` is the last one that was begun. */
async function read(t, conversation, { size = "desktop" } = {}) {
  const on = await reused(t, { size });
  await on.getByRole("list", { name: "Chats" }).getByRole("link", { name: /Romeo/ }).waitFor();
  await on.evaluate(() => {
    const bytes = new Uint8Array(44 + 60 * 8_000).fill(128);
    const put = (at, word) => bytes.set(new TextEncoder().encode(word), at);
    const view = new DataView(bytes.buffer);
    put(0, "RIFF");
    view.setUint32(4, bytes.length - 8, true);
    put(8, "WAVEfmt ");
    for (const [at, size, value] of [[16, 4, 16], [20, 2, 1], [22, 2, 1], [24, 4, 8_000], [28, 4, 8_000], [32, 2, 1], [34, 2, 8]]) {
      if (size === 4) view.setUint32(at, value, true);
      else view.setUint16(at, value, true);
    }
    put(36, "data");
    view.setUint32(40, bytes.length - 44, true);
    const { core } = globalThis.store;
    const file = core.file.bind(core);
    core.file = async (name, type) => (/\.(ogg|mp3)$/.test(name) ? new Blob([bytes], { type: "audio/wav" }) : file(name, type));
    globalThis.Audio = class extends Audio {
      constructor() {
        super();
        globalThis.sound = this;
      }
    };
  });
  await go(on, `#/${conversation}`);
  await on.locator("[data-message]").last().waitFor();
  await settled(on);
  return on;
}
/** Plays the voice message, and scrolls it away. */
async function playAway(on) {
  await voice(on).evaluate((row) => row.scrollIntoView({ block: "center" }));
  await settled(on);
  await button(voice(on), "Play").click();
  await button(voice(on), "Pause").waitFor();
  assert.equal(await bar(on).count(), 0, "the row is in sight");
  await on.evaluate(() => (document.querySelector(".timeline-box").scrollTop = 0));
  await bar(on).waitFor();
}
const moves = async (on, from = ".player-seek") => {
  const before = Number(await on.locator(from).inputValue());
  await until(on, ([from, before]) => Number(document.querySelector(from).value) > before, [from, before]);
};

describe("sounds and pictures", { concurrency: AT_ONCE }, () => {
  for (const size of ["phone", "desktop"]) {
    test(`a sound goes on out of sight, in a bar that leads back to it, on a ${size}`, async (t) => {
      const on = await read(t, ROMEO, { size });
      await playAway(on);
      await bar(on).getByText("You", { exact: true }).waitFor();
      await bar(on).getByText("Voice message", { exact: true }).waitFor();
      await moves(on);
      await button(bar(on), "Pause").click();
      await button(bar(on), "Play").waitFor();
      await until(on, () => globalThis.sound.paused);
      await go(on, "#/chat/nurse%40anemone.example");
      await on.getByText("By and by, I come!").last().waitFor();
      await button(bar(on), "Play").click();
      await moves(on);
      await go(on, "#/settings/about");
      await on.getByText("Licence").waitFor();
      await bar(on).getByRole("slider", { name: "Position" }).fill("30");
      await bar(on).getByRole("button", { name: /show the message/ }).click();
      await bar(on).waitFor({ state: "detached" });
      await button(voice(on), "Pause").waitFor();
      await becomes(async () => Number(await voice(on).getByRole("slider").inputValue()) >= 30, true);
      await moves(on, ".audio-seek");
      await button(voice(on), "Pause").click();
      await button(voice(on), "Play").waitFor();
      await until(on, () => globalThis.sound.paused);
    });
  }

  test("the bar is closed by keys, the focus goes on below it, and the place in the sound is kept", async (t) => {
    const on = await read(t, ROMEO);
    await playAway(on);
    await bar(on).getByRole("slider").fill("20");
    await button(bar(on), "End playback").focus();
    await on.keyboard.press("Enter");
    await bar(on).waitFor({ state: "detached" });
    await until(on, () => document.activeElement.matches(".pane-main"));
    await until(on, () => globalThis.sound.paused);
    await on.evaluate(() => (document.querySelector(".timeline-box").scrollTop = 1e6));
    await button(voice(on), "Play").waitFor();
    await becomes(async () => Number(await voice(on).getByRole("slider").inputValue()) >= 20, true);
  });

  test("who steers the bar by keys keeps it until they leave it", async (t) => {
    const on = await read(t, ROMEO);
    await playAway(on);
    // As Tab does: whoever presses a key sees where the focus is.
    await on.keyboard.press("Shift");
    await bar(on).getByRole("slider").focus();
    await on.evaluate(() => (document.querySelector(".timeline-box").scrollTop = 1e6));
    await button(voice(on), "Pause").waitFor();
    await settled(on);
    assert.equal(await bar(on).count(), 1);
    await on.locator(".timeline-box").focus();
    await bar(on).waitFor({ state: "detached" });
  });

  test("a sound that ends, is taken back or is nobody's any more is gone", async (t) => {
    const on = await read(t, ROMEO);
    await playAway(on);
    await bar(on).getByRole("slider").fill("59.9");
    await bar(on).waitFor({ state: "detached" });
    await on.evaluate(() => (document.querySelector(".timeline-box").scrollTop = 1e6));
    await button(voice(on), "Play").waitFor();
    await becomes(() => voice(on).getByRole("slider").inputValue(), "0");

    await button(voice(on), "Play").click();
    await button(voice(on), "Pause").waitFor();
    await on.evaluate(() => (document.querySelector(".timeline-box").scrollTop = 0));
    await bar(on).waitFor();
    await on.evaluate(async () => {
      const { messages } = globalThis.store.window("romeo@verona.example");
      const { id } = messages.find(({ content }) => content.is === "file" && content.file.name === "voice-message.ogg");
      await globalThis.store.ask({ do: "retract", message: id });
    });
    await bar(on).waitFor({ state: "detached" });
    await until(on, () => globalThis.sound.paused);

    await go(on, `#/${VIOLA}`);
    const song = on.locator("[data-message]").filter({ has: on.getByRole("group", { name: /^Sound/ }) });
    await button(song, /^Play/).first().click();
    await button(song, "Pause").waitFor();
    await on.evaluate(() => globalThis.store.ask({ do: "signOut" }));
    await on.getByRole("heading", { name: "Welcome to Clownfish" }).waitFor();
    await until(on, () => globalThis.sound.paused);
  });

  test("films and sounds of the gallery are played in the viewer", async (t) => {
    const on = await read(t, VIOLA);
    await on.evaluate(async () => {
      const canvas = document.createElement("canvas");
      const draw = canvas.getContext("2d");
      const recorder = new MediaRecorder(canvas.captureStream(), { mimeType: "video/webm" });
      const pieces = [];
      recorder.ondataavailable = ({ data }) => pieces.push(data);
      recorder.start();
      for (let frame = 0; frame < 12; frame++) {
        draw.fillRect(frame, 0, 9, 9);
        await new Promise((done) => requestAnimationFrame(done));
      }
      await new Promise((done) => {
        recorder.onstop = done;
        recorder.stop();
      });
      const { core } = globalThis.store;
      const file = core.file.bind(core);
      core.file = async (name, type) => (name.endsWith(".mp4") ? new Blob(pieces, { type: "video/webm" }) : file(name, type));
    });
    await on.getByRole("button", { name: "More for this chat" }).click();
    await on.getByRole("menuitem", { name: "Pictures and files" }).click();
    await on.getByRole("button", { name: /^Look at the film/ }).click();
    const viewer = on.locator(".viewer");
    // Nothing comes because somebody turned the pages.
    await button(viewer, /^Download/).click();
    const film = viewer.locator("video");
    await film.waitFor();
    await film.evaluate((one) => one.play());
    await until(on, () => document.querySelector(".viewer video").ended || document.querySelector(".viewer video").currentTime > 0);
    await button(viewer, "Next").click();
    const sound = viewer.getByRole("group", { name: /^Sound/ });
    await button(sound, /^Play/).first().click();
    await moves(on, ".viewer .audio-seek");
    // Its arrows go through the sound, not through the pages.
    await sound.getByRole("slider").press("ArrowLeft");
    await button(sound, "Pause").waitFor();
    // A film and a sound do not play at the same time.
    await button(viewer, "Previous").click();
    await film.evaluate((one) => one.play());
    await until(on, () => globalThis.sound.paused);
    await on.keyboard.press("Escape");
    await viewer.waitFor({ state: "detached" });
  });

  test("the gallery asks for the whole conversation, a part after the other", async (t) => {
    const on = await read(t, VIOLA);
    await on.evaluate(() => {
      const { core } = globalThis.store;
      const request = core.request.bind(core);
      globalThis.parts = [];
      core.request = async (command) => {
        const outcome = await request(command);
        if (command.do !== "files") return outcome;
        globalThis.parts.push(command.from);
        const [first, ...rest] = outcome.messages;
        // Older than everything in the window.
        const old = { ...first, message: { ...first.message, id: -1, place: "", content: { ...first.message.content, file: { ...first.message.content.file, name: "old-song.mp3" } } } };
        return command.from === null ? { ...outcome, messages: [first], next: "on" } : { ...outcome, messages: [...rest, old] };
      };
    });
    await on.getByRole("button", { name: "More for this chat" }).click();
    await on.getByRole("menuitem", { name: "Pictures and files" }).click();
    await on.getByRole("button", { name: /^Look at the film/ }).waitFor();
    const gallery = on.getByRole("dialog", { name: "Pictures and files" });
    await button(gallery, /^Play.*willow-cabin/).waitFor();
    await button(gallery, /^Play.*old-song/).click();
    await on.locator(".viewer").getByText("1 of 4").waitFor();
    await becomes(() => on.evaluate(() => globalThis.parts), [null, "on"]);
  });

  test("from a bubble the viewer turns through the whole conversation, also where that is not loaded", async (t) => {
    const on = await reused(t, { query: "messages=2000&page=60", route: "chat/bench%40anemone.example" });
    const open = await lastPicture(on, "bench@anemone.example");
    const loaded = await on.evaluate(() => {
      const { core } = globalThis.store;
      const request = core.request.bind(core);
      globalThis.refusing = true;
      core.request = async (command) => {
        if (command.do !== "files") return request(command);
        const from = Number(command.from ?? 0);
        // Ten, and then no more until somebody asks again.
        if (from === 10 && globalThis.refusing) return { is: "failed", problem: { kind: "restarted", words: "gone" } };
        const { messages } = await request(command);
        return { is: "part", messages: messages.slice(from, from + 5), next: from + 5 < messages.length ? String(from + 5) : null };
      };
      return globalThis.store.window("bench@anemone.example").messages.filter(({ content }) => content.is === "file").length;
    });
    assert.ok(loaded < 3, `${loaded} are loaded`);
    await open.click();
    const viewer = on.locator(".viewer");
    const previous = button(viewer, "Previous");
    for (let turned = 0; turned < 9; turned += 1) await previous.click();
    // The last of those that came: what is missing is said, and asked for again.
    await viewer.getByText("Older ones could not be loaded.").waitFor();
    await on.evaluate(() => (globalThis.refusing = false));
    await button(viewer, "Try again").click();
    await viewer.getByText("12 of 21").waitFor();
    await on.keyboard.press("ArrowLeft");
    await viewer.getByText("11 of 21").waitFor();
    await on.keyboard.press("Escape");
    await viewer.waitFor({ state: "detached" });
    await until(on, () => document.activeElement.matches(".picture-open, [data-message]"));
  });

  test("a gallery of a thousand pictures holds those that are in sight", async (t) => {
    const on = await read(t, ROMEO);
    await on.evaluate(async () => {
      const { core } = globalThis.store;
      const canvas = document.createElement("canvas");
      canvas.width = canvas.height = 40;
      canvas.getContext("2d").fillRect(0, 0, 20, 20);
      const picture = await new Promise((done) => canvas.toBlob(done));
      const request = core.request.bind(core);
      Object.assign(globalThis, { reads: [], open: 0, mostOpen: 0 });
      core.file = async (local) => {
        globalThis.reads.push(local);
        globalThis.mostOpen = Math.max(globalThis.mostOpen, ++globalThis.open);
        await new Promise((done) => setTimeout(done));
        globalThis.open--;
        return picture;
      };
      core.request = async (command) => {
        const outcome = await request(command);
        if (command.do !== "files") return outcome;
        const { message, ...rest } = outcome.messages.find((one) => one.message.content.file.mediaType?.startsWith("image/"));
        const file = (at) => ({ ...message.content.file, mediaType: "image/png", name: `${at}.png`, local: `kept-${at}`, picture: null });
        const one = (at) => ({ ...rest, message: { ...message, id: -1 - at, place: String(9_999 - at), content: { ...message.content, file: file(at) } } });
        return { ...outcome, messages: Array.from({ length: 1_000 }, (_, at) => one(at)), next: null };
      };
    });
    await on.getByRole("button", { name: "More for this chat" }).click();
    await on.getByRole("menuitem", { name: "Pictures and files" }).click();
    const pictures = on.locator(".gallery-picture");
    await until(on, () => document.querySelectorAll(".gallery-picture").length >= 1_000);
    const drawn = () => on.evaluate(() => document.querySelectorAll(".gallery-image").length);
    await pictures.nth(20).locator("img").waitFor();
    assert.ok((await drawn()) < 300, `${await drawn()} are drawn`);
    await pictures.nth(990).evaluate((one) => one.scrollIntoView());
    await pictures.nth(990).locator("img").waitFor();
    await pictures.nth(0).locator("img").waitFor({ state: "detached" });
    assert.ok((await drawn()) < 300, `${await drawn()} are drawn`);
    const { reads, most } = await on.evaluate(() => ({ reads: globalThis.reads.filter((one) => one.startsWith("kept-")), most: globalThis.mostOpen }));
    assert.ok(reads.length < 600, `${reads.length} were read`);
    assert.equal(new Set(reads).size, reads.length, "each once");
    assert.ok(most <= 3, `${most} originals at once`);
    // Who comes back finds them as they were left.
    await pictures.nth(0).evaluate((one) => one.scrollIntoView());
    await pictures.nth(0).locator("img").waitFor();
    const again = await on.evaluate(() => globalThis.reads.filter((one) => one === "kept-0").length);
    assert.equal(again, 1);
  });

  test("where less motion is wanted, pictures that can move stand still until they are opened", async (t) => {
    const on = await read(t, ROMEO);
    await on.evaluate(() => (document.querySelector(".timeline-box").scrollTop -= 900));
    const picture = on.locator(".picture-open").first();
    await picture.locator("canvas").waitFor();
    await on.emulateMedia({ reducedMotion: "no-preference" });
    await picture.locator("img").waitFor();
  });

  test("a portrait that moves stands still", async (t) => {
    const init = () => {
      const { createObjectURL } = URL;
      globalThis.shown = [];
      URL.createObjectURL = (blob) => {
        globalThis.shown.push(blob);
        return createObjectURL.call(URL, blob);
      };
    };
    const on = await page(t, { route: "settings/profile", init });
    await on.locator(".profile-name input").waitFor();
    await on.evaluate(async () => {
      // Two frames of one pixel, over and over.
      const frame = "21f904040a0000002c0000000001000100000202440100";
      const gif = `47494638396101000100800000ff00000000ff21ff0b4e45545343415045322e300301000000${frame}${frame}3b`;
      const bytes = Uint8Array.from(gif.match(/../g), (pair) => parseInt(pair, 16));
      globalThis.shown.length = 0;
      globalThis.store.core.picture = async () => new Blob([bytes]);
      await globalThis.store.ask({ do: "setAvatar", png: "AAAA" });
    });
    await until(on, () => globalThis.shown.length > 0);
    const head = await on.evaluate(async () => [...new Uint8Array(await globalThis.shown[0].slice(0, 4).arrayBuffer())]);
    assert.deepEqual(head, [0x89, 0x50, 0x4e, 0x47]);
  });

  test("what is said in passing waits for whoever points at it, or has the focus there", async (t) => {
    const on = await page(t);
    await on.clock.install();
    const line = on.getByRole("list", { name: "Chats" }).getByRole("link", { name: /Mercutio/ });
    await line.click({ button: "right" });
    await on.getByRole("menuitem", { name: /Hide/ }).click();
    const toast = on.locator(".toast");
    await toast.hover();
    await on.clock.runFor(30_000);
    assert.equal(await toast.count(), 1);
    await button(toast, "Dismiss").focus();
    await on.mouse.move(2, 2);
    await on.clock.runFor(30_000);
    assert.equal(await toast.count(), 1);
    await on.getByRole("searchbox").focus();
    await on.clock.runFor(10_000);
    await toast.waitFor({ state: "detached" });
  });
});
