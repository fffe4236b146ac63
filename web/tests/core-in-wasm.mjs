// The tests of the core against a server in memory (crates/client/tests), the same that run natively, as
// WebAssembly in a worker.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";

import { launch, servePlays } from "./lab/lab.mjs";

let browser, site;

before(async () => {
  const make = new URL("../../scripts/web-core-tests.sh", import.meta.url).pathname;
  if (!process.env.CORE_TESTS_MADE) await promisify(execFile)(make);
  site = await servePlays();
  browser = await launch();
});

after(async () => {
  await browser?.close();
  site?.close();
});

// At the same time: each keeps one core busy.
describe("the core passes its tests in WebAssembly", { concurrency: 2 }, () => {
  for (const name of ["core", "omemo"]) {
    test(name, async () => {
      const page = await browser.newPage();
      await page.goto(site.url);
      const said = await page.evaluate(
        (program) =>
          new Promise((done) => {
            const worker = new Worker("/worker.js", { type: "module" });
            worker.onmessage = ({ data }) => done(data);
            worker.postMessage(program);
          }),
        `/${name}.wasm`,
      );
      assert.deepEqual(said, { code: 0 });
      await page.close();
    });
  }
});
