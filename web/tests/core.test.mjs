// The core in a worker, with a real server: what the page is told, and what survives.

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";

import { becomes } from "./harness.mjs";
import { Seat, launch, serve, until } from "./lab/lab.mjs";
import { Server } from "./server.mjs";

let server, site, browser;
const seats = [];
/** Each test has people of its own, without a history. */
let number = 0;
let ROMEO, JULIET;

before(async () => {
  server = await Server.start();
  site = await serve(server.ports.https);
  browser = await launch();
});

after(async () => {
  await browser?.close();
  site?.close();
  await server?.remove();
});

beforeEach(async () => {
  number += 1;
  await server.addAccount(`romeo${number}`, "montague");
  await server.addAccount(`juliet${number}`, "capulet");
  [ROMEO, JULIET] = [`romeo${number}@localhost`, `juliet${number}@localhost`];
});

afterEach(async () => {
  for (const seat of seats.splice(0)) await seat.leave();
});

async function sit(name, password) {
  const seat = await Seat.take(browser, site.url);
  seats.push(seat);
  if (name) await seat.signIn(`${name}${number}`, password);
  return seat;
}

async function couple() {
  const [romeo, juliet] = [await sit("romeo", "montague"), await sit("juliet", "capulet")];
  await romeo.ask({ do: "addContact", address: JULIET, name: null });
  await juliet.ask({ do: "addContact", address: ROMEO, name: null });
  await romeo.ask({ do: "open", address: JULIET });
  await juliet.ask({ do: "open", address: ROMEO });
  await romeo.knows(JULIET);
  await juliet.knows(ROMEO);
  return [romeo, juliet];
}

function send(seat, to, text) {
  return seat.ask({ do: "send", to, text, replyTo: null });
}

const texts = (messages) =>
  messages.filter((one) => one.content.is === "text").map((one) => one.content.text);

test("a message arrives encrypted, and is there again after the page was loaded again", async () => {
  const [romeo, juliet] = await couple();
  const sent = await send(romeo, JULIET, "O, she doth teach the torches to burn bright!");
  assert.equal(sent.is, "kept", JSON.stringify(sent));
  await juliet.text(ROMEO, "O, she doth teach the torches to burn bright!");
  const [message] = (await juliet.messages(ROMEO)).filter((one) => one.content.is === "text");
  assert.equal(message.encryption.is, "omemo");

  await juliet.page.reload();
  await juliet.online();
  await juliet.ask({ do: "open", address: ROMEO });
  await becomes(async () => texts(await juliet.messages(ROMEO)), ["O, she doth teach the torches to burn bright!"]);
});

test("a file goes from person to person, and only ciphertext is kept", async () => {
  const [romeo, juliet] = await couple();
  const canary = "CANARY-OF-THE-FILE".repeat(2000);
  const outcome = await romeo.page.evaluate(
    async ([to, text]) => {
      const file = await globalThis.host.give(new Blob([text]));
      const named = { name: "letter.txt", size: text.length, mediaType: "text/plain" };
      return globalThis.ask({ do: "sendFile", to, file, ...named, caption: null, picture: null, replyTo: null });
    },
    [JULIET, canary],
  );
  assert.equal(outcome.is, "kept", JSON.stringify(outcome));
  const isFile = (address) =>
    [...(globalThis.messages.get(address)?.values() ?? [])].find((one) => one.content.is === "file");
  await until(juliet.page, isFile, ROMEO);
  const got = await juliet.page.evaluate(async (address) => {
    const all = [...globalThis.messages.get(address).values()];
    const message = all.find((one) => one.content.is === "file");
    const downloaded = await globalThis.ask({ do: "download", message: message.id });
    if (downloaded.is !== "downloaded") return JSON.stringify(downloaded);
    const blob = await globalThis.host.file(downloaded.file.local, downloaded.file.mediaType);
    return blob.text();
  }, ROMEO);
  assert.equal(got, canary);
  for (const seat of [romeo, juliet]) {
    const bytes = await seat.page.evaluate(async () => {
      const all = [];
      const walk = async (folder) => {
        for await (const handle of folder.values()) {
          if (handle.kind === "directory") await walk(handle);
          else all.push(await (await handle.getFile()).text().catch(() => ""));
        }
      };
      await walk(await navigator.storage.getDirectory());
      return all.join("");
    });
    assert.ok(bytes.length > canary.length && !bytes.includes("CANARY"), "a file is readable");
  }
});

