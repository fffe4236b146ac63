// Every screen of the sample, for checks that go through all of them.

import { settled } from "./seat.mjs";

export const ROMEO = "chat/romeo%40verona.example";
const KEYLESS = "chat/cordelia%40britain.example";
const VIOLA = "chat/viola%40illyria.example";
const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);

const IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1";

/** In a page: a new version of the app waits. */
function newVersion() {
  const own = { waiting: { postMessage() {} }, update: async () => {}, getNotifications: async () => [] };
  const registration = Object.assign(new EventTarget(), own);
  const found = async () => registration;
  const workers = Object.assign(new EventTarget(), { controller: {}, register: found, getRegistration: found });
  Object.defineProperty(navigator, "serviceWorker", { value: workers });
}

/** What another app has shared waits; then the page is sent where that is shown. */
const shared = async (on) => {
  await on.evaluate(async () => {
    const cache = await caches.open("clownfish-shared");
    await cache.put("/share/1/text", new Response("A rose by any other name"));
    await cache.put("/share/cut", new Response(""));
    location.hash = "#/share";
  });
};

const button = (on, name) => on.getByRole("button", { name }).first();
const line = (on, name) => on.getByRole("list", { name: "Chats" }).getByRole("link", { name });
const menuOf = (name) => (on) => line(on, name).click({ button: "right" });
const pressed = (name) => (on) => button(on, name).click();

/** The last own message, with its menu; then one line of that. */
const chosen = (name) => async (on) => {
  await on.locator("[data-message] .bubble-own").last().waitFor();
  await settled(on);
  await on.evaluate(() => [...document.querySelectorAll("[data-message]")].findLast((row) => row.querySelector(".bubble-own")).focus());
  await on.keyboard.press("Enter");
  await on.getByRole("menuitem").first().waitFor();
  if (name) await on.getByRole("menuitem", { name }).click();
};
const up = (by) => async (on) => {
  await on.locator("[data-message]").last().waitFor();
  await settled(on);
  await on.evaluate((by) => (document.querySelector(".timeline-box").scrollTop -= by), by);
};
/** In a page: no sound ends before somebody stops it. */
function endless() {
  const { play } = HTMLMediaElement.prototype;
  HTMLMediaElement.prototype.play = function () {
    this.loop = true;
    return play.call(this);
  };
}
/** The voice message plays, and another conversation is read; then it pauses, so that nothing moves. */
const playing = async (on) => {
  await on.getByRole("group", { name: /^Voice message/ }).getByRole("button", { name: "Play", exact: true }).click();
  await on.evaluate(() => {
    location.hash = "#/chat/nurse%40anemone.example";
  });
  await on.getByRole("region", { name: "Player" }).getByRole("button", { name: "Pause" }).click();
  await on.getByText("By and by, I come!").last().waitFor();
};
/** The viewer on what the gallery of this conversation has under a name. */
const viewed = (name) => async (on) => {
  await button(on, "More for this chat").click();
  await on.getByRole("menuitem", { name: "Pictures and files" }).click();
  await button(on, name).click();
};
const typed = (text) => async (on) => {
  await on.getByRole("searchbox").fill(text);
};

