// What becomes of what was written: nothing is lost, and nothing comes back that was kept.

import assert from "node:assert/strict";
import { test } from "node:test";

import { effect } from "@preact/signals";

import "./browser";
import { fakeShares } from "./fake-shares";
import type { Core } from "../src/core/api";
import { MOST_TEXT_BYTES } from "../src/core/limits";
import type { Command, Message, Notice, Outcome } from "../src/core/types";
import { Store } from "../src/state/store";
import { Composer } from "../src/ui/chat/composer/state";
import { attachShared, attachTo, MOST, trayOf } from "../src/ui/chat/composer/tray-state";
import { forward } from "../src/ui/chat/forward";
import { Chat } from "../src/ui/chat/state";
import { question, toasts } from "../src/ui/kit/overlays";
import { guardDrops } from "../src/ui/shell/drops";
import { dropUnsent, hasUnsent, keepUnsent } from "../src/unsent";

const KEPT: Outcome = { is: "kept", message: 1 };
const FULL: Outcome = { is: "failed", problem: { kind: "storage", words: "full" } };
let people = 0;

/** A conversation whose core answers as it is told. */
function sit(answer: (command: Command) => Outcome | Promise<Outcome>) {
  const asked: Command[] = [];
  let say: (notice: Notice) => void = () => {};
  const core = {
    request: async (command: Command) => {
      asked.push(command);
      return answer(command);
    },
    listen: (listener: (notice: Notice) => void) => void (say = listener),
    give: async (file: Blob) => `given ${(file as File).name}`,
  } as unknown as Core;
  const chat = new Chat(new Store(core), `romeo${(people += 1)}@example.org`);
  const composer = new Composer(chat);
  const sent = () => asked.filter((one) => one.do === "send" || one.do === "sendFile");
  return { asked, sent, chat, composer, say: (notice: Notice) => say(notice) };
}

function written(id: number, text = "hello"): Message {
  const content: Message["content"] = { is: "text", text, lines: [], action: false };
  return {
    id, place: String(id), sender: "juliet@example.org", nick: null, own: true, time: 0, content,
    encryption: { is: "none" }, delivery: { is: "sent" }, reached: [], reply: null, reactions: [], starred: false, versions: [],
  };
}

const note = (name: string, content = "x") => new File([content], name, { type: "text/plain" });
/** Lets everything happen that waits for nothing. */
const settle = () => new Promise((done) => setTimeout(done));

test("a text that is in the timeline does not come back, whatever becomes of it", async () => {
  const { sent, chat, composer } = sit(() => KEPT);
  composer.write("O, speak again");
  composer.send();
  await settle();
  assert.equal(sent().length, 1);
  assert.equal(composer.text.value, "");
  assert.equal(chat.replying.value, null);
});

test("before a page is loaded anew, what is on its way arrives and what is in the field is kept", async () => {
  let answer: (outcome: Outcome) => void = () => {};
  const { asked, composer } = sit((command) =>
    command.do === "send" ? new Promise((done) => (answer = done)) : { is: "done" },
  );
  composer.write("O, speak again");
  composer.send();
  composer.write("bright angel");
  let kept = false;
  void keepUnsent().then(() => (kept = true));
  await settle();
  assert.equal(kept, false, "it waits for what is on its way");
  answer(KEPT);
  await settle();
  await settle();
  assert.equal(kept, true);
  const last = asked.at(-1);
  assert.equal(last?.do === "draft" && last.text, "bright angel");
});

test("a text that was not kept comes back with what it answers, before what was begun meanwhile", async () => {
  const { chat, composer } = sit((command) => (command.do === "send" ? FULL : { is: "done" }));
  const answered = written(7);
  chat.replying.value = answered;
  composer.write("O, speak again");
  composer.send();
  composer.write("bright angel");
  await settle();
  assert.equal(composer.text.value, "O, speak again\nbright angel");
  assert.equal(chat.replying.value, answered);
});

