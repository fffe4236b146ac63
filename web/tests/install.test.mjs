// The app on a device: what a browser makes of the manifest, what systems do with an installed app (share to it,
// count on its icon), and how people come to have it there.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { composer, inside, invitation, message, open, register, sees, seesEncrypted, ticks, write } from "./acts.mjs";
import { becomes, Person } from "./harness.mjs";
import { PASSWORD, stage } from "./stage.mjs";

const there = stage();

const IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1";

const controlled = (page) => page.waitForFunction(() => navigator.serviceWorker.controller !== null);

test("Chromium finds nothing missing for an installation", async (context) => {
  // Incognito windows install nothing.
  const profile = await mkdtemp(join(tmpdir(), "clownfish-profile-"));
  context.after(() => rm(profile, { recursive: true, force: true }));
  const person = await Person.sit(null, { name: "romeo", profile });
  const { page } = person;
  await page.goto(there.server.url);
  await page.getByRole("heading", { name: "Welcome to Clownfish" }).waitFor();
  await controlled(page);
  const devtools = await person.context.newCDPSession(page);
  const { url, errors, data } = await devtools.send("Page.getAppManifest");
  assert.equal(url, `${there.server.url}manifest.webmanifest`);
  assert.deepEqual(errors, []);
  await becomes(async () => (await devtools.send("Page.getInstallabilityErrors")).installabilityErrors, []);
  const { appId } = await devtools.send("Page.getAppId");
  assert.equal(appId, there.server.url);

  const manifest = JSON.parse(data);
  const { start_url, scope, display, share_target: share } = manifest;
  assert.deepEqual([start_url, scope, display], ["/", "/", "standalone"]);
  assert.deepEqual([share.action, share.method, share.enctype], ["/share", "POST", "multipart/form-data"]);
  const icons = await page.evaluate(async (icons) => {
    const looked = icons.map(async ({ src, sizes, type, purpose = "any" }) => {
      const answer = await fetch(src);
      const image = new Image();
      image.src = URL.createObjectURL(await answer.blob());
      await image.decode();
      const { naturalWidth: width, naturalHeight: height } = image;
      const draw = new OffscreenCanvas(width, height).getContext("2d");
      draw.drawImage(image, 0, 0);
      const opaque = (x, y) => draw.getImageData(Math.min(x, width - 1), Math.min(y, height - 1), 1, 1).data[3] === 255;
      const edges = [[0, 0], [width, 0], [0, height], [width, height], [width / 2, height / 2]].every(([x, y]) => opaque(Math.floor(x), Math.floor(y)));
      return { sizes, says: answer.headers.get("content-type"), type, purpose, is: `${width}x${height}`, edges };
    });
    return Promise.all(looked);
  }, manifest.icons);
  for (const { sizes, says, type, is } of icons) {
    assert.equal(says, type);
    if (sizes !== "any") assert.equal(is, sizes);
  }
  const sizes = (purpose) => icons.filter((one) => one.purpose === purpose).map((one) => one.sizes);
  assert.ok(["192x192", "512x512"].every((size) => sizes("any").includes(size)), sizes("any").join());
  assert.deepEqual(sizes("maskable"), ["512x512"]);
  // Whatever a system cuts away of it, there is no hole.
  assert.ok(icons.find((one) => one.purpose === "maskable").edges);
  await person.leave();
});

/** As a system does: a window of no page at all posts what is shared, and is led to the app. */
async function share(person, texts, file = null) {
  const sharing = await person.window();
  await sharing.setContent(`<form method="post" enctype="multipart/form-data" action="${there.server.url}share">
    <input name="title"><input name="text"><input name="url"><input type="file" name="files" multiple><button>Share</button>
  </form>`);
  for (const [name, text] of Object.entries(texts)) await sharing.locator(`[name=${name}]`).fill(text);
  if (file) await sharing.locator("[name=files]").setInputFiles(file);
  await sharing.getByRole("button", { name: "Share" }).click();
  await sharing.waitForURL(`${there.server.url}#/share`);
  return sharing;
}

