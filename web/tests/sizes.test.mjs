// What the issue of the client allows it to cost. The figures that depend on the machine are measured by
// `make bench-web`.

import assert from "node:assert/strict";
import { test } from "node:test";

import { sizes } from "../bench/start.mjs";

const MOST = 1.5 * 1024 * 1024;

test("the first visit costs less than a megabyte and a half", async () => {
  const first = (await sizes()).filter((one) => one.first);
  assert.ok(first.some(({ path }) => path.endsWith(".wasm")), "the core is counted");
  assert.ok(first.some(({ path }) => path.includes("main-")), "and the page");
  const sum = first.reduce((all, one) => all + one.sent, 0);
  assert.ok(sum < MOST, `${sum} bytes: ${first.map(({ path, sent }) => `${path} ${sent}`).join(", ")}`);
});
