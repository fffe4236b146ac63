import "./browser";

import assert from "node:assert/strict";
import { test } from "node:test";

import { difference } from "../src/ui/shell/clock";

const NOON = Date.UTC(2026, 5, 1, 12);
const HOUR = 3_600_000;

test("a clock is compared with the server's, whatever the answer took", () => {
  assert.equal(difference(NOON + HOUR, NOON + HOUR + 900, NOON), HOUR);
  assert.equal(difference(NOON - HOUR - 900, NOON - HOUR, NOON), -HOUR);
  assert.equal(difference(NOON - 2 * HOUR, NOON + 2 * HOUR, NOON), 0);
});

test("a few minutes are no trouble", () => {
  assert.equal(difference(NOON + 200_000, NOON + 200_100, NOON), 0);
  assert.equal(difference(NOON - 200_100, NOON - 200_000, NOON), 0);
});
