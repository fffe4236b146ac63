import "./browser";

import assert from "node:assert/strict";
import { test } from "node:test";

import { coloursIn, pictureIn, uriOf } from "../src/ui/chat/logic/thumbnail";

test("a small picture comes out of its address as it went in", async () => {
  const picture = new Blob([Uint8Array.of(0xff, 0xd8, 0xff, 0xc0, 0, 11, 8, 0, 2, 0, 3, 1)], { type: "image/jpeg" });
  const uri = await uriOf(picture);
  assert.equal(uri, "data:image/jpeg;base64,/9j/wAALCAACAAMB");
  const again = pictureIn(uri);
  assert.equal(again?.type, "image/jpeg");
  assert.deepEqual(new Uint8Array(await again!.arrayBuffer()), new Uint8Array(await picture.arrayBuffer()));
});

test("nothing else is made into one", () => {
  for (const uri of ["", "data:image/svg+xml;base64,AAAA", "data:text/html;base64,AAAA", "https://example.org/a.png", "data:image/png;base64,a b"]) {
    assert.equal(pictureIn(uri), null, uri);
  }
});

test("a few colours become pixels, and what is none becomes nothing", () => {
  const blurred = coloursIn("data:image/blurhash,LEHV6nWB2yk8pyo0adR*.7kCMdnj");
  assert.deepEqual([blurred?.width, blurred?.height, blurred?.rgba.length], [32, 32, 4096]);
  const hashed = coloursIn("data:image/thumbhash;base64,1QcSHQRnh493V4dIh4eXh1h4kJUI");
  assert.ok(hashed && hashed.rgba.length === 4 * hashed.width * hashed.height && Math.max(hashed.width, hashed.height) === 32);
  assert.ok(new Set(hashed.rgba).size > 10, "it is not of one colour");
  for (const uri of [
    "",
    "data:image/blurhash,LEHV6n",
    "data:image/blurhash,~~~~~~~~~~~~",
    "data:image/blurhash,LEHV6nWB2yk8pyo0adR*.7kCMdn\"",
    "data:image/thumbhash;base64,",
    "data:image/thumbhash;base64,!!!!!!!!",
    "data:image/png;base64,AAAA",
  ]) {
    assert.equal(coloursIn(uri), null, uri);
  }
  // Cut off, or made up: nothing is thrown, and nothing is large.
  for (let at = 0; at < 256; at += 1) {
    const bytes = Uint8Array.from({ length: 5 + (at % 40) }, (_, n) => (at * 31 + n * n * 7) & 255);
    const made = coloursIn(`data:image/thumbhash;base64,${btoa(String.fromCharCode(...bytes))}`);
    assert.ok(!made || made.rgba.length <= 4096);
  }
});