test("what another app shares is in the chosen chat, and is sent from there", async () => {
  const [anna, bert] = await there.pair("anna", "bert");
  const { page } = anna;
  await controlled(page);
  const sharing = await share(anna, { title: "The balcony", text: "Have you seen this?", url: "https://verona.example/balcony" }, {
    name: "balcony ü.txt", mimeType: "text/plain", buffer: Buffer.from("It is the east"),
  });
  // The account is in the other window, which has it no longer then.
  await sharing.getByRole("button", { name: "Use here" }).click();
  await sharing.getByRole("heading", { name: "Send to" }).waitFor();
  await anna.accessible(sharing);
  await sharing.getByRole("list", { name: "Chats" }).getByRole("button", { name: /bert/ }).click();
  const text = "The balcony\nHave you seen this?\nhttps://verona.example/balcony";
  await sharing.getByRole("group", { name: "Files to send" }).getByText("balcony ü.txt").waitFor();
  await sharing.waitForFunction((text) => [...document.querySelectorAll("textarea")].some((one) => one.value === text), text);
  await sharing.getByRole("button", { name: "Send", exact: true }).click();
  await seesEncrypted(bert.page, "Have you seen this?");
  await sees(bert.page, "balcony ü.txt");
  await ticks(sharing, "Have you seen this?", /Delivered|Read/);
  // It does not wait any more.
  await sharing.evaluate(() => (location.hash = "#/share"));
  await sharing.getByText("Nothing to send").waitFor();
  await anna.leave();
  await bert.leave();
});

test("one window offers what was shared, and what it does with that takes nothing of another share", async () => {
  const [clara, dora] = await there.pair("clara", "dora");
  await controlled(clara.page);
  const first = await share(clara, { text: "The first" }, { name: "first.txt", mimeType: "text/plain", buffer: Buffer.from("1") });
  await first.getByRole("button", { name: "Use here" }).click();
  await first.getByRole("list", { name: "Chats" }).getByRole("button", { name: /dora/ }).click();
  await first.getByRole("group", { name: "Files to send" }).getByText("first.txt").waitFor();
  // While its file waits in the first window, something else is shared, which comes to another one.
  const second = await share(clara, { text: "The second" });
  await second.getByRole("button", { name: "Use here" }).click();
  await second.getByText("The second").waitFor();
  assert.equal(await second.getByRole("button", { name: "Leave out first.txt" }).count(), 0, "that is the other window's");
  // Nobody wants the second one there.
  await second.getByRole("button", { name: /^Leave out/ }).click();
  await second.getByText("Nothing to send").waitFor();
  await first.getByRole("button", { name: "Use here" }).click();
  await first.getByRole("button", { name: "Send", exact: true }).click();
  await sees(dora.page, "first.txt");
  // A third one is not gone with what was sent.
  const third = await share(clara, { text: "The third" });
  await third.close();
  await first.evaluate(() => (location.hash = "#/list"));
  await first.reload();
  // Another window got the account meanwhile.
  await first.getByRole("button", { name: "Use here" }).click();
  await first.getByText("The third").waitFor();
  assert.equal(await first.getByRole("button", { name: "Leave out first.txt" }).count(), 0);
  await clara.leave();
  await dora.leave();
});

test("the icon counts what is unread, and not what was read", async () => {
  const [carla, diego] = await there.pair("carla", "diego");
  const { page } = carla;
  await carla.context.addInitScript(() => {
    globalThis.badges = [];
    navigator.setAppBadge = async (count) => void globalThis.badges.push(count);
    navigator.clearAppBadge = async () => void globalThis.badges.push(null);
  });
  await page.reload();
  await inside(page);
  await page.evaluate(() => (location.hash = "#/list"));
  const badge = (count) => page.waitForFunction((count) => globalThis.badges.at(-1) === count, count);
  await badge(null);
  await write(diego.page, "One");
  await badge(1);
  await write(diego.page, "Two");
  await badge(2);
  await open(page, "diego@localhost");
  await sees(page, "Two");
  await badge(null);
  await carla.leave();
  await diego.leave();
});