test("a file that no message ever got does not stay, and one that a message has does", async () => {
  const [romeo] = await couple();
  await romeo.page.evaluate(async (to) => {
    await globalThis.host.give(new Blob(["never sent"]));
    const file = await globalThis.host.give(new Blob(["sent"]));
    const named = { name: "letter.txt", size: 4, mediaType: "text/plain" };
    await globalThis.ask({ do: "sendFile", to, file, ...named, caption: null, picture: null, replyTo: null });
  }, JULIET);
  const files = () =>
    romeo.page.evaluate(async () => {
      const root = await navigator.storage.getDirectory();
      const own = await root.getDirectoryHandle("clownfish");
      const names = [];
      for await (const name of (await own.getDirectoryHandle("files")).keys()) names.push(name);
      return names.length;
    });
  assert.equal(await files(), 2);
  await romeo.page.reload();
  await romeo.online();
  await becomes(files, 1);
  await romeo.sent();
});

test("what was missed comes with a few commits, and not with one for each message", async () => {
  const [romeo, juliet] = await couple();
  await romeo.page.close();
  const missed = 300;
  for (let sent = 0; sent < missed; sent += 100) {
    const outcomes = await juliet.page.evaluate(
      ([to, from]) => {
        const texts = Array.from({ length: 100 }, (_, at) => `message ${from + at}`);
        return Promise.all(texts.map((text) => globalThis.ask({ do: "send", to, text, replyTo: null })));
      },
      [ROMEO, sent],
    );
    assert.ok(outcomes.every((one) => one.is === "kept"), JSON.stringify(outcomes));
    await juliet.sent();
  }
  const countFlushes = () => {
    const { flush } = FileSystemSyncAccessHandle.prototype;
    self.flushes = 0;
    FileSystemSyncAccessHandle.prototype.flush = function () {
      self.flushes += 1;
      return flush.call(this);
    };
  };
  romeo.context.on("page", (page) => page.on("worker", (worker) => void worker.evaluate(countFlushes)));
  romeo.page = await romeo.open();
  await romeo.ask({ do: "open", address: JULIET });
  await romeo.text(JULIET, `message ${missed - 1}`);
  const flushes = await romeo.page.workers()[0].evaluate(() => self.flushes);
  // Whatever comes together is one step: at most a few for each page of the archive.
  assert.ok(flushes > 0 && flushes < missed / 5, `${flushes} commits for ${missed} messages`);
});

test("workers that are killed while they send lose nothing and use no key twice", async () => {
  const [romeo, juliet] = await couple();
  const wanted = [];
  for (let round = 0; round < 8; round += 1) {
    // All are in the store when they are told to be queued; then the page goes away at once.
    const number = await romeo.page.evaluate(
      async ([to, round]) => {
        const queued = (count) => globalThis.notices.filter((one) => one.is === "messages").length >= count;
        const before = globalThis.notices.filter((one) => one.is === "messages").length;
        const texts = [];
        for (let at = 0; at < 5; at += 1) {
          texts.push(`${round}-${at}`);
          void globalThis.ask({ do: "send", to, text: texts[at], replyTo: null });
        }
        while (!queued(before + 1)) await new Promise((done) => setTimeout(done, 0));
        const shown = [...globalThis.messages.get(to).values()].map((one) => one.content.text);
        return texts.filter((text) => shown.includes(text));
      },
      [JULIET, round],
    );
    wanted.push(...number);
    await romeo.page.reload();
    await romeo.page.waitForFunction(() => "host" in globalThis);
    await romeo.online();
    await romeo.ask({ do: "open", address: JULIET });
  }
  assert.ok(wanted.length > 0);
  for (const text of wanted) await juliet.text(ROMEO, text);
  const got = await juliet.messages(ROMEO);
  // A key that was used twice would show as a message that cannot be read.
  assert.deepEqual(got.filter((one) => one.content.is === "undecryptable"), []);
  const count = new Map();
  for (const text of texts(got)) count.set(text, (count.get(text) ?? 0) + 1);
  for (const text of wanted) assert.equal(count.get(text), 1, text);
});

