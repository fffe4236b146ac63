// Versions of the app: the one that was built, and others that differ from it by one script.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile, readdir } from "node:fs/promises";

const SITE = new URL("../dist/site/", import.meta.url);

/** The files of the app as the next version would have them: other names, other content. */
export async function version(number) {
  const files = new Map();
  for (const name of await readdir(SITE, { recursive: true })) {
    if (!/\.(br|gz)$/.test(name) && /\.\w+$/.test(name)) files.set(`/${name}`, await readFile(new URL(name, SITE)));
  }
  if (number === 1) return files;
  const index = files.get("/index.html").toString();
  const main = /src="(\/assets\/main-[^"]+\.js)"/.exec(index)[1];
  const renamed = main.replace("main-", `main-v${number}-`);
  files.set(renamed, Buffer.concat([files.get(main), Buffer.from(`\n// version ${number}\n`)]));
  const [old, changed] = [integrity(files.get(main)), integrity(files.get(renamed))];
  const [before, page] = [integrity(index), index.replaceAll(main, renamed).replaceAll(old, changed)];
  files.set("/index.html", Buffer.from(page));
  const { version } = JSON.parse(files.get("/assets.json"));
  const worker = files.get("/sw.js").toString();
  assert.ok(worker.includes(version) && worker.includes(main));
  const hashes = [[main, renamed], [old, changed], [before, integrity(page)], [version, `v${number}`]];
  files.set("/sw.js", Buffer.from(hashes.reduce((text, [from, to]) => text.replaceAll(from, to), worker)));
  files.delete(main);
  return files;
}

function integrity(content) {
  return `sha256-${createHash("sha256").update(content).digest("base64")}`;
}
