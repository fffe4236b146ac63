// Looking through the history part by part.

import assert from "node:assert/strict";
import { test } from "node:test";

import "./browser";
import type { Command, Found, Outcome } from "../src/core/types";
import { lookFor, type Parts } from "../src/state/parts";

const WISH = { do: "search", text: "rose", address: null } as const;

function found(id: number): Found {
  return { address: "romeo@example.org", message: { id } } as unknown as Found;
}

function part(ids: number[], next: string | null): Outcome {
  return { is: "part", messages: ids.map(found), next };
}

/** A core that gives these parts, one after the other. */
function core(...outcomes: Outcome[]) {
  const asked: (string | null)[] = [];
  const ask = async (command: Command): Promise<Outcome> => {
    assert.equal(command.do, "search");
    asked.push(command.do === "search" ? command.from : null);
    return outcomes[asked.length - 1] ?? part([], null);
  };
  return { ask, asked };
}

async function look(outcomes: Outcome[], most = 100, wanted: (seen: number) => boolean = () => true) {
  const { ask, asked } = core(...outcomes);
  const seen: Parts[] = [];
  await lookFor(ask, WISH, most, () => wanted(seen.length), (parts) => seen.push(parts));
  return { asked, seen, ids: seen.map((parts) => parts.found.map((one) => one.message.id)) };
}

test("parts follow each other, and what is found is shown at once", async () => {
  const { asked, seen, ids } = await look([part([], "a"), part([9], "b"), part([], "c"), part([4, 3], null)]);
  assert.deepEqual(asked, [null, "a", "b", "c"]);
  assert.deepEqual(ids, [[], [9], [9, 4, 3]], "a part without news is not shown");
  assert.deepEqual(seen.map((parts) => parts.busy), [true, true, false]);
  assert.equal(seen.at(-1)?.more, false);
});

test("enough is enough, and it is said that there is more", async () => {
  const { asked, seen, ids } = await look([part([9, 8], "a"), part([7, 6], "b"), part([5], null)], 3);
  assert.deepEqual(asked, [null, "a"]);
  assert.deepEqual(ids.at(-1), [9, 8, 7]);
  assert.deepEqual([seen.at(-1)?.busy, seen.at(-1)?.more], [false, true]);
});

test("a message that moved is there once", async () => {
  const { ids } = await look([part([9, 8], "a"), part([8, 7], null)]);
  assert.deepEqual(ids.at(-1), [9, 8, 7]);
});

test("nobody asks on when other words are typed", async () => {
  const { asked, seen } = await look([part([9], "a"), part([8], "b"), part([7], null)], 100, (seen) => seen < 1);
  assert.deepEqual(asked, [null, "a"]);
  assert.equal(seen.length, 1, "what comes late is not shown");
});

test("a failure ends it, with what was found before", async () => {
  const problem = { kind: "restarted", words: "the core stopped" } as const;
  const { seen, ids } = await look([part([9], "a"), { is: "failed", problem }]);
  assert.deepEqual(ids.at(-1), [9]);
  assert.deepEqual([seen.at(-1)?.busy, seen.at(-1)?.problem], [false, problem]);
});
