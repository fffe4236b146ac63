// Pages that have the core and nothing to see, for tests of the core: bundled for the test, served
// on a free port of localhost, which passes the WebSocket on to a server.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { once } from "node:events";
import { createServer } from "node:http";
import { request as ask } from "node:https";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { connect } from "node:tls";
import { fileURLToPath } from "node:url";

import { PATIENCE, PROGRAM } from "../../app/dev/browser.mjs";
import { becomes } from "../../app/dev/checks/waiting.mjs";
import { contentPolicy } from "../../policy.mjs";

const HERE = dirname(fileURLToPath(import.meta.url));
const WEB = join(HERE, "../..");
const modules = createRequire(join(WEB, "app/package.json"));
const { build } = modules("esbuild");
const { chromium } = modules("playwright-core");

const CORE = readFileSync(join(WEB, "dist/core/core_bg.wasm"));
const CORE_HASH = createHash("sha256").update(CORE).digest("base64");

const OPTIONS = {
  bundle: true,
  write: false,
  format: "esm",
  target: "es2022",
  nodePaths: [join(WEB, "app/node_modules")],
  define: { __CORE__: '"/core.wasm"', __CORE_HASH__: JSON.stringify(CORE_HASH), __WORKER__: '"/worker.js"', __VERSION__: '""' },
  alias: {
    "clownfish-core": join(WEB, "dist/core/core.js"),
    "clownfish-core-tests": join(WEB, "dist/core-tests/core.js"),
  },
};

async function script(path) {
  const made = await build({ ...OPTIONS, entryPoints: [path] });
  return made.outputFiles[0].contents;
}

const POLICY = await contentPolicy({ "connect-src": ["https:", "ws://localhost:*", "wss:"] });

/** Serves pages of the lab; `port` is the server's for HTTPS, where the WebSocket is. */
export async function serve(port) {
  const page = '<!doctype html><meta charset="utf-8"><title>lab</title>';
  const files = new Map([
    ["/", ["text/html", `${page}<script type="module" src="/page.js"></script>`]],
    ["/blank", ["text/html", page]],
    ["/page.js", ["text/javascript", await script(join(HERE, "page.ts"))]],
    ["/worker.js", ["text/javascript", await script(join(WEB, "app/src/core/worker.ts"))]],
    ["/core.wasm", ["application/wasm", CORE]],
  ]);
  return host(files, port);
}

/** Serves the suite of every store. */
export async function serveSuite() {
  const page = '<!doctype html><meta charset="utf-8"><title>suite</title>';
  const wasm = await readFile(join(WEB, "dist/core-tests/core_bg.wasm"));
  const files = new Map([
    ["/", ["text/html", page]],
    ["/worker.js", ["text/javascript", await script(join(HERE, "store-worker.ts"))]],
    ["/core.wasm", ["application/wasm", wasm]],
  ]);
  return host(files, null, null);
}

/** Serves the tests of the core, as programs. */
export async function servePlays() {
  const page = '<!doctype html><meta charset="utf-8"><title>plays</title>';
  const files = new Map([
    ["/", ["text/html", page]],
    ["/worker.js", ["text/javascript", await script(join(HERE, "plays-worker.ts"))]],
  ]);
  for (const name of ["core", "omemo"]) {
    files.set(`/${name}.wasm`, ["application/wasm", await readFile(join(WEB, `dist/core-plays/${name}.wasm`))]);
  }
  return host(files, null, null);
}

function pass(request, answer, port) {
  const { method, url: path, headers } = request;
  const onward = ask({ method, path, headers, port, host: "127.0.0.1", rejectUnauthorized: false });
  onward.on("response", (got) => {
    answer.writeHead(got.statusCode, got.headers);
    got.pipe(answer);
  });
  onward.on("error", () => answer.destroy());
  request.pipe(onward);
}

