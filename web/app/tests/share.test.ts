// What another app shared: one share is one window's, and nobody deletes what is not theirs.

import assert from "node:assert/strict";
import { test } from "node:test";

import "./browser";
import { fakeShares } from "./fake-shares";
import { addShared, dropPiece, forgetShared, hasShared, keepGiven, releaseShared, SHARE_LIMIT, takeShared, type Piece } from "../src/share";

const file = (name: string, size = 1) => new File([new Uint8Array(size)], name);
const says = (pieces: readonly Piece[]) => pieces.map((one) => ("text" in one ? one.text : one.file.name));

test("what is shared one after the other is offered together, piece by piece", async () => {
  const { paths } = fakeShares([]);
  await addShared("first", [file("a.txt"), file("b.txt")]);
  await new Promise((later) => setTimeout(later, 2));
  await addShared("second", []);
  const { pieces, cut } = await takeShared();
  assert.deepEqual(says(pieces), ["first", "a.txt", "b.txt", "second"]);
  assert.equal(cut, false);
  await Promise.all(pieces.slice(1, 3).map(({ path }) => dropPiece(path)));
  assert.deepEqual(says((await takeShared()).pieces), ["first", "second"]);
  assert.equal(paths().length, 2);
  await forgetShared();
});

test("a window offers nothing that another one has, and deletes nothing of it", async () => {
  const other = "clownfish-shared 1";
  const { paths, locked, close } = fakeShares(["/share/1/text", "/share/1/0", "/share/2/0"], [other]);
  const { pieces } = await takeShared();
  assert.deepEqual(pieces.map(({ path }) => path), ["/share/2/0"]);
  await Promise.all(pieces.map(({ path }) => dropPiece(path)));
  assert.deepEqual(paths(), ["/share/1/0", "/share/1/text"]);
  assert.equal(await hasShared(), false);
  assert.deepEqual(locked(), [other]);
  close(other);
  assert.equal(await hasShared(), true, "the other window was closed");
  assert.equal((await takeShared()).pieces.length, 2);
  await forgetShared();
});

test("what was given to a conversation is not offered again, and what was not is free when the page is left", async () => {
  const { locked } = fakeShares(["/share/1/0", "/share/2/text"]);
  const { pieces } = await takeShared();
  keepGiven(pieces.slice(0, 1));
  assert.deepEqual(says((await takeShared()).pieces), ["x"]);
  releaseShared();
  await new Promise((later) => setTimeout(later));
  assert.deepEqual(locked(), ["clownfish-shared 1"]);
  await dropPiece("/share/1/0");
  await new Promise((later) => setTimeout(later));
  assert.deepEqual(locked(), [], "nothing is left of it");
  await forgetShared();
});

test("what does not fit is left out, and takes nothing from what waits", async () => {
  const { paths } = fakeShares([]);
  await addShared("a".repeat(SHARE_LIMIT.text - 1), [file("a.txt")]);
  await addShared("bcd", Array.from({ length: SHARE_LIMIT.files }, () => file("many.txt")));
  const { pieces, cut } = await takeShared();
  assert.equal(cut, true);
  assert.deepEqual(says(pieces).map((one) => one.slice(-5)), ["aaaaa", "a.txt", "b"]);
  await addShared("e", []);
  assert.equal(paths().filter((path) => path.endsWith("/text")).length, 2, "there is no room for it");
  await forgetShared();
  assert.deepEqual(paths(), []);
});
