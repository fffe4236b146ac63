import assert from "node:assert/strict";
import { test } from "node:test";

import { fill, straight } from "../src/i18n";
import { joints } from "../src/ui/kit/address";
import { meantServer, nameProblem, parseAddress } from "../src/ui/people/address";
import { ago } from "../src/ui/people/ago";
import { groups, sameFingerprint } from "../src/ui/people/fingerprint";
import { parseFragment, parseLink, personLink } from "../src/ui/people/links";
import { middle, moved } from "../src/ui/people/picture";
import { below, strongPassword } from "../src/ui/welcome/password";
import * as german from "../src/i18n/de";
import * as english from "../src/i18n/en";
import { addressName, otherName } from "../src/ui/welcome/name";
import { proposedName } from "../src/ui/welcome/proposed";

const PRINT = "ab".repeat(32);

test("addresses are read as people write them", () => {
  for (const typed of ["romeo@verona.example", " Romeo@Verona.example ", "xmpp:romeo@verona.example", "romeo@verona.example/orchard", "romeo@verona.example."]) {
    const read = parseAddress(typed);
    assert.equal(read.is === "right" && read.address, "romeo@verona.example", typed);
  }
  for (const typed of ["jürgen@exämple.org", "a@localhost", "光源氏@heian.example", "o-neil+x@a-b.example"]) {
    assert.equal(parseAddress(typed).is, "right", typed);
  }
});

test("what is no address is told apart, and mended where it can be", () => {
  const cases: [string, string, string | null][] = [
    ["", "empty", null],
    ["romeo", "noServer", null],
    ["romeo@", "noServer", null],
    ["@verona.example", "noName", null],
    ["romeo@juliet@verona.example", "twoAts", null],
    ["romeo @verona.example", "space", "romeo@verona.example"],
    ["ro\"meo@verona.example", "character", null],
    ["ro🐟meo@verona.example", "character", null],
    ["romeo@verona,example", "server", "romeo@verona.example"],
    ["romeo@verona..example", "server", "romeo@verona.example"],
    ["romeo@-verona.example", "server", null],
    [`romeo@${"a".repeat(64)}.example`, "server", null],
    [`${"r".repeat(1024)}@verona.example`, "long", null],
  ];
  for (const [typed, problem, suggestion] of cases) {
    const read = parseAddress(typed);
    assert.ok(read.is === "wrong", typed);
    assert.equal(read.problem.is, problem, typed);
    assert.equal(read.suggestion, suggestion, typed);
  }
});

test("a name cannot turn the rest of a sentence round", () => {
  assert.equal(fill("{name} wrote.", { name: "Romeo" }), "Romeo wrote.");
  const turned = fill("{name} wrote.", { name: "\u2069\u202eoemoR\u2066" });
  assert.equal(turned, "oemoR wrote.");
  assert.equal(fill("{name} wrote.", { name: "שלום" }), "\u2068שלום\u2069 wrote.");
  // The second half of an emoji is no letter.
  assert.equal(fill("{emoji}!", { emoji: "\u2764\ufe0f" }), "\u2764\ufe0f!");
  // In a title nothing else can be turned, and words in their own direction stay as they are.
  assert.equal(straight("\u2069\u202eoemoR\u2066 שלום"), "oemoR שלום");
});

test("a server that is nearly a known one is probably that one", () => {
  const known = ["anemone.example", "verona.example"];
  assert.equal(meantServer("anenome.example", known), "anemone.example");
  assert.equal(meantServer("veronna.example", known), "verona.example");
  assert.equal(meantServer("verona.example", known), null);
  assert.equal(meantServer("elsinore.example", known), null);
});

test("names are of what addresses allow", () => {
  assert.equal(nameProblem("anna.maria-1"), null);
  assert.equal(nameProblem("anna maria")?.is, "space");
  assert.equal(nameProblem("anna/maria")?.is, "character");
  assert.equal(nameProblem("ﬁsh")?.is, "character");
  assert.equal(nameProblem("")?.is, "noName");
});

