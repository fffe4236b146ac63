import assert from "node:assert/strict";
import { test } from "node:test";

import { script } from "../src/trusted";

test("only the app's own scripts can be run", () => {
  assert.equal(script("/worker.js"), "/worker.js");
  assert.equal(script("/sw.js"), "/sw.js");
  for (const other of ["", "/other.js", "https://elsewhere.example/worker.js", "data:,alert(1)"]) {
    assert.throws(() => script(other), TypeError, other);
  }
});
