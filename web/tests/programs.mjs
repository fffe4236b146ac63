// Programs beside the browser.

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { becomes, PATIENCE } from "./harness.mjs";

const ROOT = new URL("../../", import.meta.url).pathname;
const CLOWNFISH = process.env.CLOWNFISH ?? join(ROOT, "target/debug/clownfish");

/** A program whose lines are JSON. */
export class Program {
  constructor(command, ...options) {
    this.child = spawn(command, options, { stdio: ["pipe", "pipe", "pipe"] });
    this.lines = [];
    this.errors = "";
    this.child.stderr.on("data", (data) => (this.errors += data));
    createInterface({ input: this.child.stdout }).on("line", (line) => this.lines.push(JSON.parse(line)));
  }

  /** The first line that fits; waits for it. */
  async hears(fits, what) {
    const until = Date.now() + PATIENCE;
    for (;;) {
      const found = this.lines.find(fits);
      if (found) return found;
      if (Date.now() > until || this.child.exitCode !== null) {
        throw new Error(`${what} did not come: ${JSON.stringify(this.lines)} ${this.errors}`);
      }
      await new Promise((done) => setTimeout(done, 50));
    }
  }

  tell(order) {
    this.child.stdin.write(`${JSON.stringify(order)}\n`);
  }

  async end() {
    if (this.child.exitCode !== null) return;
    this.child.stdin.end();
    this.child.kill("SIGTERM");
    await once(this.child, "exit");
  }
}

/** One command of the terminal's Clownfish, on a profile in the folder of a server. */
export function clownfish(server, profile, options, input = "") {
  return new Promise((done, failed) => {
    const command = [...options, "--profile", join(server.folder, profile)];
    const child = execFile(CLOWNFISH, command, { timeout: PATIENCE }, (error, stdout, stderr) => {
      if (error) failed(new Error(`clownfish ${options[0]}: ${stdout}${stderr}`));
      else done(stdout);
    });
    child.stdin.end(input);
  });
}

/** Waits until a terminal finds a device of an address: nobody can encrypt for who has none. */
export async function finds(server, profile, address) {
  await becomes(async () => (await clownfish(server, profile, ["devices", address, "--json"])).includes('"active":true'), true);
}

/** The terminal's Clownfish while it tells everything that arrives. */
export function listen(server, profile) {
  return new Program(CLOWNFISH, "listen", "--json", "--profile", join(server.folder, profile));
}
