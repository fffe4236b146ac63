// make bench-web: the figures of the client for browsers, printed and written to docs/benchmarks-web.md.

import { readFile, writeFile } from "node:fs/promises";
import { cpus, release } from "node:os";

import { launch } from "../tests/harness.mjs";
import { Server } from "../tests/server.mjs";
import { catchUp } from "./core.mjs";
import { CROWD, crowded, scrolling, spelled } from "./scroll.mjs";
import { firstStart, invited, laterStart, laterStartWithAccount, sizes } from "./start.mjs";

const PAGE = new URL("../../docs/benchmarks-web.md", import.meta.url);
const KIB = 1024;
/** What the first visit may cost in KiB, what may take how long in milliseconds, and of how many messages. */
const LIMITS = { first: 1.5 * KIB, interactive: 2000, offline: 500, invited: 30_000, caughtUp: 30_000, blocked: 50 };
const WAITING = 10_000;
const LONG = 100_000;

/** Whatever else the machine does only adds. */
const best = (numbers) => Math.min(...numbers);
const rows = [];
/** Figures beyond their limits. */
const missed = [];

/** One line of the table, printed as it comes; without a limit it is told for comparison. */
function note(what, value, unit, limit = null) {
  const met = limit === null ? "–" : value <= limit ? "yes" : "**no**";
  if (met === "**no**") missed.push(`${what}: ${value.toFixed(0)} ${unit}, and at most ${limit} are allowed`);
  rows.push([what, `${value.toFixed(0)} ${unit}`, limit === null ? "–" : `≤ ${limit} ${unit}`, met]);
  console.log(`${what}: ${value.toFixed(0)} ${unit}`);
}

const files = await sizes();
const first = files.filter((one) => one.first);
note("first visit, sent (brotli)", first.reduce((sum, one) => sum + one.sent, 0) / KIB, "KiB", LIMITS.first);

const server = await Server.start();
const browser = await launch();
try {
  note("first start until it can be used, CPU throttled 4×", best(await firstStart(browser, server.url)), "ms", LIMITS.interactive);
  note("later start without a network until it can be used", best(await laterStart(browser, server.url)), "ms", LIMITS.offline);
  await server.addAccount("romeo", "montague");
  const started = await laterStartWithAccount(browser, server.url, ["romeo@localhost", "montague"]);
  note("the same with an account, until the list of chats is there", best(started), "ms", LIMITS.offline);
  const arrived = await invited(browser, server);
  note("from an invitation's link to encrypted words at whoever invited, without reading and typing", arrived, "ms", LIMITS.invited);
} finally {
  await browser.close();
  await server.remove();
}

const limits = { "catching up": LIMITS.caughtUp, "longest task": LIMITS.blocked };
await catchUp(WAITING, (what, ms) => {
  const limit = Object.entries(limits).find(([name]) => what.startsWith(name))?.[1] ?? null;
  note(`${WAITING.toLocaleString("en")} messages: ${what}`, ms, "ms", limit);
});

note(`${CROWD.toLocaleString("en")} people at the start: longest task`, await crowded(CROWD), "ms", LIMITS.blocked);

const scrolled = [];
await scrolling({ messages: LONG }, (figure) => {
  scrolled.push(spelled(figure));
  console.log(scrolled.at(-1));
  note(`${LONG.toLocaleString("en")} messages, ${figure.name}: longest task`, figure.longest, "ms", LIMITS.blocked);
});

const debian = /PRETTY_NAME="([^"]+)"/.exec(await readFile("/etc/os-release", "utf8"))?.[1] ?? "";
const page = `# Benchmarks of the web client

\`make bench-web\` wrote this page: the client for browsers against a server on the same machine, in headless
Chromium without a graphics card. Starts are the best of five; tasks of the page are measured by the
processor's clock. Whatever else the machine does adds to the rest.

| what | measured | limit | met |
|---|---:|---:|---|
${rows.map((row) => `| ${row.join(" | ")} |`).join("\n")}

## What the first visit is made of

| file | bytes | sent |
|---|---:|---:|
${first.map((one) => `| ${one.path.replace(/-[0-9A-Za-z]{8,10}\./, "-….")} | ${one.plain} | ${one.sent} |`).join("\n")}

## Scrolling

One conversation of ${LONG.toLocaleString("en")} messages. "Over 50 ms" is how many tasks were that long, and "rows"
the most messages that were in the page at any time. Frames are by the wall's clock.

\`\`\`
${scrolled.join("\n")}
\`\`\`

Machine: ${cpus()[0].model}, ${cpus().length} cores, ${debian}, Linux ${release()}.
`;
await writeFile(PAGE, page);
if (missed.length > 0) {
  console.error(`\nMissed:\n${missed.join("\n")}`);
  process.exitCode = 1;
}
