// Converse, a web client of other people, in a browser against the server: over WebSocket and over
// BOSH, in a room, and encrypted with the Clownfish of the terminal.

import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join, normalize } from "node:path";
import { after, before, test } from "node:test";

import { launch, Person } from "./harness.mjs";
import { clownfish, finds, listen } from "./programs.mjs";
import { Server } from "./server.mjs";

const CONVERSE = new URL("../../tests/interop/converse/node_modules/converse.js/dist/", import.meta.url).pathname;
const TYPES = { html: "text/html", js: "text/javascript", css: "text/css", wasm: "application/wasm", json: "application/json", svg: "image/svg+xml" };
const PASSWORD = "a rose by any other name";

let server;
let site;
let browser;
before(async () => {
  site = await serve();
  // Its page is of another origin, which the operator allows.
  const origin = `http://localhost:${site.address().port}`;
  server = await Server.start({ config: `[web]\norigins = ["${origin}"]\n` });
  for (const name of ["juliet", "romeo", "nurse"]) await server.addAccount(name, PASSWORD);
  browser = await launch();
});
after(async () => {
  await browser?.close();
  site?.closeAllConnections();
  site?.close();
  await server?.remove();
});

/** Its files as they are in the package, on a free port: another origin than the server's. */
async function serve() {
  const page = '<!doctype html><meta charset="utf-8"><title>Converse</title><link rel="stylesheet" href="/converse.min.css"><script type="module">import converse from "/converse.min.js"; window.converse = converse;</script>';
  const host = createServer(async (request, answer) => {
    const path = normalize(new URL(request.url, "http://localhost").pathname);
    const type = TYPES[path.split(".").at(-1)] ?? "application/octet-stream";
    try {
      const content = path === "/" ? page : await readFile(join(CONVERSE, path));
      answer.writeHead(200, { "content-type": path === "/" ? "text/html" : type }).end(content);
    } catch {
      answer.writeHead(404).end();
    }
  });
  host.listen(0, "127.0.0.1");
  await once(host, "listening");
  return host;
}

/** Somebody who is logged in with Converse; `way` says how it connects. */
async function converse(name, way) {
  const person = await Person.sit(browser, { name, size: "desktop" });
  // Its complaints are its own.
  person.expects(process.env.LOUD ? /^$/ : /./);
  const { page } = person;
  await page.goto(`http://localhost:${site.address().port}/`);
  await page.waitForFunction(() => window.converse !== undefined);
  await page.evaluate(
    ([jid, password, way]) => {
      window.converse.plugins.add("test", {
        initialize() {
          window.api = this._converse.api;
        },
      });
      window.converse.initialize({
        ...way,
        jid,
        password,
        authentication: "login",
        auto_login: true,
        discover_connection_methods: false,
        assets_path: "/",
        view_mode: "fullscreen",
        omemo_default: true,
        loglevel: "error",
        whitelisted_plugins: ["test"],
      });
    },
    [`${name}@localhost`, PASSWORD, way],
  );
  await page.waitForFunction(() => window.api?.connection?.connected?.() === true);
  return person;
}

const websocket = () => ({ websocket_url: `ws://localhost:${server.ports.http}/xmpp-websocket` });
const bosh = () => ({ bosh_service_url: `http://localhost:${server.ports.http}/http-bind` });

/** Waits for a message on the screen. */
const sees = (person, text) => person.page.locator(".chat-msg__text", { hasText: text }).first().waitFor();

test("Converse over WebSocket and over BOSH meet in a room", async () => {
  const juliet = await converse("juliet", websocket());
  const romeo = await converse("romeo", bosh());
  const room = "balcony@conference.localhost";
  for (const [person, nick] of [[juliet, "juliet"], [romeo, "romeo"]]) {
    await person.page.evaluate(
      async ([room, nick]) => {
        const settings = { muc_roomconfig_roomname: "Balcony", publicroom: true, membersonly: false };
        await window.api.rooms.open(room, { nick, auto_configure: true, roomconfig: settings }, true);
      },
      [room, nick],
    );
    await person.page.waitForFunction(
      (room) => window.api.rooms.get(room).then((one) => one?.session?.get("connection_status") === 5),
      room,
    );
  }
  const say = (person, text) =>
    person.page.evaluate(async ([room, body]) => (await window.api.rooms.get(room)).sendMessage({ body }), [room, text]);
  await say(juliet, "O Romeo, Romeo! wherefore art thou Romeo?");
  await sees(romeo, "wherefore art thou");
  await say(romeo, "Shall I hear more, or shall I speak at this?");
  await sees(juliet, "shall I speak at this");
  await juliet.leave();
  await romeo.leave();
});

test("Converse and Clownfish in a terminal read each other's encrypted messages", async () => {
  const nurse = await converse("nurse", websocket());
  await nurse.page.evaluate(() => window.api.waitUntil("OMEMOInitialized"));
  const at = ["--server", `127.0.0.1:${server.ports.c2s}`, "--ca", server.authority];
  await clownfish(server, "juliet", ["login", "juliet@localhost", "--password-stdin", ...at], `${PASSWORD}\n`);
  await finds(server, "juliet", "nurse@localhost");
  await clownfish(server, "juliet", ["send", "nurse@localhost", "Is thy news good, or bad?"]);
  await nurse.page.evaluate(() => window.api.chats.open("juliet@localhost", {}, true));
  await sees(nurse, "Is thy news good");
  const listening = listen(server, "juliet");
  await nurse.page.evaluate(async () => {
    const chat = await window.api.chats.get("juliet@localhost");
    chat.save({ omemo_active: true });
    await chat.sendMessage({ body: "Your love says, like an honest gentleman" });
  });
  const heard = await listening.hears((line) => JSON.stringify(line).includes("honest gentleman"), "the answer");
  assert.ok(heard);
  assert.ok(!(await server.holds("honest gentleman")), "the server cannot read it");
  await listening.end();
  await nurse.leave();
});
