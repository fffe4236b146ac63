// Makes web/dist/site out of src, public and the core: what the server serves, ready to be embedded.
//
//   node build.mjs           as it is shipped: small, with compressed forms beside the files
//   node build.mjs --fast    for work on the page: not compressed
//
// Names in `assets` hold the hash of their content. Files that are as they should be are not written
// again, so that the server is not built again for nothing.

import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";

import { build } from "esbuild";

import { apart, styles } from "./styles.mjs";

const HERE = dirname(fileURLToPath(import.meta.url));
const SITE = join(HERE, "../dist/site");
const CORE = join(HERE, "../dist/core/core_bg.wasm");
const FAST = process.argv.includes("--fast");

/** Systems fetch these when the app is installed; it does not need them to start. */
const LARGE_ICONS = /^\/icons\/(icon-512|maskable-512|apple-touch)\.png$/;

/** Path on the server → content. */
const files = new Map();

const OPTIONS = {
  bundle: true,
  write: false,
  outdir: SITE,
  absWorkingDir: HERE,
  format: "esm",
  target: ["es2022", "chrome111", "firefox114", "safari16.4"],
  minify: !FAST,
  jsx: "automatic",
  jsxImportSource: "preact",
  publicPath: "/",
  entryNames: "assets/[name]-[hash]",
  chunkNames: "assets/[name]-[hash]",
  assetNames: "assets/[name]-[hash]",
  legalComments: "none",
  metafile: true,
  logLevel: "warning",
  alias: { "clownfish-core": join(HERE, "../dist/core/core.js") },
};

/** Bundles entries with constants; the scripts that they became. */
async function bundle(entries, constants, more = {}) {
  const define = Object.fromEntries(
    Object.entries(constants).map(([name, value]) => [name, JSON.stringify(value)]),
  );
  const result = await build({ ...OPTIONS, entryPoints: entries, define, ...more });
  for (const output of result.outputFiles) add(relative(SITE, output.path), output.contents);
  const { outputs } = result.metafile;
  const script = (path) => ({ path: url(path), needs: needed(path, outputs).map(url) });
  const begun = entries.map((entry) => Object.keys(outputs).find((path) => outputs[path].entryPoint === entry));
  const later = Object.keys(outputs).filter((path) => outputs[path].entryPoint && !begun.includes(path));
  return { begun: begun.map(script), later: later.map(script) };
}

/** The scripts without which one of them does not begin, each behind those that it needs itself. */
function needed(path, outputs, found = [], seen = new Set([path])) {
  for (const one of outputs[path].imports) {
    if (one.kind !== "import-statement" || seen.has(one.path)) continue;
    seen.add(one.path);
    needed(one.path, outputs, found, seen);
    found.push(one.path);
  }
  return found;
}

function add(path, content) {
  files.set(`/${path}`, Buffer.from(content));
}

function hash(content) {
  return createHash("sha256").update(content).digest("hex").slice(0, 10);
}

/** What browsers compare a file with before they use it (Subresource Integrity §3.1). */
function integrity(content) {
  return `sha256-${createHash("sha256").update(content).digest("base64")}`;
}

async function addCore() {
  const content = await readFile(CORE).catch(() => {
    throw new Error("there is no core yet; scripts/web.sh makes it");
  });
  const name = `assets/core-${hash(content)}.wasm`;
  add(name, content);
  return { url: `/${name}`, hash: integrity(content).replace("sha256-", "") };
}

async function addPublic(folder = join(HERE, "public")) {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await addPublic(path);
    else add(relative(join(HERE, "public"), path), await readFile(path));
  }
}

/** All style sheets as one; its path. */
async function addStyles() {
  const { outputFiles } = await build({ ...OPTIONS, ...(await styles()), entryNames: "assets/styles-[hash]" });
  for (const output of outputFiles) add(relative(SITE, output.path), output.contents);
  return `/${relative(SITE, outputFiles[0].path)}`;
}

/**
 * The page with its scripts, in their order, with the hashes of those that come later, and its styles. An import
 * has no hash: what a script imports stands in front of it, and is that what its own hash says by then.
 */