async function host(files, port, policy = POLICY) {
  const server = createServer((request, answer) => {
    const file = files.get(request.url);
    // The page takes files from where it came from, as in a trial.
    if (!file && port && request.url.startsWith("/upload/")) return pass(request, answer, port);
    if (!file) return answer.writeHead(404).end();
    const headers = { "content-type": file[0], "cache-control": "no-store" };
    if (policy) headers["content-security-policy"] = policy;
    answer.writeHead(200, headers).end(file[1]);
  });
  const sockets = new Set();
  server.on("upgrade", (request, socket, head) => {
    // The certificate is one of the test.
    const onward = connect({ port, host: "127.0.0.1", rejectUnauthorized: false });
    const lines = [`${request.method} ${request.url} HTTP/1.1`];
    for (let at = 0; at < request.rawHeaders.length; at += 2) {
      lines.push(`${request.rawHeaders[at]}: ${request.rawHeaders[at + 1]}`);
    }
    onward.write(`${lines.join("\r\n")}\r\n\r\n`);
    onward.write(head);
    onward.pipe(socket).pipe(onward);
    const end = () => {
      onward.destroy();
      socket.destroy();
      sockets.delete(end);
    };
    sockets.add(end);
    for (const one of [onward, socket]) one.on("error", end).on("close", end);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://localhost:${server.address().port}/`,
    /** Cuts every connection of a WebSocket. */
    cut: () => [...sockets].forEach((end) => end()),
    close: () => {
      [...sockets].forEach((end) => end());
      server.closeAllConnections();
      server.close();
    },
  };
}

export function launch() {
  return chromium.launch({ ...PROGRAM, args: [...PROGRAM.args, "--ignore-certificate-errors"] });
}

/** One person's browser with a page of the lab. */
export class Seat {
  static async take(browser, url) {
    const seat = new Seat();
    seat.url = url;
    seat.context = await browser.newContext({ ignoreHTTPSErrors: true });
    seat.context.setDefaultTimeout(PATIENCE);
    seat.page = await seat.open();
    return seat;
  }

  async open() {
    const page = await this.context.newPage();
    if (process.env.LOUD) {
      page.on("console", (message) => console.log(`page: ${message.text()}`));
      page.on("pageerror", (error) => console.log(`page: ${error}`));
    }
    await page.goto(this.url);
    await page.waitForFunction(() => "host" in globalThis);
    return page;
  }

  ask(command, page = this.page) {
    return page.evaluate((command) => globalThis.ask(command), command);
  }

  async signIn(name, password) {
    const signIn = async () => {
      await until(this.page, () => globalThis.host.state.value.is === "working");
      return this.ask({ do: "signIn", address: `${name}@localhost`, password });
    };
    let outcome = await signIn();
    // What works may still be the core of the account that is being signed out.
    if (outcome.problem?.kind === "restarted") outcome = await signIn();
    if (outcome.is !== "done") throw new Error(`sign in: ${JSON.stringify(outcome)}`);
    await this.online();
  }

  /** Waits until a device of somebody is known: before that nothing can be encrypted for them. */
  async knows(address, page = this.page) {
    await becomes(async () => (await this.ask({ do: "devices", address }, page)).devices?.length > 0, true);
  }

  online(page = this.page) {
    return until(page, () => globalThis.account()?.connection?.is === "online");
  }

  /** Waits until the server has everything that was sent. */
  sent(page = this.page) {
    return until(page, () => globalThis.account()?.queued === 0);
  }

  /** Messages of an open window, as the page got them, in their order. */
  messages(address, page = this.page) {
    return page.evaluate((address) => {
      const all = [...(globalThis.messages.get(address)?.values() ?? [])];
      return all.sort((a, b) => (a.place < b.place ? -1 : a.place > b.place ? 1 : a.id - b.id));
    }, address);
  }

  /** Waits for a text in an open window. */
  text(address, text, page = this.page) {
    return until(
      page,
      ([address, text]) =>
        [...(globalThis.messages.get(address)?.values() ?? [])].some(
          (one) => one.content.is === "text" && one.content.text === text,
        ),
      [address, text],
    );
  }

  leave() {
    return this.context.close();
  }
}

/** Waits for a condition in a page. Everything is on one machine; only a busy one takes so long. */
export function until(page, condition, argument) {
  return page.waitForFunction(condition, argument, { timeout: PATIENCE, polling: 20 });
}
