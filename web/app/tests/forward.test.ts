// Sending on what was written here.

import assert from "node:assert/strict";
import { test } from "node:test";

import "./browser";
import type { Command, Message } from "../src/core/types";
import { forward } from "../src/ui/chat/forward";
import { told } from "../src/ui/chat/logic/files";
import type { Chat } from "../src/ui/chat/state";

const FILE = { name: "song.ogg", mediaType: "audio/ogg", size: 4, length: 5_400_000, picture: null, uploaded: true, local: "a" };

test("how long a file of others plays is not told on, since it may be anything", async () => {
  const asked: Command[] = [];
  const core = { file: async () => new Blob(["song"]), give: async () => "given" };
  const store = {
    core,
    conversation: () => undefined,
    ask: async (command: Command) => {
      asked.push(command);
      return { is: "done" };
    },
  };
  const chat = { store, encrypted: false, chosen: { value: null }, fetch: async () => "a" } as unknown as Chat;
  const message = (own: boolean) =>
    ({ id: 1, own, encryption: { is: "none" }, content: { is: "file", caption: null, file: FILE } }) as unknown as Message;
  await forward(chat, [message(false), message(true)], [{ address: "nurse@anemone.example", name: "Nurse" }]);
  assert.deepEqual(asked.map((one) => one.do === "sendFile" && one.length), [null, 5_400_000]);
});

test("how long it plays is said of sounds and films only", () => {
  const file = (name: string, mediaType: string | null) => told({ name, mediaType, length: 65_000 });
  assert.equal(file("song.ogg", "audio/ogg"), 65);
  assert.equal(file("film.mp4", "video/mp4"), 65);
  assert.equal(file("paper.pdf", "application/pdf"), null);
  assert.equal(told({ name: "song.ogg", mediaType: "audio/ogg", length: null }), null);
});
