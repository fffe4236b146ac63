// Versions of the app: one is kept as a whole, starts without a server, and makes room for the next
// one when somebody agrees. The server here is a small one that can change versions.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, test } from "node:test";

import { eventually, launch, Person } from "./harness.mjs";
import { freePorts } from "./server.mjs";
import { version } from "./versions.mjs";

const TYPES = { html: "text/html", js: "text/javascript", css: "text/css", wasm: "application/wasm" };

class Site {
  static async open(context) {
    const site = new Site();
    context.after(() => site.close());
    await site.open(1);
    return site;
  }

  async open(number) {
    this.files = await version(number);
    [this.port] = this.port ? [this.port] : await freePorts(1);
    this.missing = [];
    this.server = createServer((request, response) => {
      const path = new URL(request.url, "http://localhost").pathname;
      const file = this.answer?.(request) ?? this.files.get(path === "/" ? "/index.html" : path);
      response.setHeader("cache-control", path.startsWith("/assets/") ? "max-age=31536000, immutable" : "no-cache");
      if (!file) {
        this.missing.push(path);
        response.writeHead(404).end();
        return;
      }
      response.setHeader("content-type", TYPES[path.split(".").at(-1)] ?? (path === "/" ? "text/html" : "application/octet-stream"));
      response.end(file);
    }).listen(this.port, "127.0.0.1");
    await once(this.server, "listening");
    this.url = `http://localhost:${this.port}/`;
  }

  async change(number) {
    this.files = await version(number);
  }

  async close() {
    if (!this.server.listening) return;
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
  }
}

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

/** The script that a page runs. */
const running = (page) => page.evaluate(() => document.querySelector('script[src*="/main-"]').getAttribute("src"));
const controlled = (page) => page.waitForFunction(() => navigator.serviceWorker.controller !== null);
const caches_ = (page) => page.evaluate(async () => (await caches.keys()).filter((name) => name.startsWith("clownfish-app-")));
const drawn = (page) => page.locator("#app > *, body > :not(#app):not(noscript):not(script)").first().waitFor();

test("a version starts without a server, and the next one takes over when somebody agrees", async (context) => {
  const site = await Site.open(context);
  const person = await Person.sit(browser, { name: "romeo" });
  const { page } = person;
  await page.goto(site.url);
  await drawn(page);
  await controlled(page);
  const first = await running(page);

  await site.close();
  await page.reload();
  await drawn(page);
  assert.equal(await running(page), first, "without a server it starts");

  await site.open(2);
  await page.reload();
  await drawn(page);
  assert.equal(await running(page), first, "the old version works with a new server");
  assert.deepEqual(site.missing.filter((path) => path.startsWith("/assets/")), [], "and asks it for nothing");

  const other = await person.window();
  await other.goto(site.url);
  await drawn(other);
  await page.evaluate(async () => (await navigator.serviceWorker.getRegistration()).update());
  await eventually(page, async () => (await navigator.serviceWorker.getRegistration()).waiting !== null);
  assert.equal((await caches_(page)).length, 2, "the new one waits");
  assert.equal(await running(page), first, "and nothing changes by itself");

  const loaded = [page, other].map((one) => one.waitForEvent("load"));
  await page.evaluate(async () => (await navigator.serviceWorker.getRegistration()).waiting.postMessage("take over"));
  await Promise.all(loaded);
  await drawn(page);
  assert.match(await running(page), /main-v2-/, "then it is there");
  assert.match(await running(other), /main-v2-/, "in every window");
  await eventually(page, async () => (await caches.keys()).filter((name) => name.startsWith("clownfish-app-")).length === 1);
  assert.deepEqual(await caches_(page), ["clownfish-app-v2"], "and the old one is gone");
  await person.leave();
});

test("a version that the browser has partly thrown away gives way to the server's", async (context) => {
  const site = await Site.open(context);
  const person = await Person.sit(browser, { name: "juliet" });
  const { page } = person;
  await page.goto(site.url);
  await drawn(page);
  await controlled(page);
  const first = await running(page);
  await page.evaluate(async (path) => {
    for (const name of await caches.keys()) await (await caches.open(name)).delete(path);
  }, first);
  await site.change(3);
  // Without the cache of the browser: that has the script for a year.
  await page.context().newCDPSession(page).then((session) => session.send("Network.clearBrowserCache"));
  await page.reload({ waitUntil: "commit" });
  await page.waitForFunction(() => document.querySelector('script[src*="main-v3-"]') !== null);
  await drawn(page);
  await person.leave();
});

