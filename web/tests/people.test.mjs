// Two people who met: one scanned the other's code with a camera. What they do then with their hands, and how one
// gets rid of the other.

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

import { composer, knows, message, open, sees, seesEncrypted, signIn, ticks, write } from "./acts.mjs";
import { hears, launch, Person } from "./harness.mjs";
import { PASSWORD, stage } from "./stage.mjs";

const [WIDTH, HEIGHT] = [640, 480];

const there = stage();
let folder;
/** A browser whose camera sees the code. */
let eyes;
let romeo;
let juliet;

after(async () => {
  await eyes?.close();
  if (folder) await rm(folder, { recursive: true, force: true });
});

/** What a camera sees that is held before a picture (PNG), as uncompressed film (YUV4MPEG2). */
async function filmed(page, picture) {
  const grey = await page.evaluate(
    async ([base64, width, height]) => {
      const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
      const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
      const draw = new OffscreenCanvas(width, height).getContext("2d");
      draw.fillStyle = "white";
      draw.fillRect(0, 0, width, height);
      draw.drawImage(bitmap, (width - height) / 2 + 20, 20, height - 40, height - 40);
      const { data } = draw.getImageData(0, 0, width, height);
      let text = "";
      for (let at = 0; at < data.length; at += 4) text += String.fromCharCode(data[at]);
      return btoa(text);
    },
    [picture.toString("base64"), WIDTH, HEIGHT],
  );
  const frame = [Buffer.from("FRAME\n"), Buffer.from(grey, "base64"), Buffer.alloc((WIDTH * HEIGHT) / 2, 128)];
  return Buffer.concat([Buffer.from(`YUV4MPEG2 W${WIDTH} H${HEIGHT} F10:1 Ip A1:1 C420\n`), ...frame, ...frame]);
}

/** They sit down: she with a camera that sees his code. */
async function sit() {
  folder = await mkdtemp(join(tmpdir(), "clownfish-camera-"));
  const film = join(folder, "code.y4m");
  romeo = await there.sit("romeo");
  const { page } = romeo;
  await page.evaluate(() => (location.hash = "#/add"));
  await page.getByRole("button", { name: "Show my code" }).click();
  const code = page.getByRole("dialog").locator(".qr");
  await code.locator("path").waitFor();
  await writeFile(film, await filmed(page, await code.screenshot()));
  await page.keyboard.press("Escape");
  eyes = await launch(`--use-file-for-fake-video-capture=${film}`);
  await there.server.addAccount("juliet", PASSWORD);
  juliet = await Person.sit(eyes, { name: "juliet" });
  await signIn(juliet, there.server.url, "juliet@localhost", PASSWORD);
}

test("a code that the camera sees makes a contact whose keys are verified", async () => {
  await sit();
  const { page } = juliet;
  await page.evaluate(() => (location.hash = "#/add"));
  await page.getByRole("button", { name: "Scan a code" }).click();
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await page.getByText(/they will be verified/).waitFor();
  await page.getByRole("button", { name: "Start chatting" }).click();
  await hears(page, "1 device verified");
  await romeo.page.evaluate(() => (location.hash = "#/requests"));
  const request = romeo.page.getByRole("listitem").filter({ hasText: "juliet@localhost" });
  await request.getByRole("button", { name: "Accept" }).click();
  await composer(romeo.page).waitFor();
  await knows(juliet, "romeo@localhost");
  await knows(romeo, "juliet@localhost");
  await write(page, "Good night, good night");
  await seesEncrypted(romeo.page, "good night");
  await page.getByRole("button", { name: "End-to-end encrypted and verified" }).waitFor();
});

test("a reaction arrives, and goes when it is taken back", async () => {
  await message(romeo.page, "good night").click({ button: "right" });
  await romeo.page.getByRole("button", { name: "React with ❤️" }).click();
  const theirs = message(juliet.page, "good night").locator(".reaction");
  await theirs.filter({ hasText: "❤️" }).waitFor();
  await message(romeo.page, "good night").getByRole("button", { name: "You: ❤️" }).click();
  await theirs.waitFor({ state: "detached" });
});

test("a voice message is recorded, arrives, and is heard on the other side", async () => {
  const { page } = romeo;
  await page.getByRole("button", { name: "Record a voice message" }).click();
  // Shorter ones are a slip of the finger.
  await page.getByRole("timer", { name: /^Recording, (?!0:00)/ }).waitFor();
  await page.getByRole("button", { name: "Send the voice message" }).click();
  const voice = juliet.page.locator("[data-message]").filter({ has: juliet.page.getByRole("group", { name: /^Voice message/ }) });
  // It is small, and from a contact: it comes by itself.
  const play = voice.getByRole("button", { name: "Play", exact: true });
  await play.waitFor();
  const place = voice.getByRole("slider", { name: "Position" });
  // It is known how long it is, and how loud: it could be decoded.
  await juliet.page.waitForFunction(() => Number(document.querySelector(".audio-seek").max) >= 0.7);
  // It is short: its end may be there before anybody looks.
  await juliet.page.evaluate(() => {
    const look = () => {
      globalThis.played ||= Number(document.querySelector(".audio-seek").value) > 0;
      if (!globalThis.played) requestAnimationFrame(look);
    };
    look();
  });
  await play.click();
  await juliet.page.waitForFunction(() => globalThis.played);
  await juliet.accessible();
  assert.ok(await place.isVisible());
});

test("who is blocked and reported reaches nobody until they are unblocked", async () => {
  const { page } = romeo;
  await page.evaluate(() => (location.hash = `#/details/${encodeURIComponent("juliet@localhost")}`));
  await page.getByRole("button", { name: "Block and report" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Block and report" }).click();
  await page.getByText("juliet@localhost is blocked").or(page.getByText("juliet is blocked")).first().waitFor();
  await romeo.accessible();
  await open(juliet.page, "romeo@localhost");
  await write(juliet.page, "Wherefore art thou silent?");
  await juliet.page.getByText(/^Not sent/).waitFor();
  await page.getByRole("button", { name: "Unblock" }).first().click();
  await hears(page, "no longer blocked");
  await open(page, "juliet@localhost");
  await write(juliet.page, "Art thou there again?");
  await sees(page, "there again");
  await ticks(juliet.page, "there again", /Delivered|Read/);
  assert.equal(await message(page, "Wherefore art thou silent").count(), 0);
  await romeo.leave();
  await juliet.leave();
});
