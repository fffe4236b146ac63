// Parts of the page that come later: what did not come once is asked for again.

import assert from "node:assert/strict";
import { test } from "node:test";

import "./browser";
import { checked } from "../src/checked";

/** A link of build.mjs: it asks when its kind says so, and fails as long as there is no network. */
class Link {
  asked = 0;
  onload = () => {};
  onerror = () => {};
  relList = { supports: () => true };
  #rel = "later";

  constructor(readonly there: () => boolean) {}

  get rel(): string {
    return this.#rel;
  }

  set rel(value: string) {
    if (value !== this.#rel && value === "modulepreload") {
      this.asked += 1;
      queueMicrotask(() => (this.there() ? this.onload() : this.onerror()));
    }
    this.#rel = value;
  }

  getAttribute(): string {
    return "/assets/part.js";
  }
}

test("a part that did not come is asked for again, and one that came is not", async () => {
  let network = false;
  const link = new Link(() => network);
  Object.assign(document, { querySelectorAll: () => [link] });
  assert.match(await checked("part", async () => "run").catch(String), /did not come/);
  network = true;
  assert.equal(await checked("part", async () => "run"), "run");
  assert.equal(link.asked, 2);
  await checked("part", async () => "run");
  assert.equal(link.asked, 2);
});
