// What is noted of an account for the next start: only one that worked can be lost.

import assert from "node:assert/strict";
import { test } from "node:test";

import "./browser";
import type { Core } from "../src/core/api";
import type { Notice } from "../src/core/types";
import { Store } from "../src/state/store";

const KEY = "clownfish:has-account";
/** The page was closed while somebody tried to register. */
const kept = new Map([[KEY, "tried"]]);
Object.assign(globalThis, {
  window: { addEventListener: () => undefined },
  localStorage: {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  },
});
const { expectsAccount, lostAccount, startExpecting } = await import("../src/ui/shell/expected");

let say: (notice: Notice) => void = () => {};
const store = new Store({ listen: (listener: typeof say) => void (say = listener) } as unknown as Core);
const is = (account: { device: number | null; connection: string } | null) =>
  say(account ? ({ is: "account", ...account, connection: { is: account.connection } } as unknown as Notice) : { is: "signedOut" });

test("a registration that never worked is not lost when it is gone", () => {
  assert.ok(expectsAccount());
  startExpecting(store);
  is(null);
  assert.equal(lostAccount(), false);
  assert.equal(expectsAccount(), false);
  assert.equal(kept.has(KEY), false);
});

test("one that is tried is noted as that until it has worked, and then for good", () => {
  is({ device: null, connection: "connecting" });
  assert.equal(kept.get(KEY), "tried");
  assert.ok(expectsAccount(), "another window says where it is");
  is({ device: null, connection: "online" });
  assert.equal(kept.get(KEY), "");
  is({ device: null, connection: "connecting" });
  assert.equal(kept.get(KEY), "");
  is({ device: 7, connection: "offline" });
  assert.equal(kept.get(KEY), "");
});
