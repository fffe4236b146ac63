// Pictures between two browsers, against a real server: what is shown of them before they are fetched,
// and that nothing moves when they are.

import assert from "node:assert/strict";
import { test } from "node:test";

import { befriend, message, ticks } from "./acts.mjs";
import { stage } from "./stage.mjs";

const there = stage();

/** A PNG that is too large to come by itself: noise, red on the left and blue on the right. */
async function noise(page, width, height) {
  const base64 = await page.evaluate(
    async ([width, height]) => {
      const canvas = new OffscreenCanvas(width, height);
      const context = canvas.getContext("2d");
      const image = context.createImageData(width, height);
      let seed = 1;
      for (let at = 0; at < image.data.length; at += 4) {
        seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff;
        const left = (at / 4) % width < width / 2;
        image.data.set([left ? 255 : seed & 63, (seed >> 8) & 63, left ? (seed >> 16) & 63 : 255, 255], at);
      }
      context.putImageData(image, 0, 0);
      const bytes = new Uint8Array(await (await canvas.convertToBlob()).arrayBuffer());
      let text = "";
      for (let at = 0; at < bytes.length; at += 8_192) text += String.fromCharCode(...bytes.subarray(at, at + 8_192));
      return btoa(text);
    },
    [width, height],
  );
  return Buffer.from(base64, "base64");
}

test("a large picture is seen blurred at once, in its place, and nothing moves when it is fetched", async () => {
  const romeo = await there.sit("romeo", { size: "desktop" });
  const juliet = await there.sit("juliet", { size: "phone" });
  await befriend(romeo, juliet, { asking: "romeo@localhost", asked: "juliet@localhost" });
  const buffer = await noise(romeo.page, 900, 1200);
  assert.ok(buffer.length > 1_000_000, `${buffer.length} bytes come by themselves`);
  await romeo.page.locator(".composer-file").last().setInputFiles([{ name: "garden.png", mimeType: "image/png", buffer }]);
  await romeo.page.getByRole("radio", { name: "Original" }).check();
  await romeo.page.getByRole("button", { name: "Describe garden.png" }).click();
  await romeo.page.getByLabel("A description for people who cannot see it").fill("Noise, red on the left");
  await romeo.page.keyboard.press("Enter");
  await romeo.page.getByRole("button", { name: "garden.png, described: Noise, red on the left" }).waitFor();
  await romeo.accessible();
  await romeo.page.getByRole("textbox", { name: "Add a caption" }).fill("With its caption");
  await romeo.page.getByRole("button", { name: "Send", exact: true }).click();
  await ticks(romeo.page, "With its caption", /Delivered|Read/);

  const place = juliet.page.locator(".picture").last();
  const small = place.locator(".picture-thumbnail");
  await small.waitFor();
  // It is a picture of what was sent, and came with the message: nothing was fetched for it.
  const colours = await small.evaluate(async (image) => {
    await image.decode();
    const context = new OffscreenCanvas(2, 1).getContext("2d");
    context.drawImage(image, 0, 0, 2, 1);
    const { data } = context.getImageData(0, 0, 2, 1);
    return [data[0] > data[2], data[4] < data[6], image.src.startsWith("blob:")];
  });
  assert.deepEqual(colours, [true, true, true]);
  await juliet.accessible();
  const size = () => place.evaluate((one) => [one.clientWidth, one.clientHeight]);
  const before = await size();
  assert.ok(Math.abs(before[1] / before[0] - 1200 / 900) < 0.05, `its place is ${before}`);
  await place.getByRole("button", { name: /garden\.png/ }).click();
  await place.locator(".picture-ready").waitFor();
  assert.deepEqual(await size(), before);
  await place.getByRole("button", { name: /Noise, red on the left/ }).waitFor();
  await small.waitFor({ state: "detached" });
  await message(juliet.page, "With its caption").waitFor();
  await romeo.leave();
  await juliet.leave();
});
