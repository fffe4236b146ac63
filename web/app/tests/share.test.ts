// What another app shared: one share is one window's, and nobody deletes what is not theirs.

import assert from "node:assert/strict";
import { test } from "node:test";

import "./browser";
import { fakeShares } from "./fake-shares";
import { cutAt } from "../src/cut";
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
  assert.deepEqual(locked(), ["clownfish-shared 1", "clownfish-shared given 1"]);
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

test("what waits in a conversation takes no room from what is shared next", async () => {
  const { paths } = fakeShares([]);
  const many = () => Array.from({ length: SHARE_LIMIT.files }, () => file("many.txt"));
  await addShared("", many());
  keepGiven((await takeShared()).pieces);
  await new Promise((later) => setTimeout(later));
  await addShared("", [file("next.txt")]);
  const next = await takeShared();
  assert.deepEqual([says(next.pieces), next.cut], [["next.txt"], false]);
  for (let times = 0; times < 5; times += 1) {
    await addShared("", many());
    keepGiven((await takeShared()).pieces);
    await new Promise((later) => setTimeout(later));
  }
  assert.equal(paths().filter((path) => path !== "/share/cut").length, 1 + 3 * SHARE_LIMIT.files, "not without end");
  await forgetShared();
});

test("many shares of another window are waited for once", async () => {
  const others = Array.from({ length: 10 }, (_, at) => `clownfish-shared ${at}`);
  fakeShares(others.map((_, at) => `/share/${at}/text`), others);
  const begun = Date.now();
  assert.deepEqual((await takeShared()).pieces, []);
  assert.ok(Date.now() - begun < 2000);
  await forgetShared();
});

test("what a window lets go of a moment later is taken all the same", async () => {
  const other = "clownfish-shared 1";
  const { close } = fakeShares(["/share/1/text"], [other]);
  setTimeout(() => close(other), 100);
  assert.deepEqual(says((await takeShared()).pieces), ["x"]);
  await forgetShared();
});

test("a text is not cut through what is one sign", async () => {
  assert.equal(cutAt("ab👩‍👩‍👧c", 4), "ab");
  assert.equal(cutAt("ab👩‍👩‍👧c", 10), "ab👩‍👩‍👧");
  assert.equal(cutAt("abc", 2), "ab");
  assert.equal(cutAt("abc", 3), "abc");
  assert.equal(cutAt("abc", 0), "");
  assert.equal(cutAt(`😀${"\u0301".repeat(100)}`, 1), "");
  assert.equal(cutAt(`a${"\u0301".repeat(100)}`, 10).length, 10);
  fakeShares([]);
  await addShared(`${"a".repeat(SHARE_LIMIT.text - 1)}😀`, []);
  assert.equal(says((await takeShared()).pieces)[0]?.at(-1), "a");
  await forgetShared();
});
