// The app beside other programs: the Clownfish of the terminal, and slixmpp with slixmpp-omemo.

import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";

import { open, seesEncrypted, signIn, ticks, write } from "./acts.mjs";
import { launch, PATIENCE, Person } from "./harness.mjs";
import { Server } from "./server.mjs";

const ROOT = new URL("../../", import.meta.url).pathname;
const CLOWNFISH = process.env.CLOWNFISH ?? join(ROOT, "target/debug/clownfish");
const PYTHON = join(ROOT, ".venv/bin/python");
const PASSWORD = "a rose by any other name";

let server;
let browser;
before(async () => {
  server = await Server.start();
  for (const name of ["juliet", "romeo", "nurse"]) await server.addAccount(name, PASSWORD);
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await server?.remove();
});

/** A program whose lines are JSON. */
class Program {
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

/** One command of the terminal's Clownfish on a profile. */
function clownfish(profile, options, input = "") {
  return new Promise((done, failed) => {
    const command = [...options, "--profile", join(server.folder, profile)];
    const child = execFile(CLOWNFISH, command, { timeout: PATIENCE }, (error, stdout, stderr) => {
      if (error) failed(new Error(`clownfish ${options[0]}: ${stdout}${stderr}`));
      else done(stdout);
    });
    child.stdin.end(input);
  });
}

test("Clownfish in a terminal and in a browser read each other", async () => {
  const juliet = await Person.sit(browser, { name: "juliet", size: "phone" });
  await signIn(juliet, server.url, "juliet@localhost", PASSWORD);
  const at = ["--server", `127.0.0.1:${server.ports.c2s}`, "--ca", server.authority];
  await clownfish("romeo", ["login", "romeo@localhost", "--password-stdin", ...at], `${PASSWORD}\n`);
  await clownfish("romeo", ["send", "juliet@localhost", "Call me but love, and I'll be new baptized"]);
  await open(juliet.page, "romeo@localhost");
  await seesEncrypted(juliet.page, "new baptized");
  const listening = new Program(CLOWNFISH, "listen", "--json", "--profile", join(server.folder, "romeo"));
  await write(juliet.page, "How cam'st thou hither, tell me, and wherefore?");
  const heard = await listening.hears((line) => JSON.stringify(line).includes("How cam'st thou"), "her answer");
  assert.ok(heard);
  await ticks(juliet.page, "How cam'st thou", /Delivered|Read/);
  await listening.end();
  await juliet.leave();
});

test("slixmpp-omemo and the app read each other, in both versions of OMEMO", async () => {
  const nurse = new Program(
    PYTHON, join(ROOT, "web/tests/slixmpp_device.py"),
    String(server.ports.c2s), server.authority, "nurse", PASSWORD,
  );
  await nurse.hears((line) => line.ready, "her login");
  const juliet = await Person.sit(browser, { name: "juliet", size: "desktop" });
  await signIn(juliet, server.url, "juliet@localhost", PASSWORD);
  await open(juliet.page, "nurse@localhost");
  await write(juliet.page, "Now, good sweet nurse. Why look'st thou sad?");
  await nurse.hears((line) => line.text?.includes("good sweet nurse"), "what Juliet wrote");
  for (const [version, text] of [[1, "I am aweary, give me leave awhile"], [2, "Fie, how my bones ache!"]]) {
    nurse.tell({ to: "juliet@localhost", text, version });
    await nurse.hears((line) => line.text === text, `that ${text} was sent`);
    await seesEncrypted(juliet.page, text);
  }
  await write(juliet.page, "I would thou hadst my bones, and I thy news");
  await nurse.hears((line) => line.text?.includes("I thy news"), "what Juliet answered");
  assert.deepEqual(nurse.lines.filter((line) => line.failure), []);
  await nurse.end();
  await juliet.leave();
});