test("what the core kept before it broke does not come back, and what it did not keep does", async () => {
  let kept = true;
  const { chat, composer, say, sent } = sit((command) => {
    if (command.do === "send") return { is: "failed", problem: { kind: "restarted", words: "unreachable executed" } };
    if (command.do === "open") {
      const old = { ...written(6, "O, speak again"), time: 1 };
      const messages = kept ? [old, { ...written(7, "O, speak again"), time: Date.now() }] : [old];
      say({ is: "window", address: chat.address, messages, older: false, newer: false, firstUnread: null });
    }
    return { is: "done" };
  });
  composer.write("O, speak again");
  composer.send();
  await settle();
  assert.equal(composer.text.value, "");
  kept = false;
  composer.write("O, speak again");
  composer.send();
  await settle();
  assert.equal(composer.text.value, "O, speak again");
  assert.equal(sent().length, 2);
});

test("what is written is in the draft until it is in the timeline, whatever is begun meanwhile", async () => {
  let answer: (outcome: Outcome) => void = () => {};
  const { asked, chat, composer } = sit((command) =>
    command.do === "send" ? new Promise((done) => (answer = done)) : { is: "done" },
  );
  const kept = () => asked.map((one) => (one.do === "draft" ? one.text : one.do));
  composer.write("O, speak again");
  composer.keep();
  composer.send();
  await settle();
  assert.equal(composer.text.value, "");
  assert.deepEqual(kept(), ["O, speak again", "send"], "a page that ends now has lost nothing");
  composer.write("bright angel");
  composer.leave();
  assert.equal(kept().at(-1), "O, speak again\nbright angel");
  // Whoever comes back meanwhile finds what was begun, and not what is on its way.
  chat.store.conversation = () => ({ draft: "O, speak again\nbright angel" }) as ReturnType<Store["conversation"]>;
  const later = new Composer(new Chat(chat.store, chat.address));
  assert.equal(later.text.value, "bright angel");
  later.write("bright angels");
  answer(KEPT);
  await settle();
  assert.equal(kept().at(-1), "bright angels");
  assert.equal(later.text.value, "bright angels");
  later.leave();
});

test("a caption is in the draft until its file is in the timeline, and comes back to who looks now", async () => {
  const answers: ((outcome: Outcome) => void)[] = [];
  const { asked, chat, composer } = sit((command) =>
    command.do === "sendFile" ? new Promise((done) => answers.push(done)) : { is: "done" },
  );
  const drafts = () => asked.flatMap((one) => (one.do === "draft" ? [one.text] : []));
  composer.attach([note("one.txt"), note("two.txt")]);
  composer.write("look");
  composer.send();
  await settle();
  assert.deepEqual(drafts(), ["look"]);
  answers.shift()?.(KEPT);
  await settle();
  assert.deepEqual(drafts(), ["look", ""], "it is there with the first");
  answers.shift()?.(KEPT);
  await settle();

  composer.attach([note("three.txt")]);
  composer.write("again");
  composer.send();
  composer.leave();
  const later = new Composer(new Chat(chat.store, chat.address));
  await settle();
  answers.shift()?.(FULL);
  await settle();
  assert.equal(later.text.value, "again");
  assert.equal(drafts().at(-1), "again", "it was never out of it");
  assert.deepEqual(drafts().filter((one) => one === "").length, 1);
  later.leave();
  dropUnsent();
});