test("whoever has come in is asked once whether it shall be an app, and the browser then asks", async () => {
  await there.server.addAccount("elena", PASSWORD);
  const elena = await Person.sit(there.browser, { name: "elena" });
  const { page } = elena;
  await page.goto(there.server.url);
  await page.getByRole("heading", { name: "Welcome to Clownfish" }).waitFor();
  // As Chromium tells it; in a window without a profile it does not.
  const held = await page.evaluate(() => {
    globalThis.asked = 0;
    const prompt = async () => {
      globalThis.asked += 1;
      return { outcome: "accepted" };
    };
    const event = Object.assign(new Event("beforeinstallprompt", { cancelable: true }), { prompt });
    dispatchEvent(event);
    return event.defaultPrevented;
  });
  assert.ok(held, "it is not shown before somebody knows what it is");
  await page.getByRole("button", { name: "Sign in" }).first().click();
  await page.getByRole("textbox", { name: "Address" }).fill("elena@localhost");
  await page.getByRole("textbox", { name: "Password" }).fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).last().click();
  await inside(page);
  assert.equal(await page.evaluate(() => globalThis.asked), 0);
  await page.getByRole("button", { name: "Install Clownfish" }).click();
  await becomes(() => page.evaluate(() => globalThis.asked), 1);
  await page.evaluate(() => dispatchEvent(new Event("appinstalled")));
  await page.getByText("Clownfish is installed").waitFor();
  await page.evaluate(() => (location.hash = "#/settings/profile"));
  await page.locator(".profile-name input").waitFor();
  assert.equal(await page.getByRole("button", { name: /Install Clownfish/ }).count(), 0);
  await elena.leave();
});

test("an invitation on an iPhone goes from Safari into the app on the Home Screen, which knows nothing of it", async () => {
  const host = await there.sit("felix");
  const link = await invitation(host);
  const safari = await Person.sit(there.browser, { name: "gina", agent: IPHONE });
  await safari.page.goto(link);
  await safari.page.getByRole("link", { name: "Continue in the browser" }).click({ noWaitAfter: true });
  await safari.page.getByRole("heading", { name: "First put Clownfish on your Home Screen" }).waitFor();
  await safari.accessible();
  await safari.page.getByRole("button", { name: "Copy the invitation" }).click();
  const clipboard = () => safari.page.evaluate(() => navigator.clipboard.readText());
  await becomes(async () => (await clipboard()).includes("localhost"), true);
  const copied = await clipboard();
  assert.equal(await safari.page.getByRole("textbox", { name: "Your name" }).count(), 0, "no account is made here");
  await safari.leave();

  // Another store, as on an iPhone; the app begins at its start.
  const app = await Person.sit(there.browser, { name: "gina", agent: IPHONE });
  await app.context.addInitScript(() => Object.defineProperty(navigator, "standalone", { value: true }));
  const { page } = app;
  await page.goto(there.server.url);
  await page.getByRole("button", { name: "I have an invitation" }).click();
  const field = page.getByLabel("Invitation link");
  await field.fill("https://localhost/nothing");
  await page.getByRole("button", { name: "Continue" }).click();
  await page.getByText(/This is not an invitation/).waitFor();
  await field.fill("");
  await page.evaluate((text) => navigator.clipboard.writeText(text), copied);
  await field.press("Control+v");
  await page.getByRole("button", { name: "Continue" }).click();
  await page.getByRole("heading", { name: "felix invites you to chat" }).waitFor();
  await register(app, "gina");
  await composer(page).waitFor();
  await write(page, "From the Home Screen");
  await message(page, "From the Home Screen").waitFor();
  await ticks(page, "From the Home Screen", /Sent|Delivered|Read/);
  await app.leave();
  await host.leave();
});