function addIndex({ begun, later }, sheet) {
  const template = files.get("/index.html").toString();
  const checked = (path) => `integrity="${integrity(files.get(path))}"`;
  const here = new Set(begun.flatMap(({ path, needs }) => [...needs, path]));
  const parts = later.flatMap(({ path, needs }) => [...needs, path].map((one) => [nameOf(path), one]));
  const scripts = [
    ...[...here].map((path) => `<script type="module" src="${path}" ${checked(path)}></script>`),
    // Asks for nothing: src/checked.ts does, when the part is wanted.
    ...parts
      .filter(([, path]) => !here.has(path))
      .map(([part, path]) => `<link rel="later" data-part="${part}" href="${path}" ${checked(path)}>`),
  ];
  const page = template
    .replace("<!-- styles -->", `<link rel="stylesheet" href="${sheet}" ${checked(sheet)}>`)
    .replace("<!-- scripts -->", scripts.join("\n    "));
  add("index.html", page);
}

/** What a part is called in the sources: its script without the hash. */
function nameOf(path) {
  return /([^/]+)-\w+\.js$/.exec(path)[1];
}

function url(path) {
  return `/${relative(SITE, join(HERE, path))}`;
}

async function make() {
  await addPublic();
  const core = await addCore();
  // Browsers take the policy of a worker from its script, which is therefore asked for again each
  // time: it is not in `assets`.
  const { begun: [worker] } = await bundle(
    ["src/core/worker.ts"],
    { __CORE__: "", __CORE_HASH__: "", __WORKER__: "", __VERSION__: "" },
    { entryNames: "[name]-[hash]" },
  );
  const scripts = await bundle(
    ["src/boot.ts", "src/main.tsx"],
    { __CORE__: core.url, __CORE_HASH__: core.hash, __WORKER__: worker.path, __VERSION__: hash(worker.path + core.url) },
    { splitting: true, plugins: [apart] },
  );
  addIndex(scripts, await addStyles());
  const names = [...files.keys()].sort();
  const version = hash(names.map((name) => name + hash(files.get(name))).join());
  const kept = names
    .filter((name) => !LARGE_ICONS.test(name))
    .map((name) => [name === "/index.html" ? "/" : name, integrity(files.get(name))]);
  await bundle(
    ["src/sw.ts"],
    { __VERSION__: version, __FILES__: Object.fromEntries(kept), __WORKER__: worker.path },
    { entryNames: "[name]", format: "iife" },
  );
  add("assets.json", JSON.stringify({ version, worker: worker.path, files: listing(names) }, null, 1));
}

/** What the app consists of, for those who compare a server's files with a build of their own. */
function listing(names) {
  return Object.fromEntries(names.map((name) => [name, integrity(files.get(name))]));
}

const brotli = promisify(brotliCompress);
const zip = promisify(gzip);
const PACKED = /\.(html|js|css|wasm|json|webmanifest|svg)$/;

async function write() {
  const wanted = new Set();
  for (const [path, content] of files) {
    const changed = await put(path, content, wanted);
    if (FAST || !PACKED.test(path)) continue;
    await pack(`${path}.br`, content, changed, wanted, (bytes) =>
      brotli(bytes, {
        params: {
          [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
          [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
          [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
        },
      }),
    );
    await pack(`${path}.gz`, content, changed, wanted, (bytes) => zip(bytes, { level: 9 }));
  }
  await removeOthers(SITE, wanted);
}

/** Writes a file unless it is there already; whether it was written. */
async function put(path, content, wanted) {
  wanted.add(path);
  const place = join(SITE, path);
  const old = await readFile(place).catch(() => null);
  if (old?.equals(content)) return false;
  await mkdir(dirname(place), { recursive: true });
  await writeFile(place, content);
  return true;
}

/** The compressed form of a file, where it saves something. */
async function pack(path, content, changed, wanted, compress) {
  const place = join(SITE, path);
  if (!changed && (await stat(place).catch(() => null))) {
    wanted.add(path);
    return;
  }
  const packed = await compress(content);
  if (packed.length < content.length * 0.95) await put(path, packed, wanted);
}

async function removeOthers(folder, wanted) {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await removeOthers(path, wanted);
    else if (!wanted.has(`/${relative(SITE, path)}`)) await rm(path);
  }
}

await make();
await write();
const total = (ending) =>
  [...files.keys()].filter((path) => path.endsWith(ending)).map((path) => files.get(path).length);
const sum = (numbers) => Math.round(numbers.reduce((all, one) => all + one, 0) / 1024);
console.log(
  `${files.size} files: scripts ${sum(total(".js"))} KiB, styles ${sum(total(".css"))} KiB, ` +
    `core ${sum(total(".wasm"))} KiB before compression`,
);
