import "./browser";

import assert from "node:assert/strict";
import { test } from "node:test";

import { drawable, drawableThumbnail, sidesIn } from "../src/ui/kit/sides";

const text = (word: string) => [...word].map((letter) => letter.charCodeAt(0));
const big = (value: number, bytes: number) => Array.from({ length: bytes }, (_, at) => (value >>> (8 * (bytes - 1 - at))) & 255);
const little = (value: number, bytes: number) => big(value, bytes).reverse();

/** The heads of pictures with these sides, as the formats lay them out. */
const HEADS: Record<string, (width: number, height: number) => number[]> = {
  png: (w, h) => [0x89, ...text("PNG\r\n"), 0x1a, 0x0a, ...big(13, 4), ...text("IHDR"), ...big(w, 4), ...big(h, 4), 1, 0, 0, 0, 0],
  gif: (w, h) => [...text("GIF89a"), ...little(w, 2), ...little(h, 2), 0, 0, 0, 0x3b],
  "gif whose first picture is larger": (w, h) => [
    ...text("GIF89a"), 1, 0, 1, 0, 0x80, 0, 0, ...Array<number>(6).fill(0),
    0x21, 0xf9, 4, 0, 0, 0, 0, 0,
    0x2c, 0, 0, 0, 0, ...little(w, 2), ...little(h, 2),
  ],
  bmp: (w, h) => [...text("BM"), ...Array<number>(12).fill(0), ...little(40, 4), ...little(w, 4), ...little(-h, 4)],
  jpeg: (w, h) => [
    0xff, 0xd8, 0xff, 0xe1, ...big(6, 2), 1, 2, 3, 4, 0xff, 0xff, 0xc4, ...big(3, 2), 0,
    0xff, 0xc2, ...big(17, 2), 8, ...big(h, 2), ...big(w, 2), 3,
  ],
  "webp, lossy": (w, h) => [...text("RIFF"), 0, 0, 0, 0, ...text("WEBPVP8 "), ...Array<number>(10).fill(0), ...little(w, 2), ...little(h, 2)],
  "webp, lossless": (w, h) => [...text("RIFF"), 0, 0, 0, 0, ...text("WEBPVP8L"), 0, 0, 0, 0, 0x2f, ...little(w - 1 + (h - 1) * 0x4000, 4)],
  "webp, extended": (w, h) => [...text("RIFF"), 0, 0, 0, 0, ...text("WEBPVP8X"), ...Array<number>(8).fill(0), ...little(w - 1, 3), ...little(h - 1, 3)],
  avif: (w, h) => [
    0, 0, 0, 16, ...text("ftypavif"), 0, 0, 0, 0, ...text("ispe"), 0, 0, 0, 0, ...big(8, 4), ...big(8, 4),
    ...text("ispe"), 0, 0, 0, 0, ...big(w, 4), ...big(h, 4),
  ],
};

test("the sides are read from the head of every kind of picture", () => {
  for (const [name, head] of Object.entries(HEADS)) {
    assert.deepEqual(sidesIn(Uint8Array.from(head(4000, 3000))), { width: 4000, height: 3000 }, name);
  }
});

test("a picture with more pixels than there is memory for is not drawn", async () => {
  const blob = (head: number[]) => new Blob([Uint8Array.from(head)]);
  const { png, jpeg } = HEADS as Record<"png" | "jpeg", (width: number, height: number) => number[]>;
  assert.ok(await drawable(blob(jpeg(8000, 6000))), "a good camera's");
  assert.ok(!(await drawable(blob(png(30_000, 30_000)))));
  assert.ok(!(await drawable(blob(png(0xffff_ffff, 1)))));
  assert.ok(!(await drawable(blob(png(0, 5)))));
  assert.ok(drawableThumbnail(Uint8Array.from(png(200, 200))));
  assert.ok(!drawableThumbnail(Uint8Array.from(png(4000, 3000))));
});

test("what is cut off, or is no picture, has no sides", async () => {
  for (const [name, head] of Object.entries(HEADS)) {
    const whole = head(4000, 3000);
    for (let length = 0; length < whole.length; length += 1) {
      const found = sidesIn(Uint8Array.from(whole.slice(0, length)));
      assert.ok(found === null || found.width * found.height <= 12_000_000, `${name}, ${length} bytes`);
    }
  }
  for (const other of ["<svg width='1e9'/>", "", "%PDF-1.7"]) {
    assert.ok(!(await drawable(new Blob([other]))), other);
  }
});
