// The suite of every store (crates/client/src/store/conformance) on the store of the browser:
// SQLite in the origin's private files.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, before, test } from "node:test";
import { promisify } from "node:util";

import { launch, serveSuite } from "./lab/lab.mjs";

let browser, site;

before(async () => {
  // The core of the product has no tests in it.
  const make = new URL("../../scripts/web-core.sh", import.meta.url).pathname;
  if (!process.env.CORE_TESTS_MADE) await promisify(execFile)(make, ["--tests"]);
  site = await serveSuite();
  browser = await launch();
});

after(async () => {
  await browser?.close();
  site?.close();
});

/** Runs the suite in a new worker; what it said. */
function suite(page) {
  return page.evaluate(
    () =>
      new Promise((done) => {
        const worker = new Worker("/worker.js", { type: "module" });
        const said = [];
        worker.onmessage = ({ data }) => {
          if (!data.end) return said.push(data);
          worker.terminate();
          done(said);
        };
        worker.postMessage("/core.wasm");
      }),
  );
}

test("the store in private files passes the suite of every store, twice", async () => {
  const page = await browser.newPage();
  await page.goto(site.url);
  for (const round of ["new", "again, over what the first left"]) {
    const said = await suite(page);
    const wrong = said.filter((one) => one.error);
    assert.deepEqual(wrong, [], round);
    assert.ok(said.length > 30, `${said.length} cases, ${round}`);
  }
});
