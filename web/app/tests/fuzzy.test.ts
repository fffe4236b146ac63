import assert from "node:assert/strict";
import { test } from "node:test";

import { best, excerpt, marked, score } from "../src/ui/shell/fuzzy";

const named = (...names: string[]) => names.map((name) => ({ name, address: `${name.length}@verona.example` }));

test("the start of a name is better than the start of a word, and that than letters within", () => {
  const found = best(named("Abram", "Friar Laurence", "Laurence", "Florence"), "la", 9);
  assert.deepEqual(found.map((one) => one.name), ["Laurence", "Friar Laurence"]);
});

test("first letters of words find a name", () => {
  assert.ok(score("Friar Laurence", "fl") > 0);
  assert.ok(score("The long scroll", "tls") > 0);
});

test("marks and case do not matter", () => {
  for (const [name, typed] of [["Özil", "oz"], ["DOÑA DULCINEA", "dona d"], ["ﬁsh", "FI"], ["Émilie", "é"]] as const) {
    assert.ok(score(name, typed) > 0, `${name} by ${typed}`);
  }
});

test("letters that are not there, or in another order, find nothing", () => {
  assert.equal(score("Romeo", "oemor"), 0);
  assert.equal(score("Romeo", "romeox"), 0);
});

test("letters scattered by chance find nothing", () => {
  assert.equal(score("Doña Dulcinea del Toboso", "oneo"), 0);
});

test("an address is found by a piece of it, after all names", () => {
  const all = [
    { name: "Nurse", address: "romeo-nurse@verona.example" },
    { name: "Romeo", address: "r@verona.example" },
  ];
  assert.deepEqual(best(all, "romeo", 9).map((one) => one.name), ["Romeo", "Nurse"]);
});

test("no more than asked for, and no failure on strange names", () => {
  assert.equal(best(named("Aa", "Ab", "Ac"), "a", 2).length, 2);
  for (const name of ["", "‮", "Z͑ͫ̓ͪ".repeat(500), "\u0000", "👨‍👩‍👧‍👦"]) assert.ok(score(name, "zz") >= 0);
});

test("marking keeps the text", () => {
  for (const [text, typed] of [["Romeo, O Romeo", "rom"], ["aaa", "a"], ["", "x"], ["İİİ", "i"], ["x", " "]] as const) {
    assert.equal(marked(text, typed).map((part) => part.text).join(""), text);
  }
  assert.deepEqual(marked("aBa", "b").map((part) => part.hit), [false, true, false]);
  const hits = marked("But soft, what light", "LIGHT sof soft").filter((part) => part.hit);
  assert.deepEqual(hits.map((part) => part.text), ["soft", "light"]);
});

test("an excerpt has what was looked for", () => {
  const long = `${"word ".repeat(200)}needle${" word".repeat(200)}`;
  assert.match(excerpt(long, "needle"), /^…/);
  assert.match(excerpt(long, "needle"), /needle/);
  assert.ok(excerpt(long, "needle").length < 300);
  assert.match(excerpt(`${"x".repeat(5000)}needle`, "needle"), /needle/);
  assert.equal(excerpt("short\nneedle", "needle"), "short needle");
  assert.match(excerpt(long, "absent needle"), /needle/);
});