test("a caption, what is answered and all files come back when a file is not kept", async () => {
  let left = 1;
  const { sent, chat, composer } = sit((command) => (command.do === "sendFile" && left-- <= 0 ? FULL : KEPT));
  const answered = written(7);
  chat.replying.value = answered;
  composer.attach([note("one.txt"), note("two.txt"), note("three.txt")]);
  composer.write("look");
  composer.send();
  await settle();
  const files = sent().map((one) => one.do === "sendFile" && [one.name, one.caption, one.replyTo]);
  assert.deepEqual(files, [["one.txt", "look", 7], ["two.txt", null, null]]);
  assert.deepEqual(composer.files.value.map(({ file }) => file.name), ["two.txt", "three.txt"]);
  assert.equal(composer.text.value, "", "the caption went with the first");
  left = 0;
  chat.replying.value = answered;
  composer.write("again");
  composer.send();
  await settle();
  assert.equal(composer.text.value, "again");
  assert.equal(chat.replying.value, answered);
  assert.equal(composer.files.value.length, 2);
  dropUnsent();
});

test("files on their way into the timeline would be lost with the window, and those of other apps still wait", async () => {
  const { paths: left } = fakeShares(["/share/1/0", "/share/1/1", "/share/2/0"]);
  const answers: ((outcome: Outcome) => void)[] = [];
  const { chat, composer } = sit((command) =>
    command.do === "sendFile" ? new Promise((answer) => answers.push(answer)) : { is: "done" },
  );
  const shared = [note("one.txt"), note("two.txt")].map((file, at) => ({ file, path: `/share/1/${at}` }));
  attachShared(chat.address, shared);
  composer.send();
  assert.equal(composer.files.value.length, 0);
  assert.equal(hasUnsent(), true);
  await settle();
  answers.shift()?.(KEPT);
  await settle();
  assert.deepEqual(left(), ["/share/1/1", "/share/2/0"], "the second one is only there");
  assert.equal(hasUnsent(), true);
  answers.shift()?.(FULL);
  await settle();
  assert.deepEqual(composer.files.value.map(({ file }) => file.name), ["two.txt"]);
  assert.deepEqual(left(), ["/share/1/1", "/share/2/0"]);
  composer.send();
  await settle();
  answers.shift()?.(KEPT);
  await settle();
  assert.equal(hasUnsent(), false);
  assert.deepEqual(left(), ["/share/2/0"], "what else was shared still waits");

  // What was recorded is in no tray.
  const sending = composer.sendNow(note("voice.txt"));
  assert.equal(hasUnsent(), true);
  await settle();
  answers.shift()?.(KEPT);
  assert.ok(await sending);
  assert.equal(hasUnsent(), false);
});

test("what is sent at once answers as well, once", async () => {
  const { sent, chat, composer } = sit(() => KEPT);
  chat.replying.value = written(7);
  assert.ok(await composer.sendNow(note("voice.txt")));
  const [file] = sent();
  assert.equal(file?.do === "sendFile" && file.replyTo, 7);
  assert.equal(chat.replying.value, null);
});

test("a changed text that was not kept is still being edited", async () => {
  const { chat, composer } = sit((command) => (command.do === "correct" ? FULL : { is: "done" }));
  const message = written(7, "teh rose");
  chat.editing.value = message;
  // As the view does.
  effect(() => {
    const { value } = chat.editing;
    composer.follow(value && { id: value.id, text: "teh rose" });
  });
  composer.write("the rose");
  composer.send();
  await settle();
  assert.equal(chat.editing.value, message);
  assert.equal(composer.text.value, "the rose");
  // A change that was begun would be lost with the window.
  assert.equal(hasUnsent(), true);
  dropUnsent();
  assert.equal(hasUnsent(), false);
  assert.deepEqual([chat.editing.value, composer.text.value], [null, ""]);
});

test("files wait for their conversation, and the window knows that they would be lost with it", () => {
  const { chat, composer } = sit(() => KEPT);
  assert.equal(hasUnsent(), false);
  composer.attach([note("one.txt")]);
  composer.leave();
  assert.equal(hasUnsent(), true);
  assert.equal(new Composer(chat).files.value.length, 1);
  assert.equal(sit(() => KEPT).composer.files.value.length, 0);
  dropUnsent();
  assert.equal(hasUnsent(), false);
  assert.equal(composer.files.value.length, 0);
});