test("a file that is not what the version consists of is not kept, and does not run", async (context) => {
  const site = await Site.open(context);
  const person = await Person.sit(browser, { name: "apothecary" });
  const { page } = person;
  await page.goto(site.url);
  await drawn(page);
  await controlled(page);
  // The next version, with a script that somebody put something into on its way.
  await site.change(2);
  const changed = [...site.files.keys()].find((name) => name.includes("main-v2-"));
  site.files.set(changed, Buffer.concat([site.files.get(changed), Buffer.from("\nglobalThis.poisoned = true;\n")]));
  person.expects(/integrity|Failed to fetch|Failed to find/i);
  const state = await page.evaluate(async () => {
    const registration = await navigator.serviceWorker.getRegistration();
    const found = new Promise((come) => registration.addEventListener("updatefound", () => come(registration.installing)));
    await registration.update();
    const installing = await found;
    return new Promise((done) => {
      const look = () => ["redundant", "installed"].includes(installing.state) && done(installing.state);
      installing.addEventListener("statechange", look);
      look();
    });
  });
  assert.equal(state, "redundant");
  // Nor without a service worker: the page names the hashes of what it starts with.
  const stranger = await Person.sit(browser, { name: "stranger" });
  stranger.expects(/integrity/i);
  await stranger.page.goto(site.url);
  await stranger.page.waitForLoadState("networkidle");
  assert.equal(await stranger.page.evaluate(() => globalThis.poisoned), undefined);
  await stranger.leave();
  await person.leave();
});

/** In a page: whether the core has made its store. */
async function started() {
  const names = [];
  for await (const name of (await navigator.storage.getDirectory()).keys()) names.push(name);
  if (!names.includes("clownfish")) return false;
  const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle("clownfish");
  return folder.getDirectoryHandle("database").then(() => true, () => false);
}

/** Somebody at their first visit. */
async function visit(site, name, expected, { old = false } = {}) {
  const person = await Person.sit(browser, { name });
  // As browsers were before they fetched modules ahead.
  if (old) {
    await person.page.addInitScript(() => {
      const { supports } = DOMTokenList.prototype;
      DOMTokenList.prototype.supports = function (token) {
        return token !== "modulepreload" && supports.call(this, token);
      };
    });
  }
  if (expected) person.expects(expected);
  await person.page.goto(site.url);
  return person;
}

test("a core that is not the one of this version does not run, and the page says so", async (context) => {
  const site = await Site.open(context);
  const path = [...site.files.keys()].find((name) => name.endsWith(".wasm"));
  const core = site.files.get(path);
  // As good a program as the other one: a section that means nothing follows.
  const altered = Buffer.concat([core, Buffer.from([0, 2, 1, 0x78])]);
  site.files.set(path, altered);
  const romeo = await visit(site, "romeo", /integrity|Failed to fetch/i);
  await romeo.page.getByRole("heading", { name: "Clownfish did not load correctly" }).waitFor();
  await romeo.page.getByText("is not the file that this version consists of").waitFor();
  assert.equal(await romeo.page.evaluate(started), false);
  await romeo.accessible();
  site.files.set(path, core);
  await romeo.page.getByRole("button", { name: "Reload" }).click();
  await romeo.page.getByRole("heading", { name: "Welcome to Clownfish" }).waitFor();
  await eventually(romeo.page, started);
  await romeo.leave();
});

test("what something on the way spoiled is fetched past its cache", async (context) => {
  const site = await Site.open(context);
  const path = [...site.files.keys()].find((name) => name.endsWith(".wasm"));
  const core = site.files.get(path);
  let spoiled = 0;
  site.answer = ({ url, headers }) => {
    if (url !== path || headers["cache-control"] === "no-cache") return null;
    spoiled += 1;
    return core.subarray(0, 1000);
  };
  const juliet = await visit(site, "juliet", /integrity|Failed to fetch/i);
  await eventually(juliet.page, started);
  assert.ok(spoiled > 0);
  await juliet.leave();
});

/** The scripts of the document in their order, and those of each part. */
function named(index) {
  const scripts = [...index.matchAll(/<script type="module" src="([^"]+)" integrity="sha256-/g)].map(([, path]) => path);
  const parts = new Map();
  for (const [, part, path] of index.matchAll(/<link rel="later" data-part="([^"]+)" href="([^"]+)" integrity="sha256-/g)) {
    parts.set(part, [...(parts.get(part) ?? []), path]);
  }
  return { scripts, parts };
}

test("what a script imports is compared before it", async () => {
  const files = await version(1);
  const { scripts, parts } = named(files.get("/index.html").toString());
  assert.ok(scripts.length > 2 && parts.size > 3);
  const imports = (path) => [...files.get(path).toString().matchAll(/(?:from|import)\s*"(\/assets\/[^"]+\.js)"/g)].map(([, name]) => name);
  assert.ok(imports(scripts.at(-1)).length > 2);
  for (const all of [scripts, ...[...parts.values()].map((some) => [...scripts, ...some])]) {
    for (const [at, path] of all.entries()) {
      for (const one of imports(path)) assert.ok(all.slice(0, at).includes(one), `${one} comes before ${path}`);
    }
  }
});

const poison = (site, path) => site.files.set(path, Buffer.concat([site.files.get(path), Buffer.from("\nglobalThis.poisoned = true;\n")]));

