// Getting in, and people, on the sample.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { AT_ONCE, becomes, hears, page as open, settled } from "./seat.mjs";

const page = (t, options) => open(t, { size: "phone", ...options });
const invited = (t, rest, more) => page(t, { query: "signedOut=", route: `invite/${rest}`, ...more });
const hash = (on) => on.evaluate(() => location.hash);
const at = (on, wanted) => on.waitForFunction((one) => location.hash === one, wanted);
const button = (on, name) => on.getByRole("button", { name, exact: true });
const apart = (a, b) => a.y + a.height <= b.y || b.y + b.height <= a.y || a.x + a.width <= b.x || b.x + b.width <= a.x;
const said = (on) => on.getByRole("status");

describe("getting in, and people", { concurrency: AT_ONCE }, () => {
  test("an invitation leads to the conversation with whoever invites", async (t) => {
    const on = await invited(t, "abc/romeo%40verona.example/");
    await on.getByRole("heading", { name: "romeo invites you to chat" }).waitFor();
    await becomes(async () => (await hash(on)).includes("abc"), false, "the token is out of the address bar");
    await on.getByLabel("Your name").fill("Anna Maria");
    await on.getByText("anna.maria@verona.example").waitFor();
    await becomes(() => on.locator("input[autocomplete=username]").inputValue(), "anna.maria@verona.example");
    const password = await on.locator("input[autocomplete=new-password]").inputValue();
    assert.match(password, /^[a-z2-9]{5}(-[a-z2-9]{5}){3}$/);
    await button(on, "Start chatting with romeo").click();
    await at(on, "#/chat/romeo%40verona.example");
    await on.getByRole("textbox", { name: /message/i }).waitFor();
    assert.doesNotMatch(await on.locator("body").innerText(), /omemo/i);
  });

  test("a proposed name is there already, and Enter is enough", async (t) => {
    const on = await invited(t, "abc/romeo%40verona.example/anna", { size: "desktop" });
    await on.waitForFunction(() => document.activeElement?.getAttribute("autocomplete") === "nickname");
    await on.keyboard.press("Enter");
    await at(on, "#/chat/romeo%40verona.example");
  });

  test("a name is made up for whoever has none, to be typed over or kept", async (t) => {
    const on = await invited(t, "abc/romeo%40verona.example/", { size: "desktop" });
    await on.getByText("A proposal").waitFor();
    const field = on.getByLabel("Your name");
    assert.match(await field.inputValue(), /^[A-Z][a-z]+ [A-Z][a-z]+$/);
    await on.waitForFunction(() => document.activeElement?.getAttribute("autocomplete") === "nickname");
    await on.keyboard.type("Anna");
    await becomes(() => field.inputValue(), "Anna");
    await on.getByText("A proposal").waitFor({ state: "detached" });
    await field.fill("");
    await on.keyboard.press("Enter");
    await on.getByText("Please type a name.").waitFor();
  });

  test("on the smallest phone the buttons of the password stand side by side", async (t) => {
    const on = await invited(t, "abc/romeo%40verona.example/anna", { size: "small" });
    await button(on, "Copy password").waitFor();
    await settled(on);
    const [look, copy] = await Promise.all(["Show password", "Copy password"].map((name) => button(on, name).boundingBox()));
    assert.ok(look.x + look.width <= copy.x, `${JSON.stringify(look)} is under ${JSON.stringify(copy)}`);
    assert.ok(copy.x + copy.width <= 320);
  });

  /** In a page: everything can be copied, and what is said stays for as long as a busy machine needs. */
  function patient() {
    navigator.clipboard.writeText = async () => {};
    const wait = globalThis.setTimeout;
    globalThis.setTimeout = (then, ms, ...rest) => wait(then, ms >= 4_000 ? 2 ** 30 : ms, ...rest);
  }

  for (const [size, height] of [["small", null], ["phone", null], ["desktop", 460]]) {
    test(`what is said in passing lies over nothing to press, on a ${size}`, async (t) => {
      const on = await page(t, { size, route: "add", init: patient });
      if (height) await on.setViewportSize({ width: 1280, height });
      await on.getByRole("button", { name: "Show my code" }).click();
      const dialog = on.getByRole("dialog");
      await button(dialog, "Copy link").click();
      await on.locator(".toast").waitFor();
      await settled(on);
      const toast = await on.locator(".toast").boundingBox();
      for (const one of await dialog.locator(".dialog-actions .button, .dialog-header button").all()) {
        const box = await one.boundingBox();
        assert.ok(apart(box, toast), `${await one.textContent()} ${JSON.stringify(box)} is under ${JSON.stringify(toast)}`);
        assert.ok(box.y >= 0 && box.y + box.height <= on.viewportSize().height, "in sight");
      }
    });

    test(`in a conversation it stands above where one writes, on a ${size}`, async (t) => {
      const on = await page(t, { size, route: "chat/romeo%40verona.example", init: patient });
      if (height) await on.setViewportSize({ width: 1280, height });
      await on.locator("[data-message]").last().focus();
      await on.keyboard.press("Enter");
      await on.getByRole("menuitem", { name: "Copy text" }).click();
      await on.locator(".toast").waitFor();
      const stands = () =>
        on.waitForFunction(() => {
          const edge = (what, side) => document.querySelector(what).getBoundingClientRect()[side];
          return edge(".toast", "bottom") <= edge(".composer", "top") && edge(".toast", "top") > 0;
        });
      await stands();
      await on.locator(".composer-text").fill("one\ntwo\nthree\nfour");
      await stands();
    });
  }

  test("what is said while a window is open is above it, within reach, and outlives it", async (t) => {
    const on = await page(t, { route: "add", init: patient });
    await on.getByRole("button", { name: "Show my code" }).click();
    await button(on, "Copy link").click();
    const toast = on.locator(".toast");
    await toast.waitFor();
    const within = () =>
      toast.evaluate((one) => {
        const { x, y, width, height } = one.getBoundingClientRect();
        return one.contains(document.elementFromPoint(x + width / 2, y + height / 2));
      });
    await becomes(within, true);
    await on.keyboard.press("Escape");
    await on.getByRole("dialog").waitFor({ state: "detached" });
    await becomes(within, true);
    await button(toast, "Dismiss").click();
    await toast.waitFor({ state: "detached" });
  });

  test("nothing is sent for a name that makes no address", async (t) => {
    const on = await invited(t, "abc/romeo%40verona.example/");
    await on.getByLabel("Your name").fill("");
    await button(on, "Start chatting with romeo").click();
    await on.getByText("Please type a name.").waitFor();
    await on.waitForFunction(() => document.activeElement?.getAttribute("aria-invalid") === "true");
    await on.getByLabel("Your name").fill("🐟");
    await on.getByText("An address cannot be made of that.").waitFor();
  });

  test("a name that is taken: another one is a press away", async (t) => {
    const on = await invited(t, "abc/romeo%40verona.example/taken");
    await button(on, "Start chatting with romeo").click();
    await on.getByText("Somebody has the name “taken” already.").waitFor();
    await on.getByRole("button", { name: /^Take “taken\.\d\d” instead$/ }).click();
    await becomes(async () => /^taken\.\d\d$/.test(await on.getByLabel("Your name").inputValue()), true);
    await button(on, "Start chatting with romeo").click();
    await at(on, "#/chat/romeo%40verona.example");
  });

  test("an invitation that is used up: a new one is asked for, or pasted", async (t) => {
    const on = await invited(t, "used/romeo%40verona.example/anna");
    await button(on, "Start chatting with romeo").click();
    await on.getByText("This invitation was used already, or has expired.").waitFor();
    await button(on, "Ask for a new one").waitFor();
    await button(on, "I have another invitation").click();
    await on.getByLabel("Invitation link").fill("hello");
    await button(on, "Continue").click();
    await on.getByText(/This is not an invitation/).waitFor();
    await on.getByLabel("Invitation link").fill("xmpp:masque@conference.anemone.example?join;password=7d1e");
    await button(on, "Continue").click();
    await on.getByText(/This link leads into a group, and that takes an account/).waitFor();
    await on.getByLabel("Invitation link").fill("xmpp:nurse@anemone.example?roster;preauth=abc;ibr=y");
    await button(on, "Continue").click();
    await on.getByRole("heading", { name: "nurse invites you to chat" }).waitFor();
  });

  test("a server that does not answer is tried again, with what was typed", async (t) => {
    const on = await invited(t, "abc/romeo%40nowhere.example/anna");
    await button(on, "Start chatting with romeo").click();
    await on.getByText("The server nowhere.example does not answer.").waitFor();
    // The second time the server takes as long as the test.
    await on.evaluate(() => (globalThis.store.core.request = () => new Promise(() => {})));
    await button(on, "Try again").click();
    await said(on).filter({ hasText: "Making your account…" }).waitFor();
    await becomes(() => on.getByLabel("Your name").inputValue(), "anna");
  });

  test("signing in says what is wrong where it is wrong", async (t) => {
    const on = await page(t, { query: "signedOut=" });
    await button(on, "Sign in").click();
    await on.getByLabel("Address").fill("romeo");
    await on.getByLabel("Password", { exact: true }).fill("wrong");
    await on.keyboard.press("Enter");
    await on.getByText(/The server is missing/).waitFor();
    await on.getByLabel("Address").fill("romeo@verona.example");
    await on.keyboard.press("Enter");
    await on.getByText("The address or the password is wrong.").waitFor();
    await on.waitForFunction(() => document.activeElement?.getAttribute("autocomplete") === "current-password");
    await on.getByLabel("Password", { exact: true }).fill("montague");
    await on.keyboard.press("Enter");
    await on.getByRole("list", { name: "Chats" }).waitFor();
  });

  test("somebody with an account writes to who invites after signing in", async (t) => {
    const on = await invited(t, "abc/nurse%40anemone.example/");
    await button(on, "I have an account already").click();
    await on.getByText("Then you can write to nurse@anemone.example at once.").waitFor();
    await on.getByLabel("Address").fill("romeo@verona.example");
    await on.getByLabel("Password", { exact: true }).fill("montague");
    await on.keyboard.press("Enter");
    await at(on, "#/chat/nurse%40anemone.example");
  });

  test("an invitation that is opened in an account proposes its inviter", async (t) => {
    const on = await page(t, { route: "invite/abc/paris%40verona.example/" });
    await at(on, "#/add");
    await becomes(() => on.getByLabel("Address or link").inputValue(), "paris@verona.example");
  });

  test("on an iPhone the Home Screen comes before the keys", async (t) => {
    const agent = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1";
    const on = await invited(t, "abc/romeo%40verona.example/anna", { agent });
    await on.getByRole("heading", { name: "First put Clownfish on your Home Screen" }).waitFor();
    await button(on, "Copy the invitation").waitFor();
    await button(on, "Continue in Safari anyway").click();
    await on.getByRole("heading", { name: "romeo invites you to chat" }).waitFor();
  });

  test("an address with a slip is put right, and a chat begins", async (t) => {
    const on = await page(t, { route: "add" });
    const field = on.getByLabel("Address or link");
    await field.fill("paris@veronna.example");
    await on.getByText("Did you mean paris@verona.example?").waitFor();
    await button(on, "Use it").click();
    await becomes(() => field.inputValue(), "paris@verona.example");
    await button(on, "Start chatting").click();
    await at(on, "#/chat/paris%40verona.example");
  });

  test("a link with keys adds and verifies", async (t) => {
    const on = await page(t, { route: "add" });
    await on.getByLabel("Address or link").fill(`xmpp:paris@verona.example?message;omemo-sid-7=${"ab".repeat(32)}`);
    await on.getByText(/they will be verified/).waitFor();
    await button(on, "Start chatting").click();
    await hears(on, "2 devices verified");
  });

  test("what is no address says why", async (t) => {
    const on = await page(t, { route: "add" });
    const field = on.getByLabel("Address or link");
    for (const [typed, words] of [
      ["", "Please type an address."],
      ["juliet@anemone.example", "This is your own address."],
      ["https://example.org/", "This link leads to nobody."],
      ["a@b@c", "There is one @ too many."],
    ]) {
      await field.fill(typed);
      await button(on, "Start chatting").click();
      await on.getByText(words).waitFor();
    }
  });

  test("requests show no picture, and can be read before they are answered", async (t) => {
    const on = await page(t, { route: "requests" });
    const iago = on.getByRole("listitem").filter({ hasText: "iago@venice.example" });
    await iago.getByText("Good signior, may I have a word?").waitFor();
    assert.equal(await on.locator(".requests img").count(), 0);
    await iago.getByRole("button", { name: "Refuse" }).click();
    await iago.waitFor({ state: "detached" });
    const duke = on.getByRole("listitem").filter({ hasText: "duke@venice.example" });
    await duke.getByRole("button", { name: "Accept" }).click();
    await at(on, "#/chat/duke%40venice.example");
  });

  test("a request is blocked and reported after asking", async (t) => {
    const on = await page(t, { route: "requests" });
    const witches = on.getByRole("listitem").filter({ hasText: "witches@heath.example" });
    await witches.getByRole("button", { name: /Actions for/ }).click();
    await on.getByRole("menuitem", { name: /Block and report/ }).click();
    await on.getByRole("dialog").getByRole("button", { name: "Block and report" }).click();
    await witches.waitFor({ state: "detached" });
    await hears(on, "witches@heath.example is blocked");
  });

  test("a contact is renamed, muted, and verified by digits", async (t) => {
    const on = await page(t, { route: "details/mercutio%40verona.example" });
    await button(on, "Change the name").click();
    await on.getByLabel("Name", { exact: true }).fill("Queen Mab");
    await button(on, "Save").click();
    await on.getByRole("heading", { name: "Queen Mab", exact: true }).waitFor();
    await button(on, "Unmute").click();
    await button(on, "Mute").click();
    await on.getByRole("menuitem", { name: "8 hours" }).click();
    await button(on, "Unmute").waitFor();
    await on.getByRole("button", { name: /^Verify Queen Mab/ }).click();
    await button(on, "Or compare the fingerprints").click();
    const dialog = on.getByRole("dialog");
    assert.match(await dialog.locator(".fingerprint").first().innerText(), /^([0-9a-f]{8}\s*){8}$/);
    const unverified = dialog.locator("section").filter({ hasText: "Trusted, not verified" });
    const before = await unverified.count();
    assert.ok(before > 0);
    await unverified.first().getByRole("button", { name: "They are the same" }).click();
    await on.waitForFunction((n) => document.querySelectorAll("dialog .device-trust-blind").length === n, before - 1);
  });

  test("an own device is named, another one removed", async (t) => {
    const on = await page(t, { route: "settings/devices" });
    const items = on.locator(".device");
    await items.first().getByRole("button", { name: /^Actions for/ }).click();
    await on.getByRole("menuitem", { name: /Name this device/ }).click();
    await on.getByLabel("Name of this device").fill("The balcony");
    await button(on, "Save").click();
    await on.getByText("The balcony").waitFor();
    await items.filter({ hasText: "Laptop" }).getByRole("button", { name: /^Actions for/ }).click();
    await on.getByRole("menuitem", { name: /Remove from the account/ }).click();
    await on.getByRole("dialog").getByRole("button", { name: "Remove from the account" }).click();
    await hears(on, "Laptop is removed");
  });
});
