// make bench-web: the figures of the client for browsers, printed and written to docs/benchmarks-web.md.

import { spawn } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { cpus, release } from "node:os";
import { existsSync } from "node:fs";

import { launch } from "../tests/harness.mjs";
import { Server } from "../tests/server.mjs";
import { firstStart, laterStart, sizes } from "./start.mjs";

const PAGE = new URL("../../docs/benchmarks-web.md", import.meta.url);
const KIB = 1024;
/** What the first visit may cost, and how long a start may take. */
const LIMITS = { first: 1.5 * KIB * KIB, interactive: 2000, offline: 500 };

const middle = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
const kib = (bytes) => (bytes / KIB).toFixed(0);
const yes = (met) => (met ? "yes" : "**no**");

/** A script of this folder; what it prints. */
function printed(script, ...options) {
  return new Promise((done, failed) => {
    const child = spawn(process.execPath, [new URL(script, import.meta.url).pathname, ...options]);
    let text = "";
    child.stdout.on("data", (data) => (text += data));
    child.stderr.pipe(process.stderr);
    child.on("exit", (code) => (code === 0 ? done(text.trimEnd()) : failed(new Error(`${script}: ${code}\n${text}`))));
  });
}

const rows = [];
const files = await sizes();
const first = files.filter((one) => one.first);
const sent = first.reduce((sum, one) => sum + one.sent, 0);
rows.push(["first visit, sent (brotli)", `${kib(sent)} KiB`, `≤ ${kib(LIMITS.first)} KiB`, yes(sent <= LIMITS.first)]);
console.log(`first visit: ${kib(sent)} KiB`);

const server = await Server.start();
const browser = await launch();
try {
  const fresh = middle(await firstStart(browser, server.url));
  rows.push(["first start until it can be used, CPU throttled 4×", `${fresh.toFixed(0)} ms`, `≤ ${LIMITS.interactive} ms`, yes(fresh <= LIMITS.interactive)]);
  console.log(`first start: ${fresh.toFixed(0)} ms`);
  const later = middle(await laterStart(browser, server.url));
  rows.push(["later start without a network", `${later.toFixed(0)} ms`, `≤ ${LIMITS.offline} ms`, yes(later <= LIMITS.offline)]);
  console.log(`later start: ${later.toFixed(0)} ms`);
} finally {
  await browser.close();
  await server.remove();
}

const scripts = [["Scrolling", "scroll.mjs"], ["Catching up", "core.mjs"]];
const parts = [];
for (const [title, script] of scripts.filter(([, script]) => existsSync(new URL(script, import.meta.url)))) {
  const text = await printed(script);
  console.log(`${title}\n${text}`);
  parts.push(`## ${title}\n\n\`\`\`\n${text}\n\`\`\`\n`);
}

const debian = /PRETTY_NAME="([^"]+)"/.exec(await readFile("/etc/os-release", "utf8"))?.[1] ?? "";
const page = `# Benchmarks of the web client

\`make bench-web\` wrote this page: the client for browsers against a server on the same machine, in headless
Chromium without a graphics card. Times are the median of five fresh starts.

| what | measured | limit | met |
|---|---:|---:|---|
${rows.map((row) => `| ${row.join(" | ")} |`).join("\n")}

## What the first visit is made of

| file | bytes | sent |
|---|---:|---:|
${first.map((one) => `| ${one.path.replace(/-[0-9A-Za-z]{8,10}\./, "-….")} | ${one.plain} | ${one.sent} |`).join("\n")}

${parts.join("\n")}
Machine: ${cpus()[0].model}, ${cpus().length} cores, ${debian}, Linux ${release()}.
`;
await writeFile(PAGE, page);