for (const old of [false, true]) {
  test(`a part that is loaded later is compared as well, in ${old ? "old" : "all"} browsers`, async (context) => {
    const site = await Site.open(context);
    const right = await visit(site, "peter", null, { old });
    await right.page.getByRole("heading", { name: "Welcome to Clownfish" }).waitFor();
    await right.leave();
    // The part itself, or what only it imports.
    const { parts } = named(site.files.get("/index.html").toString());
    for (const path of parts.get("welcome")) {
      const good = site.files.get(path);
      poison(site, path);
      const nurse = await visit(site, "nurse", /integrity|could not be loaded|Failed to fetch/i, { old });
      await nurse.page.getByText("Something went wrong on this page").first().waitFor();
      assert.equal(await nurse.page.evaluate(() => globalThis.poisoned), undefined, path);
      await nurse.leave();
      site.files.set(path, good);
    }
  });
}

test("what the page begins with is compared with all that it imports", async (context) => {
  const site = await Site.open(context);
  const { scripts } = named(site.files.get("/index.html").toString());
  poison(site, scripts.findLast((path) => path.includes("/chunk-")));
  const gregory = await visit(site, "gregory", /integrity|Failed to fetch/i, { old: true });
  await gregory.page.waitForLoadState("networkidle");
  assert.equal(await gregory.page.evaluate(() => globalThis.poisoned), undefined);
  await gregory.leave();
});

test("what a page hands over before it is stopped is shown without it", async (context) => {
  const site = await Site.open(context);
  const person = await Person.sit(browser, { name: "benvolio" });
  const { page } = person;
  await page.goto(site.url);
  await drawn(page);
  await controlled(page);
  await page.evaluate(() => {
    const options = { body: "Part, fools!", tag: "tybalt@example.org" };
    navigator.serviceWorker.controller.postMessage({ show: { title: "Tybalt", options } });
  });
  await eventually(page, async () => {
    const shown = await (await navigator.serviceWorker.getRegistration()).getNotifications({ tag: "tybalt@example.org" });
    return shown.length === 1 && shown[0].title === "Tybalt" && shown[0].body === "Part, fools!";
  });
  await person.leave();
});

test("what another app shares reaches the page", async (context) => {
  const site = await Site.open(context);
  const person = await Person.sit(browser, { name: "nurse" });
  const { page } = person;
  await page.goto(site.url);
  await drawn(page);
  await controlled(page);
  const place = await page.evaluate(async () => {
    const form = new FormData();
    form.append("title", "Verona");
    form.append("text", "a picture");
    form.append("files", new File(["balcony"], "balcony ü.txt", { type: "text/plain" }));
    const answer = await fetch("/share", { method: "POST", body: form, redirect: "manual" });
    return answer.type;
  });
  assert.equal(place, "opaqueredirect", "the page is shown");
  const shared = await page.evaluate(async () => {
    const cache = await caches.open("clownfish-shared");
    const [text, file] = await Promise.all((await cache.keys()).map((request) => cache.match(request)));
    return {
      text: await text.text(),
      name: decodeURIComponent(file.headers.get("x-name")),
      content: await file.text(),
    };
  });
  assert.deepEqual(shared, { text: "Verona\na picture", name: "balcony ü.txt", content: "balcony" });
  await person.leave();
});

/** A page of another site that sends a form there, as soon as it is loaded. */
async function other(context, target, head) {
  const page = `<!doctype html>${head}<form method="post" enctype="multipart/form-data" action="${target}">
    <input name="text" value="from elsewhere"></form><script>addEventListener("load", () => setTimeout(() => document.forms[0].submit()))</script>`;
  const server = createServer((_, response) => response.setHeader("content-type", "text/html").end(page));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  context.after(() => server.close());
  return `http://127.0.0.1:${server.address().port}/`;
}

test("a page of others cannot take away what waits, nor slip something in unseen", async (context) => {
  const site = await Site.open(context);
  const person = await Person.sit(browser, { name: "lawrence" });
  const { page } = person;
  await page.goto(site.url);
  await drawn(page);
  await controlled(page);
  await page.evaluate(async () => {
    const form = new FormData();
    form.append("text", "from an app");
    form.append("files", new File(["balcony"], "balcony.txt", { type: "text/plain" }));
    await fetch("/share", { method: "POST", body: form, redirect: "manual" });
  });
  const kept = () =>
    page.evaluate(async () => {
      const cache = await caches.open("clownfish-shared");
      const pieces = await Promise.all((await cache.keys()).map((request) => cache.match(request)));
      return Promise.all(pieces.map((one) => one.text()));
    });
  const target = `${site.url}share`;
  // One that says where it is gets nothing in.
  await page.goto(await other(context, target, '<meta name="referrer" content="unsafe-url">'));
  const there = new URL(site.url).origin;
  await page.waitForURL((url) => url.origin === there);
  assert.deepEqual(await kept(), ["from an app", "balcony"]);
  // One that does not looks like an app: both are there, to be looked at.
  await page.goto(await other(context, target, '<meta name="referrer" content="no-referrer">'));
  await page.waitForURL((url) => url.origin === there && url.hash === "#/share");
  assert.deepEqual(await kept(), ["from an app", "balcony", "from elsewhere"]);
  await person.leave();
});
