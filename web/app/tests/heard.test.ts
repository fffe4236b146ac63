// Sounds are decoded to draw them only as far as that does no harm.

import assert from "node:assert/strict";
import { test } from "node:test";

import "./browser";
import { heardOf, type Ears, type Heard } from "../src/ui/chat/media/heard";

const kept = new Map<string, string>();
Object.assign(localStorage, {
  getItem: (key: string) => kept.get(key) ?? null,
  setItem: (key: string, value: string) => void kept.set(key, value),
  removeItem: (key: string) => void kept.delete(key),
});

let sounds = 0;

/** Listens to a sound of so many bytes, which says that it is so long. */
async function hear(bytes: number, says: number, more: { name?: string; decode?: Ears["decode"] } = {}) {
  let decoded = 0;
  const blob = { size: bytes } as Blob;
  const decode = async (one: Blob): Promise<Heard> => {
    decoded += 1;
    return more.decode ? more.decode(one) : { bars: [1], seconds: says };
  };
  const name = more.name ?? `sound ${(sounds += 1)}`;
  const heard = heardOf(name, { blob, url: "blob:" }, { measure: async () => says, decode });
  return { heard: await heard, decoded };
}

test("a voice message is drawn", async () => {
  const { heard, decoded } = await hear(300_000, 75);
  assert.deepEqual(heard, { bars: [1], seconds: 75 });
  assert.equal(decoded, 1);
  assert.equal(kept.size, 0, "nothing is left behind");
});

test("hours of silence in a few bytes, and what does not say how long it is, are not decoded", async () => {
  for (const [bytes, says] of [[400_000, 36_000], [400_000, Infinity], [400_000, NaN], [4_000_001, 60]] as const) {
    const { heard, decoded } = await hear(bytes, says);
    assert.equal(decoded, 0, `${bytes} bytes, ${says} seconds`);
    assert.deepEqual(heard, { bars: null, seconds: Number.isFinite(says) ? says : 0 });
  }
});

test("what cannot be decoded is only played", async () => {
  const { heard } = await hear(1_000, 5, { decode: () => Promise.reject(new Error("no sound")) });
  assert.deepEqual(heard, { bars: null, seconds: 5 });
  assert.equal(kept.size, 0);
});

test("a sound that took the page down is not decoded again", async () => {
  // It was begun, and the page ended.
  kept.set("clownfish.sounds", JSON.stringify(["liar"]));
  const { heard, decoded } = await hear(400_000, 5, { name: "liar" });
  assert.equal(decoded, 0);
  assert.deepEqual(heard, { bars: null, seconds: 5 });
  kept.set("clownfish.sounds", "{");
  assert.equal((await hear(1_000, 5)).decoded, 1, "what is kept makes no sense");
});
