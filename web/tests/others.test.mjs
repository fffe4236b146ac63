// The app beside other programs: the Clownfish of the terminal, and slixmpp with slixmpp-omemo.

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";

import { open, seesEncrypted, ticks, write } from "./acts.mjs";
import { clownfish, finds, listen, Program } from "./programs.mjs";
import { PASSWORD, stage } from "./stage.mjs";

const ROOT = new URL("../../", import.meta.url).pathname;
const PYTHON = join(ROOT, ".venv/bin/python");

const there = stage();

test("Clownfish in a terminal and in a browser read each other", async () => {
  const juliet = await there.sit("juliet", { size: "phone" });
  const { server } = there;
  await server.addAccount("romeo", PASSWORD);
  const at = ["--server", `127.0.0.1:${server.ports.c2s}`, "--ca", server.authority];
  await clownfish(server, "romeo", ["login", "romeo@localhost", "--password-stdin", ...at], `${PASSWORD}\n`);
  await finds(server, "romeo", "juliet@localhost");
  await clownfish(server, "romeo", ["send", "juliet@localhost", "Call me but love, and I'll be new baptized"]);
  await open(juliet.page, "romeo@localhost");
  await seesEncrypted(juliet.page, "new baptized");
  const listening = listen(server, "romeo");
  await write(juliet.page, "How cam'st thou hither, tell me, and wherefore?");
  const heard = await listening.hears((line) => JSON.stringify(line).includes("How cam'st thou"), "her answer");
  assert.ok(heard);
  await ticks(juliet.page, "How cam'st thou", /Delivered|Read/);
  await listening.end();
  await juliet.leave();
});

test("slixmpp-omemo and the app read each other, in both versions of OMEMO", async () => {
  const { server } = there;
  await server.addAccount("nurse", PASSWORD);
  const nurse = new Program(
    PYTHON, join(ROOT, "web/tests/slixmpp_device.py"),
    String(server.ports.c2s), server.authority, "nurse", PASSWORD,
  );
  await nurse.hears((line) => line.ready, "her login");
  const juliet = await there.sit("juliet", { size: "desktop", known: true });
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