test("the account moves to the tab where it is wanted, and back when that is closed", async () => {
  const juliet = await sit("juliet", "capulet");
  const other = await juliet.open();
  await until(other, () => globalThis.host.state.value.is === "elsewhere");
  await other.evaluate(() => globalThis.host.useHere());
  await juliet.online(other);
  await until(juliet.page, () => globalThis.host.state.value.is === "elsewhere");
  const refused = await juliet.ask({ do: "invite" });
  assert.equal(refused.is, "failed");
  await other.close();
  await until(juliet.page, () => globalThis.host.state.value.is === "working");
});

test("a connection that breaks is resumed, and nothing is lost", async () => {
  const [romeo, juliet] = await couple();
  site.cut();
  const sent = await send(romeo, JULIET, "parting is such sweet sorrow");
  assert.equal(sent.is, "kept", JSON.stringify(sent));
  await juliet.text(ROMEO, "parting is such sweet sorrow");
});

test("after signing out nothing is left, and somebody else can sign in", async () => {
  const seat = await sit("romeo", "montague");
  const outcome = await seat.ask({ do: "signOut" });
  assert.equal(outcome.is, "done");
  await until(seat.page, () => globalThis.account()?.is === "signedOut");
  await until(seat.page, () => globalThis.host.state.value.is === "working");
  await seat.signIn(`juliet${number}`, "capulet");
  const account = await seat.page.evaluate(() => globalThis.account());
  assert.equal(account.address, JULIET);
});

test("what cannot be read any more is told as damaged, and can be begun anew", async () => {
  const seat = await sit("romeo", "montague");
  for (const damage of ["another key", "no key"]) {
    await seat.page.evaluate(async (damage) => {
      const promised = (request) =>
        new Promise((resolve, reject) => {
          request.onsuccess = () => resolve(request.result);
          request.onerror = () => reject(request.error);
        });
      const database = await promised(indexedDB.open("clownfish"));
      const keys = () => database.transaction("keys", "readwrite").objectStore("keys");
      const entry = await promised(keys().get("account"));
      if (damage === "no key") entry.sealed = new ArrayBuffer(48);
      else entry.sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv: entry.iv }, entry.wrapping, new Uint8Array(32));
      await promised(keys().put(entry, "account"));
      database.close();
    }, damage);
    await seat.page.reload();
    await until(seat.page, () => globalThis.host?.state.value.is === "failed");
    assert.equal(await seat.page.evaluate(() => globalThis.host.state.value.why), "damaged", damage);
    await seat.page.evaluate(() => globalThis.host.erase());
    await until(seat.page, () => globalThis.account()?.is === "signedOut");
    await until(seat.page, () => globalThis.host.state.value.is === "working");
    await seat.signIn(`romeo${number}`, "montague");
  }
});

test("a wrong password is told as such", async () => {
  const seat = await sit();
  await until(seat.page, () => globalThis.host.state.value.is === "working");
  const outcome = await seat.ask({ do: "signIn", address: ROMEO, password: "capulet" });
  assert.equal(outcome.problem?.kind, "login", JSON.stringify(outcome));
  assert.match(outcome.problem.words, /password/);
});

test("codes are made and read", async () => {
  const seat = await sit();
  const text = "xmpp:juliet@example.org?message;omemo-sid-1=00";
  const read = await seat.page.evaluate(async (text) => {
    const { size, dark } = await globalThis.host.qr(text);
    const scale = 6;
    const side = (size + 8) * scale;
    const picture = new ImageData(side, side);
    picture.data.fill(255);
    for (let y = 0; y < side; y += 1) {
      for (let x = 0; x < side; x += 1) {
        const [column, row] = [Math.floor(x / scale) - 4, Math.floor(y / scale) - 4];
        const inside = column >= 0 && row >= 0 && column < size && row < size;
        if (inside && dark[row * size + column] === 1) picture.data.fill(0, (y * side + x) * 4, (y * side + x) * 4 + 3);
      }
    }
    return globalThis.host.scan(picture);
  }, text);
  assert.deepEqual(read, [text]);
});
