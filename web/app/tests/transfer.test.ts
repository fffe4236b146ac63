import assert from "node:assert/strict";
import { test } from "node:test";

import { reachable } from "../src/core/transfer";

test("in a trial a file is taken from where the page came from", () => {
  const trial = new URL("http://localhost:5280");
  const file = "https://localhost:5443/upload/abc/a%20b.jpg";
  assert.equal(reachable(file, trial), "http://localhost:5280/upload/abc/a%20b.jpg");
  assert.equal(reachable(file, new URL("https://localhost:5443")), file);
  const elsewhere = "https://upload.example.net/x";
  assert.equal(reachable(elsewhere, trial), elsewhere);
});
