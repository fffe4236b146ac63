// Runs the unit tests of the page, tests/*.test.ts, in Node:  node test.mjs [NAME…]

import { spawn } from "node:child_process";
import { mkdir, readdir, rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

const TESTS = fileURLToPath(new URL("tests/", import.meta.url));
const OUT = fileURLToPath(new URL("../../target/page-tests/", import.meta.url));

const wanted = process.argv.slice(2);
const tests = (await readdir(TESTS))
  .filter((file) => /\.test\.tsx?$/.test(file))
  .filter((file) => wanted.length === 0 || wanted.some((name) => file.startsWith(name)));
if (tests.length === 0) throw new Error(`no tests in ${TESTS}`);

await rm(OUT, { recursive: true, force: true });
await mkdir(OUT, { recursive: true });
await build({
  entryPoints: tests.map((file) => TESTS + file),
  outdir: OUT,
  outExtension: { ".js": ".mjs" },
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node18",
  jsx: "automatic",
  jsxImportSource: "preact",
  loader: { ".css": "empty" },
  alias: { "clownfish-core": `${TESTS}fake-core.ts` },
  define: { __VERSION__: '"test"', __WORKER__: '"/worker.js"', __CORE__: '"/core.wasm"', __CORE_HASH__: '""' },
  sourcemap: "inline",
  logLevel: "warning",
});
const files = tests.map((file) => OUT + file.replace(/\.tsx?$/, ".mjs"));
const node = spawn(process.execPath, ["--enable-source-maps", "--test", "--test-reporter=spec", ...files], { stdio: "inherit" });
node.on("exit", (code) => process.exit(code ?? 1));