test("what does not fit is told", async () => {
  const { chat, sent, composer } = sit(() => KEPT);
    assert.ok(attachTo(chat.address, Array.from({ length: MOST + 2 }, (_, at) => note(`${at}.txt`))));
  assert.equal(trayOf(chat.address).value.length, MOST);
  assert.match(JSON.stringify(toasts.value), /2 were left out/);
  dropUnsent();
  // In bytes, as the core counts: two for each letter.
  composer.write("ü".repeat(MOST_TEXT_BYTES / 2 + 1));
  composer.send();
  await settle();
  assert.equal(sent().length, 0);
  assert.equal(composer.text.value.length, MOST_TEXT_BYTES / 2 + 1);
  assert.match(JSON.stringify(toasts.value), /too long by one character/);
  composer.write("😀".repeat(MOST_TEXT_BYTES / 4 + 3));
  composer.send();
  assert.match(JSON.stringify(toasts.value), /too long by 3 characters/);
  composer.write("");
});

test("several messages are taken back without waiting for the server", async () => {
  const asked: number[] = [];
  const { chat } = sit(() => ({ is: "done" }));
  // Offline, nothing is answered.
  chat.store.ask = (command) => {
    if (command.do === "retract") asked.push(command.message);
    return new Promise(() => {});
  };
  void chat.askRemove([written(1), written(2), written(3)]);
  await settle();
  question.peek()?.answer(true);
  await settle();
  assert.deepEqual(asked, [1, 2, 3]);
});

test("what was encrypted is forwarded in plain text only if somebody says so", async () => {
  const { sent, chat, say } = sit(() => KEPT);
  const talk = (address: string, encrypted: boolean) => say({ is: "conversation", address, encrypted } as unknown as Notice);
  const square = { address: "square@rooms.example.org", name: "Square" };
  const friar = { address: "friar@example.org", name: "Friar" };
  talk(square.address, false);
  talk(friar.address, true);
  const open = written(1, "for everyone");
  const secret = { ...written(2, "for you"), own: false, encryption: { is: "omemo", device: 1, trust: "blind" } } as Message;
  const to = () => sent().map((one) => one.to);
  question.value = null;

  void forward(chat, [secret], [friar]);
  void forward(chat, [open], [square]);
  await settle();
  assert.equal(question.value, null);
  assert.deepEqual(to(), [friar.address, square.address]);

  for (const yes of [false, true]) {
    chat.chosen.value = new Map([[1, open], [2, secret]]);
    void forward(chat, [open, secret], [square]);
    await settle();
    assert.equal(question.peek()?.title, "Forward without encryption?");
    question.peek()?.answer(yes);
    question.value = null;
    await settle();
    assert.equal(sent().length, yes ? 4 : 2);
    assert.equal(chat.chosen.value === null, yes, "who thinks better of it chooses anew");
  }

  // What waits to be encrypted is as secret as its conversation.
  void forward(chat, [{ ...open, delivery: { is: "queued" } }], [friar, square]);
  await settle();
  assert.equal(question.peek()?.title, "Forward without encryption?");
  question.peek()?.answer(false);
  question.value = null;
});

test("nothing is forwarded, or copied, when nothing is there", async () => {
  const { asked, chat } = sit(() => KEPT);
  toasts.value = [];
  assert.equal(await forward(chat, [], [{ address: "friar@example.org", name: "Friar" }]), false);
  assert.equal(await forward(chat, [written(1)], []), false);
  await chat.copy([]);
  assert.deepEqual([asked, toasts.value], [[], []]);
});

test("what is forwarded to several reaches each of them in its order", async () => {
  const { sent, chat } = sit((command) => (command.do === "send" && command.to.startsWith("square") ? FULL : KEPT));
  const to = ["friar@example.org", "square@example.org", "nurse@example.org"].map((address) => ({ address, name: address }));
  toasts.value = [];
  await forward(chat, [written(1, "one"), written(2, "two")], to);
  const all = sent().map((one) => one.do === "send" && [one.to, one.text]);
  assert.deepEqual(all, to.flatMap(({ address }) => [[address, "one"], [address, "two"]]));
  // Only those who have it are counted.
  assert.ok(toasts.peek().some(({ text }) => text === "Forwarded to 2 chats"));
});

