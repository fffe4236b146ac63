// A server for one test: the debug build of Anemone, with the web client in it, on free ports of the
// loopback address and in a folder of its own that is gone afterwards.

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, open, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { front } from "./front.mjs";
import { version } from "./versions.mjs";

const ROOT = new URL("../../", import.meta.url).pathname;
const ANEMONE = process.env.ANEMONE ?? join(ROOT, "target/debug/anemone");
const run = promisify(execFile);

/** How long a program may take for what it does in well under a second. */
const PATIENCE = 60_000;

/** Below what the system gives to clients, and beside the ports of tests/interop. */
const [FIRST_PORT, LAST_PORT] = [22_000, 31_000];
/** So many are for one program of tests, which holds the first of them for as long as it runs. */
const STRETCH = 200;

let stretch = null;

/**
 * Ports that nobody listens on, and that no other program of tests takes, not even while a server is away for a while.
 * Those that the system gives out could be a client's before the server has them.
 */
export async function freePorts(count) {
  stretch ??= numbers();
  const free = [];
  while (free.length < count) {
    const { value: port } = await stretch.next();
    const holder = await hold(port);
    if (!holder) continue;
    await new Promise((done) => holder.close(done));
    free.push(port);
  }
  return free;
}

/** The numbers of a stretch that this program has for itself, over and over. */
async function* numbers() {
  for (let first = FIRST_PORT; first < LAST_PORT; first += STRETCH) {
    const holder = await hold(first);
    if (!holder) continue;
    holder.unref();
    for (let at = 1; ; at = (at % (STRETCH - 1)) + 1) yield first + at;
  }
  throw new Error("all ports for tests are taken");
}

/** Listens on a port, if nobody else does. */
function hold(port) {
  const holder = createServer();
  return new Promise((done) => {
    holder.once("error", () => done(null)).listen(port, "127.0.0.1", () => done(holder));
  });
}

export class Server {
  /**
   * Starts one. `options.config` is added to its configuration; with `files: "app"` what people share has the
   * address of the app, and otherwise one that browsers keep apart from it. With `site` it serves those files of the
   * app (versions.mjs) and not its own.
   */
  static async start(options = {}) {
    const server = new Server();
    server.folder = await mkdtemp(join(tmpdir(), "clownfish-web-"));
    server.data = join(server.folder, "data");
    const [c2s, tls, https, http, behind] = await freePorts(5);
    // In front of the server there may be the files that it does not hold: see front.mjs.
    server.site = options.site ?? (process.env.FRONT ? await version(1) : null);
    const own = server.site ? behind : http;
    server.ports = { c2s, tls, https, http, own };
    await server.run("init", "--domain", "localhost");
    const files = options.files === "app" ? `http://localhost:${http}` : `https://localhost:${https}`;
    const config = `domain = "localhost"
[listen]
c2s = ["127.0.0.1:${c2s}"]
c2s_tls = ["127.0.0.1:${tls}"]
https = ["127.0.0.1:${https}"]
http = ["127.0.0.1:${own}"]
bytestreams = []
[front_door]
url = "http://localhost:${http}"
[upload]
url = "${files}"
[limits]
throttle = false
[login]
iterations = 4096
[archive]
retention_days = 0
${options.config ?? ""}`;
    await writeFile(join(server.data, "anemone.toml"), config);
    await server.begin();
    return server;
  }

  /** Where the app is, without TLS. */
  get url() {
    return `http://localhost:${this.ports.http}/`;
  }

  get authority() {
    return join(this.data, "ca.pem");
  }

  /** Starts the program, also again after `stop`. */
  async begin() {
    const log = await open(join(this.folder, "server.log"), "a");
    const stdio = ["ignore", log.fd, log.fd];
    this.process = spawn(ANEMONE, ["serve", "--data", this.data], { stdio });
    await log.close();
    const until = Date.now() + PATIENCE;
    while (!(await answers(this.ports.own))) {
      if (this.process.exitCode !== null || Date.now() > until) {
        throw new Error(`the server did not start:\n${await this.log()}`);
      }
      await new Promise((done) => setTimeout(done, 30));
    }
    if (this.site) this.front = await front(this.ports.http, this.ports.own, this.site);
  }

  /** It has another version of the app from now on, if it was started with one. */
  serve(site) {
    this.site = site;
    this.front.serve(site);
  }

  /** Ends the program; its data stays. */
  async stop() {
    const { process } = this;
    await this.front?.stop();
    this.front = null;
    if (!process || process.exitCode !== null) return;
    process.kill("SIGTERM");
    const killer = setTimeout(() => process.kill("SIGKILL"), PATIENCE);
    await once(process, "exit");
    clearTimeout(killer);
  }

  /** Ends it, and removes its data. */
  async remove() {
    await this.stop();
    if (!globalThis.process.env.KEEP) await rm(this.folder, { recursive: true, force: true });
    else console.log(`kept: ${this.folder}`);
  }

  async log() {
    const text = await readFile(join(this.folder, "server.log"), "utf8").catch(() => "");
    return text.split("\n").slice(-30).join("\n");
  }

  /** Whether a text is anywhere in the files of the server. */
  async holds(text) {
    const entries = await readdir(this.data, { recursive: true, withFileTypes: true });
    for (const entry of entries.filter((one) => one.isFile())) {
      if ((await readFile(join(entry.parentPath, entry.name))).includes(text)) return true;
    }
    return false;
  }

  /** One of the server's own commands on its data; what it prints. */
  async run(...command) {
    const { stdout } = await run(ANEMONE, [...command, "--data", this.data], { timeout: PATIENCE });
    return stdout;
  }

  /** A new invitation by the operator; the link of its page. */
  async invite(...options) {
    const printed = await this.run("invite", "new", "--json", ...options);
    const link = /https?:\/\/[^\s"]+\/invite\/[^\s"]+/.exec(printed);
    if (!link) throw new Error(`no link in this invitation: ${printed}`);
    return link[0];
  }

  /** Makes an account without an invitation. */
  addAccount(name, password) {
    return this.#account("add", name, password);
  }

  /** The operator sets another password; every device of the account has to log in anew. */
  setPassword(name, password) {
    return this.#account("password", name, password);
  }

  /** What an account's devices log in with has expired, as if they had not been used for long. The server must
   * not run. */
  async expireTokens(name) {
    const aged = "UPDATE token SET expires_at = 1 WHERE account = (SELECT id FROM account WHERE name = ?)";
    const script = "import sqlite3, sys\nwith sqlite3.connect(sys.argv[1]) as db: print(db.execute(*[sys.argv[2], sys.argv[3:]]).rowcount)";
    const { stdout } = await run("python3", ["-c", script, join(this.data, "anemone.db"), aged, name]);
    if (Number(stdout) === 0) throw new Error(`${name} has no token`);
  }

  async #account(what, name, password) {
    const command = ["account", what, `${name}@localhost`, "--password-stdin"];
    const child = execFile(ANEMONE, [...command, "--data", this.data]);
    child.stdin.end(`${password}\n`);
    const [code] = await once(child, "exit");
    if (code !== 0) throw new Error(`account ${what} ended with ${code}`);
  }
}

function answers(port) {
  return new Promise((done) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      done(true);
    });
    socket.once("error", () => done(false));
  });
}