test("the name somebody goes by becomes one for an address", () => {
  const cases: [string, string][] = [
    ["Anna", "anna"],
    [" Anna  Maria ", "anna.maria"],
    ["Jürgen Müller-Weiß", "juergen.mueller-weiss"],
    ["Zoë", "zoe"],
    ["O'Neil", "oneil"],
    ["🐟 Nemo!", "nemo!"],
    ["光源氏", "光源氏"],
    ["...", ""],
    ["🐟", ""],
    ["a@b", "ab"],
    ["n".repeat(100), "n".repeat(64)],
  ];
  for (const [typed, name] of cases) {
    assert.equal(addressName(typed), name, typed);
    assert.ok(name === "" || nameProblem(name) === null, name);
  }
});

test("a proposed name makes an address in every language, and none is there twice", () => {
  for (const { welcome } of [english, german]) {
    const [first, second] = welcome.names;
    const made = first.flatMap((_, one) =>
      second.map((_, other) => {
        const numbers = [one, other];
        return proposedName(welcome, () => numbers.shift() ?? 0);
      }),
    );
    assert.equal(new Set(made.map((name) => addressName(name))).size, first.length * second.length);
    assert.ok(made.every((name) => /^[a-z]{3,10}\.?[a-z]{3,10}$/u.test(addressName(name))), made.join(" "));
  }
});

test("another name for one that is taken keeps its stem", () => {
  assert.equal(otherName("anna", () => 7), "anna.17");
  assert.equal(otherName("anna.17", () => 8), "anna.18");
  assert.equal(otherName("1984", () => 0), "1984.10");
});

test("passwords that are made are long, and never the same", () => {
  assert.match(strongPassword(), /^([a-hjkmnp-z2-9]{5}-){3}[a-hjkmnp-z2-9]{5}$/);
  assert.notEqual(strongPassword(), strongPassword());
  for (let i = 0; i < 200; i++) assert.ok(below(3) < 3);
});

test("invitations are read from all their forms", () => {
  const token = "abcdefghjkmnpqrstuvwxyz123";
  const cases: [string, string | null, string | null, string | null][] = [
    [`xmpp:anemone.example?register;preauth=${token}`, "anemone.example", null, null],
    [`xmpp:anna@anemone.example?register;preauth=${token}`, "anemone.example", null, "anna"],
    [`xmpp:romeo@anemone.example?roster;preauth=${token};ibr=y`, "anemone.example", "romeo@anemone.example", null],
    [`XMPP:romeo@anemone.example?roster&ibr=y&preauth=${token}`, "anemone.example", "romeo@anemone.example", null],
    [`https://anemone.example/invite/${token}`, "anemone.example", null, null],
    [`https://anemone.example:8443/chat/invite/${token}?x=1`, "anemone.example", null, null],
    [`https://anemone.example/#/invite/${token}/romeo%40anemone.example/anna`, "anemone.example", "romeo@anemone.example", "anna"],
    [`https://other.example/invitation/#xmpp:romeo@anemone.example?roster;preauth=${token};ibr=y`, "anemone.example", "romeo@anemone.example", null],
  ];
  for (const [link, server, inviter, name] of cases) {
    assert.deepEqual(parseLink(link), { is: "invitation", server, token, inviter, name }, link);
  }
});

test("the page of an invitation says who invites, or only where", () => {
  assert.deepEqual(parseFragment("#/invite/abc/romeo%40verona.example/"), {
    is: "invitation", token: "abc", server: "verona.example", inviter: "romeo@verona.example", name: null,
  });
  assert.deepEqual(parseFragment("#/invite/abc/verona.example/anna"), {
    is: "invitation", token: "abc", server: "verona.example", inviter: null, name: "anna",
  });
  assert.deepEqual(parseFragment("#/invite/abc"), {
    is: "invitation", token: "abc", server: null, inviter: null, name: null,
  });
  for (const hash of ["", "#/list", "#/invite", "#/invite/", "#/invite/%", "#/invite/a b"]) {
    assert.equal(parseFragment(hash), null, hash);
  }
});