/** Each: its name, where it is, what leads to it, and what is seen there. */
export const SCREENS = [
  ["the list", {}, null, (on) => line(on, /Romeo/)],
  ["unread only", {}, pressed(/Unread/), (on) => line(on, /Romeo/)],
  ["the menu of a chat", {}, menuOf(/Nurse/), (on) => on.getByRole("menu")],
  ["how long to mute", {}, async (on) => {
    await menuOf(/Romeo/)(on);
    await on.getByRole("menuitem", { name: "Mute" }).click();
  }, (on) => on.getByRole("menuitem", { name: "8 hours" })],
  ["search", {}, typed("ro"), (on) => on.getByRole("region", { name: "People" })],
  ["nothing found", {}, typed("qqxz"), (on) => on.getByText("Nothing found")],
  ["nobody yet", { query: "empty=" }, null, (on) => on.locator(".app")],
  ["go to", {}, async (on) => {
    await line(on, /Romeo/).waitFor();
    await on.keyboard.press("Control+k");
    await on.getByRole("combobox", { name: "Go to" }).fill("be");
  }, (on) => on.getByRole("option").first()],
  ["the help", {}, async (on) => {
    await line(on, /Romeo/).focus();
    await on.keyboard.press("?");
  }, (on) => on.getByRole("dialog", { name: "Keyboard shortcuts" })],
  ["no connection", { query: "connection=waiting" }, null, (on) => button(on, "Try now")],
  ["connecting", { query: "connection=connecting" }, null, (on) => on.locator(".bar")],
  ["offline", { query: "connection=offline" }, null, (on) => on.locator(".bar")],
  ["sign in again", { query: "connection=refused" }, pressed("Sign in again"), (on) => on.getByRole("dialog")],
  ["storage full", { query: "storage=" }, null, (on) => on.locator(".bar-danger")],
  ["starting", { query: "starting=" }, null, (on) => on.locator(".starting-list")],
  ["open elsewhere", { query: "core=elsewhere" }, null, (on) => button(on, "Use here")],
  ["unsupported", { query: "core=unsupported" }, null, (on) => on.getByText("This browser cannot run Clownfish")],
  ["store refused", { query: "core=storage" }, null, (on) => button(on, "Reload")],
  ["altered", { query: "core=altered" }, null, (on) => button(on, "Reload")],
  ["stopped", { query: "core=crashed" }, null, (on) => button(on, "Reload")],
  ["largest text", { query: "text=largest" }, null, (on) => line(on, /Romeo/)],
  ["a toast", {}, async (on) => {
    await menuOf(/Mercutio/)(on);
    await on.getByRole("menuitem", { name: /Hide/ }).click();
  }, (on) => on.getByText(/is hidden until somebody writes/).last()],
  ["nothing was shared", { route: "share" }, null, (on) => on.getByText("Nothing to send")],

  ["something to share", {}, shared, (on) => on.getByRole("list", { name: "Chats" }).getByRole("button", { name: /Romeo/ })],
  ["a new version", { query: "update=", init: newVersion }, null, (on) => button(on, "Later")],
  ["a wrong clock", { query: "clock=", now: "2020-02-29T12:00:00Z" }, null, (on) => on.locator(".bar-warning")],

  ["settings", { route: "settings" }, null, (on) => on.getByText("Appearance").first()],
  ["appearance", { route: "settings/appearance" }, null, (on) => on.getByRole("radio", { name: "Dark" })],
  ["notifications", { route: "settings/notifications" }, null, (on) => on.getByRole("switch").first()],
  ["privacy", { route: "settings/privacy" }, null, (on) => on.getByText("Who sees what")],
  ["storage", { route: "settings/storage" }, null, (on) => on.getByText(/that the browser allows/)],
  ["about", { route: "settings/about" }, null, (on) => on.getByText("Licence")],
  ["account", { route: "settings/account" }, null, (on) => button(on, /Sign out/)],
  ["a new password", { route: "settings/account" }, pressed(/Change password/), (on) => on.getByLabel("New password").first()],
  ["deleting the account", { route: "settings/account" }, pressed(/Delete account/), (on) => on.getByRole("dialog")],
  ["signing out", { route: "settings/account" }, pressed(/Sign out/), (on) => on.getByRole("dialog")],
  ["an invitation", { route: "settings/invite" }, pressed("Make an invitation"), (on) => button(on, "Another one")],
  ["the profile", { route: "settings/profile" }, null, (on) => on.locator(".profile-name input")],
  ["cutting a portrait", { route: "settings/profile" }, async (on) =>
    on.locator("input[type=file]").setInputFiles({ name: "a.png", mimeType: "image/png", buffer: PNG }), (on) => on.getByRole("dialog").getByRole("slider")],
  ["own devices", { route: "settings/devices" }, async (on) => on.locator(".device-press").first().click(), (on) => on.locator(".fingerprint").first()],

  ["a conversation", { route: ROMEO }, null, (on) => on.getByText("Look out of your window!").last()],
  ["further up", { route: ROMEO }, up(800), (on) => on.locator(".timeline-leap")],
  ["hostile", { route: "chat/hostile%40elsinore.example" }, up(900), (on) => on.locator("[data-message]").last()],
  ["not sent", { route: "chat/ophelia%40elsinore.example" }, async (on) => on.locator(".composer-text").fill("x"), (on) => button(on, "Try again")],
  ["not encrypted", { route: "chat/horatio%40elsinore.example" }, null, (on) => on.getByText(/Not encrypted: servers/).last()],
  ["things that happened", { route: "chat/viola%40illyria.example" }, up(900), (on) => on.locator("[data-message]").last()],
  ["actions", { route: ROMEO }, chosen(), (on) => on.getByRole("menuitem", { name: "Reply" })],
  ["details of a message", { route: ROMEO }, chosen("Details"), (on) => on.getByRole("dialog")],
  ["forwarding", { route: ROMEO }, chosen("Forward"), (on) => on.getByRole("dialog")],
  ["deleting", { route: ROMEO }, chosen("Delete for everyone"), (on) => on.getByRole("dialog")],
  ["selecting", { route: ROMEO }, chosen("Select"), (on) => on.getByText("One selected")],
  ["former versions", { route: VIOLA }, async (on) => on.locator(".meta-edited").last().click(), (on) => on.getByRole("dialog")],
  ["reactions", { route: ROMEO }, async (on) => {
    await on.locator("[data-message]").last().hover();
    await on.locator("[data-message]").last().getByRole("button", { name: "React", exact: true }).dispatchEvent("click");
  }, (on) => on.getByRole("dialog").getByRole("button", { name: "React with 👍" })],
  ["all reactions", { route: ROMEO }, async (on) => {
    await chosen()(on);
    await button(on, "More emoji").click();
  }, (on) => on.locator(".picker-emoji").first()],
  ["recording", { route: ROMEO }, async (on) => {
    await button(on, "Record a voice message").click();
    await on.getByRole("timer", { name: /^Recording, (?!0:00)/ }).waitFor();
    await button(on, "Pause").click();
  }, (on) => on.getByRole("group", { name: "Record a voice message" }).getByRole("button", { name: "Continue recording" })],
  ["replying", { route: ROMEO }, chosen("Reply"), (on) => button(on, "Do not reply")],
  ["readers", { route: ROMEO }, async (on) => on.locator(".chat-lock").click(), (on) => on.getByRole("dialog")],
  ["emoji", { route: ROMEO }, async (on) => on.locator(".composer-emoji").click(), (on) => on.locator(".picker-emoji").first()],
  ["skin tones", { route: ROMEO }, async (on) => {
    await on.locator(".composer-emoji").click();
    await button(on, "Skin tone").click();
  }, (on) => on.getByRole("radio", { name: "Dark skin tone" }).first()],
  ["who reacted", { route: VIOLA }, async (on) => {
    await on.locator(".reaction").first().focus();
    await on.keyboard.press("Shift+F10");
  }, (on) => on.getByRole("dialog", { name: "Reactions" })],
  ["choosing to whom to forward", { route: ROMEO }, async (on) => {
    await chosen("Forward")(on);
    await on.getByRole("checkbox", { name: "Nurse" }).click();
  }, (on) => on.getByRole("checkbox", { name: "Nurse", checked: true })],
  ["a picture", { route: ROMEO }, async (on) => {
    await up(1300)(on);
    await on.locator(".picture-open").first().click();
  }, (on) => on.getByRole("dialog")],
  ["a sound that plays elsewhere", { route: ROMEO, init: endless }, playing, (on) => on.getByRole("region", { name: "Player" }).getByRole("button", { name: "Play", exact: true })],
  ["pictures and files", { route: VIOLA }, async (on) => {
    await button(on, "More for this chat").click();
    await on.getByRole("menuitem", { name: "Pictures and files" }).click();
  }, (on) => button(on, /^Look at the film/)],
  ["a film", { route: VIOLA }, viewed(/^Look at the film/), (on) => on.locator(".viewer").getByRole("button", { name: /^Download/ })],
  ["a sound in the viewer", { route: ROMEO }, viewed(/^Play.*voice-message/), (on) => on.locator(".viewer").getByRole("button", { name: "Play", exact: true })],
  ["a message that waits for keys", { route: KEYLESS }, null, (on) => on.getByText(/has no keys yet/).first()],
  ["what can be done with a message that waits for keys", { route: KEYLESS }, chosen(), (on) => on.getByRole("menuitem", { name: /^Send without encryption/ })],
  ["files to send", { route: ROMEO }, async (on) =>
    on.locator(".composer-file").last().setInputFiles([
      { name: "a.png", mimeType: "image/png", buffer: PNG },
      { name: "b.pdf", mimeType: "application/pdf", buffer: Buffer.from("%PDF-") },
    ]), (on) => on.getByText("b.pdf")],

  ["a group", { route: "chat/masque%40conference.anemone.example" }, null, (on) => on.getByText("This one is for Tybalt").last()],
  ["mentioning", { route: "chat/masque%40conference.anemone.example" }, async (on) => on.locator(".composer-text").fill("@"), (on) => on.getByRole("listbox")],
  ["about a group", { route: "details/masque%40conference.anemone.example" }, null, (on) => button(on, "Close for everybody")],
  ["about a channel", { route: "details/garden%40conference.illyria.example" }, null, (on) => on.getByText("Link to it")],
  ["a channel", { route: "chat/garden%40conference.illyria.example" }, null, (on) => on.getByText(/Everybody who enters/)],
  ["readers of a channel", { route: "chat/garden%40conference.illyria.example" }, async (on) => on.locator(".chat-lock").click(), (on) => on.getByRole("dialog")],
  ["an invitation to a group", { route: "chat/players%40conference.elsinore.example" }, null, (on) => button(on, "Decline")],
  ["a new group", { route: "group" }, async (on) => on.getByRole("checkbox").nth(2).click(), (on) => on.locator(".picker-chip")],
  ["a new channel", { route: "channel" }, pressed("Make the channel"), (on) => on.locator("[aria-invalid=true]")],
  ["joining a channel", { route: "join/" }, pressed("Join"), (on) => on.locator("[aria-invalid=true]")],
  ["an invitation with an account", { route: "invite/abc/romeo%40verona.example/anna" }, null, (on) => on.getByText(/You are signed in as/)],

  ["adding somebody", { route: "add" }, async (on) => on.getByLabel("Address or link").fill("romeo@veronna.example"), (on) => on.getByText(/Did you mean/)],
  ["the own code", { route: "add" }, pressed("Show my code"), (on) => on.getByRole("dialog")],
  ["scanning", { route: "add" }, pressed("Scan a code"), (on) => on.getByRole("dialog")],
  ["starred messages", { route: "starred" }, null, (on) => on.getByText("nobody in between").first()],
  ["no starred messages", { route: "starred/nurse%40anemone.example" }, null, (on) => on.getByText("No starred messages")],
  ["requests", { route: "requests" }, null, (on) => on.getByText("iago@venice.example").first()],
  ["a contact", { route: "details/romeo%40verona.example" }, async (on) => on.locator(".device-press").first().click(), (on) => on.locator(".fingerprint").first()],
  ["a contact without encryption", { route: "details/horatio%40elsinore.example" }, null, (on) => on.getByText("horatio@elsinore.example").first()],
  ["somebody blocked", { route: "details/tybalt%40verona.example" }, null, (on) => button(on, "Unblock")],
  ["a stranger", { route: "details/iago%40venice.example" }, null, (on) => on.getByText("iago@venice.example").first()],
  ["verifying", { route: "details/romeo%40verona.example" }, async (on) => {
    await button(on, /^Verify Romeo/).click();
    await button(on, "Or compare the fingerprints").click();
  }, (on) => on.getByRole("dialog").locator(".fingerprint").first()],

  ["welcome", { query: "signedOut=" }, null, (on) => on.getByRole("heading", { name: "Welcome to Clownfish" })],
  ["signing in", { query: "signedOut=" }, async (on) => {
    await button(on, "Sign in").click();
    await on.getByLabel("Address").waitFor();
    await on.locator("button[type=submit]").click();
  }, (on) => on.locator("[aria-invalid=true]").first()],
  ["a pasted invitation", { query: "signedOut=" }, async (on) => {
    await button(on, "I have an invitation").click();
    await button(on, "Continue").click();
  }, (on) => on.getByText(/This is not an invitation/)],
  ["scanning an invitation", { query: "signedOut=" }, async (on) => {
    await button(on, "I have an invitation").click();
    await button(on, "Scan the code").click();
  }, (on) => on.getByRole("dialog")],
  ["the Home Screen first", { query: "signedOut=", route: "invite/abc/romeo%40verona.example/anna", agent: IPHONE }, null, (on) => button(on, "Copy the invitation")],
  ["invited", { query: "signedOut=", route: "invite/abc/romeo%40verona.example/anna" }, null, (on) => on.getByRole("heading", { name: "romeo invites you to chat" })],
  ["a name that is taken", { query: "signedOut=", route: "invite/abc/romeo%40verona.example/taken" }, pressed(/^Start chatting/), (on) => on.getByText(/Somebody has the name/)],
  ["an invitation that is used up", { query: "signedOut=", route: "invite/used/romeo%40verona.example/anna" }, pressed(/^Start chatting/), (on) => on.getByText(/was used already/)],
  ["a server that does not answer", { query: "signedOut=", route: "invite/abc/romeo%40nowhere.example/anna" }, pressed(/^Start chatting/), (on) => on.getByText(/does not answer/)],
];
