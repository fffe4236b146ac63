// Files that people share, at the same address as the app: whatever they are, nothing of them runs in it.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, before, test } from "node:test";
import { promisify } from "node:util";

import { launch, PATIENCE, Person } from "./harness.mjs";
import { Server } from "./server.mjs";
import { PASSWORD } from "./stage.mjs";

const ROOT = new URL("../../", import.meta.url).pathname;
const run = promisify(execFile);

let server, browser;
before(async () => {
  server = await Server.start({ files: "app" });
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await server?.remove();
});

/** Shares a text as a file of some type; its address. */
async function share(name, type, text) {
  const command = [server.ports.c2s, server.authority, "tybalt", PASSWORD, name, text.length, type];
  const options = [`${ROOT}web/tests/slixmpp_slot.py`, ...command.map(String)];
  const { stdout } = await run(`${ROOT}.venv/bin/python`, options, { timeout: PATIENCE });
  const { put, authorization, get } = JSON.parse(stdout);
  const headers = { authorization, "content-type": type };
  const answer = await fetch(put, { method: "PUT", headers, body: text });
  assert.equal(answer.status, 201);
  return get;
}

/** Puts an element into the page; whether it was loaded. */
function load(page, name, attributes) {
  return page.evaluate(
    ([name, attributes]) =>
      new Promise((done) => {
        const element = document.createElement(name);
        element.onload = () => done("loaded");
        element.onerror = () => done("refused");
        for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
        document.head.append(element);
      }),
    [name, attributes],
  );
}

test("a script and a style sheet that somebody shared are none for the page", async () => {
  await server.addAccount("tybalt", PASSWORD);
  const script = await share("a.js", "text/javascript", "globalThis.caught = true;");
  const sheet = await share("a.css", "text/css", "body { display: none }");
  const person = await Person.sit(browser, { name: "juliet" });
  // The element stands in the page as it comes: Trusted Types would refuse it later on.
  person.expects(/policy: (script-src|style-src|worker-src|require-trusted)|Content Security Policy|TrustedScriptURL|MIME type/);
  const { page } = person;
  await page.route(server.url, async (route) => {
    const answer = await route.fetch();
    const body = (await answer.text()).replace("</head>", `<script src="${script}"></script></head>`);
    await route.fulfill({ response: answer, body });
  });
  const blocked = page.waitForEvent("console", (message) => message.text().startsWith("policy: script-src"));
  await page.goto(server.url);
  assert.ok((await blocked).text().includes(new URL(script).pathname));
  assert.equal(new URL(script).origin, new URL(page.url()).origin, "the file has the origin of the page");
  await page.waitForFunction(() => document.querySelector("#app")?.childElementCount > 0);
  assert.equal(await page.evaluate(() => globalThis.caught), undefined, "the app's scripts run, and no other");
  assert.equal(await load(page, "link", { rel: "stylesheet", href: sheet }), "refused");

  // Even without the policy of the page it is no script.
  const answer = await fetch(script);
  assert.equal(answer.headers.get("content-type"), "application/octet-stream");
  assert.equal(answer.headers.get("x-content-type-options"), "nosniff");
  await person.leave();
});