test("a reply that could not be sent from outside stands in the field, and stays there", async () => {
  const { asked, composer } = sit(() => ({ is: "done" }));
  composer.write("bright angel");
  assert.equal(await composer.giveBack("O, speak again"), true);
  assert.equal(composer.text.value, "O, speak again\nbright angel");
  composer.write(`${composer.text.peek()}!`);
  await composer.keep();
  const drafts = asked.filter((one) => one.do === "draft").map((one) => one.text);
  assert.deepEqual(drafts, ["O, speak again\nbright angel", "O, speak again\nbright angel!"]);
  // Again, because the page ended before that was noted: once is enough.
  assert.equal(await composer.giveBack("O, speak again"), true);
  assert.equal(composer.text.value, "O, speak again\nbright angel!");
});

test("a reply that could not be kept is not done with", async () => {
  const { composer } = sit(() => FULL);
  assert.equal(await composer.giveBack("O, speak again"), false);
  assert.equal(composer.text.value, "O, speak again");
});

test("nothing comes by itself of those whom nobody let in", () => {
  const { chat, say } = sit(() => KEPT);
  const talk = (more: object) => say({ is: "conversation", address: chat.address, ...more } as unknown as Notice);
  const room = (more: object) => say({ is: "room", address: chat.address, ...more } as unknown as Notice);
  talk({ request: true });
  assert.equal(chat.ofStrangers.value, true);
  talk({ request: false });
  assert.equal(chat.ofStrangers.value, false, "they were answered");
  talk({ room: true });
  assert.equal(chat.ofStrangers.value, true, "nothing is known of the room yet");
  room({ private: true });
  assert.equal(chat.ofStrangers.value, false);
  room({ private: false });
  assert.equal(chat.ofStrangers.value, true, "anybody may enter");
});

test("a file that is dropped where nothing takes it does not replace the app", () => {
  const target = new EventTarget();
  guardDrops(target);
  const drag = (types: string[]) => {
    const event = new Event("drop", { cancelable: true });
    const dataTransfer = { types, dropEffect: "copy" };
    return Object.assign(event, { dataTransfer });
  };
  const file = drag(["Files"]);
  target.dispatchEvent(file);
  assert.equal(file.defaultPrevented, true);
  assert.equal(file.dataTransfer.dropEffect, "none");
  const text = drag(["text/plain"]);
  target.dispatchEvent(text);
  assert.equal(text.defaultPrevented, false);
});

test("what is answered or edited is still so after a look at another conversation", () => {
  const first = sit(() => ({ is: "done" }));
  const again = () => {
    const chat = new Chat(first.chat.store, first.chat.address);
    return { chat, composer: new Composer(chat) };
  };
  first.chat.replying.value = written(7);
  first.composer.write("bright angel");
  first.composer.leave();
  const second = again();
  assert.equal(second.chat.replying.value?.id, 7);
  assert.equal(hasUnsent(), false, "the draft is kept elsewhere");
  second.chat.edit(written(8, "O, speak"));
  second.composer.follow({ id: 8, text: "O, speak" });
  second.composer.write("O, speak again");
  second.composer.leave();
  assert.equal(hasUnsent(), true);
  const third = again();
  assert.deepEqual([third.chat.editing.value?.id, third.composer.text.value], [8, "O, speak again"]);
  third.composer.follow({ id: 8, text: "O, speak" });
  assert.equal(third.composer.text.value, "O, speak again");
  third.chat.editing.value = null;
  third.composer.follow(null);
  third.composer.leave();
  assert.equal(again().chat.editing.value, null);
  dropUnsent();
});
