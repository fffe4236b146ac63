// What can be deleted, on this device and on the server.

import assert from "node:assert/strict";
import { test } from "node:test";

import "./browser";
import type { Core } from "../src/core/api";
import type { Message, Notice, Room } from "../src/core/types";
import { words } from "../src/i18n";
import { Store } from "../src/state/store";
import { canDeleteHere } from "../src/ui/chat/state";
import { question } from "../src/ui/kit/overlays";
import { deleteServerHistory, erasing } from "../src/ui/shell/erase";

const GROUP = "garden@conference.example.org";

function sit() {
  let say: (notice: Notice) => void = () => {};
  const store = new Store({ listen: (listener: typeof say) => void (say = listener) } as unknown as Core);
  return { store, say: (notice: Notice) => say(notice) };
}

test("a group is left before it is deleted, and anything can be cleared", () => {
  const { store, say } = sit();
  const w = words().shell;
  const offered = (address: string) => erasing(store, { address, name: "a chat" }).map((one) => one?.label);
  const is = (state: Room["state"]) => say({ is: "room", address: GROUP, state } as unknown as Notice);
  assert.deepEqual(offered("romeo@example.org"), [w.clearHistory, w.deleteChat]);
  is({ is: "in" });
  assert.deepEqual(offered(GROUP), [w.clearHistory]);
  is({ is: "refused", reason: "banned" });
  assert.deepEqual(offered(GROUP), [w.clearHistory, w.deleteChat]);
  is({ is: "out" });
  assert.deepEqual(offered(GROUP), [w.clearHistory], "nothing can be left without a connection");
});

test("what happened and what was not sent are not deleted as messages are", () => {
  const of = (is: string, delivery: string | null) =>
    canDeleteHere({ content: { is }, delivery: delivery && { is: delivery } } as unknown as Message);
  for (const is of ["text", "file", "retracted", "undecryptable"]) assert.ok(of(is, null), is);
  assert.ok(of("text", "read"));
  assert.deepEqual([of("text", "queued"), of("text", "failed"), of("newDevice", null), of("room", null)], [false, false, false, false]);
});

test("the window on a conversation that is gone is gone", () => {
  const { store, say } = sit();
  const address = "romeo@example.org";
  say({ is: "window", address, messages: [], older: false, newer: false, firstUnread: null });
  assert.ok(store.window(address));
  say({ is: "conversationRemoved", address });
  assert.equal(store.window(address), undefined);
});

test("the history on the server is deleted once somebody is sure", async () => {
  const asked: unknown[] = [];
  const core = { listen: () => {}, request: async (command: unknown) => (asked.push(command), { is: "done" }) };
  const store = new Store(core as unknown as Core);
  for (const sure of [false, true]) {
    const done = deleteServerHistory(store);
    assert.match(question.value?.text ?? "", /a new device begins without any/);
    question.value?.answer(sure);
    await done;
  }
  assert.deepEqual(asked, [{ do: "deleteServerHistory" }]);
});