test("links to people are read, with or without keys", () => {
  const plain = { is: "person", address: "romeo@verona.example", name: null, keys: null };
  for (const link of [
    "romeo@verona.example",
    "xmpp:romeo@verona.example",
    "xmpp:romeo@verona.example?message",
    "xmpp:romeo@verona.example?roster;preauth=abc",
    "https://conversations.im/i/romeo@verona.example",
    "https://xmpp.link/#romeo@verona.example",
  ]) {
    assert.deepEqual(parseLink(link), plain, link);
  }
  const keys = `xmpp:romeo@verona.example?message;omemo-sid-7=${PRINT}`;
  assert.deepEqual(parseLink(keys), { ...plain, keys });
  assert.deepEqual(parseLink("xmpp:romeo@verona.example?roster;name=Romeo%20M."), { ...plain, name: "Romeo M." });
  const strange = "xmpp:j%C3%BCrgen%231@exämple.org?message";
  assert.deepEqual(parseLink(strange), { ...plain, address: "jürgen#1@exämple.org" });
});

test("what leads to nobody is nothing", () => {
  for (const text of ["", "hello", "https://example.org/", "https://example.org/invite/", "xmpp:?message", "xmpp:%", "xmpp:anemone.example?register", "mailto:a@b.example", "javascript:alert(1)", `xmpp:${"a".repeat(9000)}@b.example`]) {
    assert.equal(parseLink(text), null, text.slice(0, 40));
  }
});

test("an own link can be read again", () => {
  const link = personLink("jürgen#1@exämple.org", [{ id: 7, fingerprint: PRINT.replace(/.{8}/g, "$& ") }]);
  assert.ok(link.endsWith(`?message;omemo-sid-7=${PRINT}`), link);
  const read = parseLink(link);
  assert.ok(read?.is === "person" && read.address === "jürgen#1@exämple.org" && read.keys === link);
  assert.equal(personLink("romeo@verona.example", []), "xmpp:romeo@verona.example");
});

test("fingerprints are shown in groups and compared by their digits", () => {
  assert.deepEqual(groups("ABABABAB cdcdcdcd"), ["abababab", "cdcdcdcd"]);
  assert.equal(groups(PRINT).length, 8);
  assert.ok(sameFingerprint("AB ab", "abab"));
  assert.ok(!sameFingerprint("", ""));
});

test("how long ago something was is said in words", () => {
  const now = Date.UTC(2026, 5, 15, 12);
  const said = (past: number, tag = "en") => ago(now - past, now, tag);
  assert.equal(said(0), "now");
  assert.equal(said(-5000), "now");
  assert.equal(said(59 * 60_000), "59 minutes ago");
  assert.equal(said(86_400_000), "yesterday");
  assert.equal(said(86_400_000, "de"), "gestern");
  assert.equal(said(20 * 86_400_000), "2 weeks ago");
  assert.equal(said(400 * 86_400_000), "May 11, 2025");
});

test("the square that is cut out stays within the picture", () => {
  const square = middle(400, 300);
  assert.deepEqual(square, { x: 50, y: 0, side: 300 });
  assert.deepEqual(moved(square, { x: -500, y: 20 }, 400, 300), { x: 0, y: 0, side: 300 });
  assert.deepEqual(moved(square, { side: 100 }, 400, 300), { x: 150, y: 100, side: 100 });
  assert.deepEqual(moved({ x: 390, y: 290, side: 10 }, { side: 9000 }, 400, 300), { x: 100, y: 0, side: 300 });
  assert.equal(moved(square, { side: 1 }, 400, 300).side, 32);
  assert.equal(moved({ x: 0, y: 0, side: 8 }, { side: 1 }, 8, 8).side, 8);
});

test("an address is broken before its server and after dots, and nothing of it is lost", () => {
  assert.deepEqual(joints("romeo.m@verona.example"), ["romeo.", "m", "@verona.", "example"]);
  for (const odd of ["", "@", "..@@..", "a@", "@b", "a.@b", "no joint", "光源氏@heian.example", "a..b@c"]) {
    assert.equal(joints(odd).join(""), odd);
  }
});
