import "./browser";

import assert from "node:assert/strict";
import { test } from "node:test";

import { pictureIn, uriOf } from "../src/ui/chat/logic/thumbnail";

test("a small picture comes out of its address as it went in", async () => {
  const picture = new Blob([Uint8Array.of(0xff, 0xd8, 0xff, 0, 1)], { type: "image/jpeg" });
  const uri = await uriOf(picture);
  assert.equal(uri, "data:image/jpeg;base64,/9j/AAE=");
  const again = pictureIn(uri);
  assert.equal(again?.type, "image/jpeg");
  assert.deepEqual(new Uint8Array(await again!.arrayBuffer()), new Uint8Array(await picture.arrayBuffer()));
});

test("nothing else is made into one", () => {
  for (const uri of ["", "data:image/svg+xml;base64,AAAA", "data:text/html;base64,AAAA", "https://example.org/a.png", "data:image/png;base64,a b"]) {
    assert.equal(pictureIn(uri), null, uri);
  }
});
