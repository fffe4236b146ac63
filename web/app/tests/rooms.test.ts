// The logic of groups and channels.

import assert from "node:assert/strict";
import { test } from "node:test";

import "./browser";
import type { Member, Message, Room } from "../src/core/types";
import { speak } from "../src/i18n";
import { format } from "../src/route";
import { leads } from "../src/ui/chat/logic/links";
import { begun, fitting, named, namesUs } from "../src/ui/chat/logic/mentions";
import { counted, follows, whoOf } from "../src/ui/chat/logic/rows";
import { enterLink, parseEnter, parseLink, roomLink, uriOf } from "../src/ui/people/links";
import { memberCount, standing } from "../src/ui/people/room/words";
import { duration } from "../src/ui/duration";
import { reasonText } from "../src/ui/reason";
import { typingWords } from "../src/ui/typing";

const ROOM = "garden@conference.illyria.example";

function parts(text: string, own: string | null, others: string[]): string[] {
  return named(text, own, others).map((one) => (one.who ? `${one.who}:${one.text}` : one.text));
}

test("the own nickname is found as a word in any case, others only behind an @", () => {
  assert.deepEqual(parts("juliet, ask @Romeo!", "Juliet", ["Romeo"]), ["self:juliet", ", ask ", "other:@Romeo", "!"]);
  assert.deepEqual(parts("@Juliet: Romeo waits", "Juliet", ["Romeo"]), ["self:@Juliet", ": Romeo waits"]);
  assert.deepEqual(parts("Julieta and romeo@verona.example", "Juliet", ["verona"]), ["Julieta and romeo@verona.example"]);
  assert.deepEqual(parts("nobody", null, []), ["nobody"]);
  assert.deepEqual(parts("", "Juliet", []), [""]);
});

test("the longest name behind an @ is meant", () => {
  assert.deepEqual(parts("@Sir Toby Belch", null, ["Sir", "Sir Toby"]), ["other:@Sir Toby", " Belch"]);
  assert.deepEqual(parts("@Sirius", null, ["Sir"]), ["@Sirius"]);
});

test("a text is never changed by looking for names", () => {
  for (const text of ["İ @Juliet", "@".repeat(500), "👩‍👩‍👧 @👩‍👩‍👧 x", "@\u0000Juliet"]) {
    assert.equal(named(text, "Juliet", ["👩‍👩‍👧", "Romeo"]).map((one) => one.text).join(""), text);
  }
});

test("it names us under the conditions of the core", () => {
  assert.ok(namesUs("hey JULIET?", "Juliet"));
  assert.ok(!namesUs("Julieta", "Juliet"));
  assert.ok(!namesUs("Juliet", null));
  assert.ok(!namesUs("anything", "  "));
});

test("a name begins behind an @ at the beginning of a word", () => {
  assert.deepEqual(begun("hey @ro", 7), { from: 4, typed: "ro" });
  assert.deepEqual(begun("@", 1), { from: 0, typed: "" });
  assert.equal(begun("a@b", 3), null);
  assert.equal(begun("@romeo\nhello", 12), null);
  assert.equal(begun("@ romeo", 7), null);
  assert.equal(begun(`@${"x".repeat(60)}`, 61), null);
  assert.equal(begun("hey @ro", 4), null);
});

test("names that begin so come before names with such a word", () => {
  const all = ["Sir Toby", "Toby", "Olivia"].map((name) => ({ nick: name, name }));
  assert.deepEqual(fitting(all, "to", 8).map((one) => one.name), ["Toby", "Sir Toby"]);
  assert.equal(fitting(all, "", 2).length, 2);
});

function message(sender: string, nick: string | null, more: Partial<Message> = {}): Message {
  return {
    id: 1,
    place: "1",
    sender,
    nick,
    own: false,
    time: 1000,
    content: { is: "text", text: "hello", lines: [], action: false },
    encryption: { is: "none" },
    delivery: null,
    reached: [],
    reply: null,
    reactions: [],
    starred: false,
    versions: [],
    ...more,
  };
}

test("where a room hides addresses, people are told apart by their names", () => {
  assert.equal(whoOf({ sender: ROOM, nick: "Feste" }, ROOM), `${ROOM}/Feste`);
  assert.equal(whoOf({ sender: "romeo@verona.example", nick: "Romeo" }, ROOM), "romeo@verona.example");
  assert.ok(!follows(message(ROOM, "Feste"), message(ROOM, "Olivia"), null));
  assert.ok(follows(message(ROOM, "Feste"), message(ROOM, "Feste"), null));
  const reactions = ["Feste", "Olivia"].map((nick) => ({ sender: ROOM, nick, emoji: ["👍"], time: 1 }));
  const [one] = counted(message(ROOM, "Malvolio", { reactions }), "juliet@anemone.example", ROOM);
  assert.deepEqual(one?.senders, [`${ROOM}/Feste`, `${ROOM}/Olivia`]);
});

test("links to rooms are read and written", () => {
  assert.deepEqual(parseLink(roomLink(ROOM)), { is: "room", address: ROOM, password: null, name: null });
  assert.deepEqual(parseLink(`xmpp:${ROOM}?join;password=a%20b`), { is: "room", address: ROOM, password: "a b", name: null });
  assert.deepEqual(parseLink(`https://xmpp.example/#${ROOM}?join`), { is: "room", address: ROOM, password: null, name: null });
  assert.equal(parseLink(ROOM)?.is, "person");
  const join = (link: string) => leads(link)?.at === "join";
  assert.ok(join(`xmpp:${ROOM}?join`) && join(`xmpp:${ROOM}?join;password=x`));
  assert.ok(!join(`xmpp:${ROOM}`) && !join(`https://example.org/?join`) && !join("xmpp:a@b?joining"));
});

const MEMBER: Member = { nick: "Feste", address: null, affiliation: "none", role: "participant", hats: [] };

function room(more: Partial<Room>): Room {
  return {
    address: ROOM,
    name: "Gardens",
    subject: null,
    nick: "Juliet",
    state: { is: "in" },
    avatar: null,
    invitedBy: null,
    private: true,
    links: false,
    requests: [],
    asked: null,
    affiliation: "member",
    role: "participant",
    members: [MEMBER],
    ...more,
  };
}

test("groups have members, channels have whoever is here", () => {
  assert.equal(memberCount(room({})), "1 member");
  assert.equal(memberCount(room({ private: false, members: [MEMBER, MEMBER] })), "2 here");
});

test("what somebody is says no more than is of interest", () => {
  assert.equal(standing(MEMBER), "");
  assert.equal(standing({ ...MEMBER, affiliation: "owner", role: "moderator" }), "Owner");
  assert.equal(standing({ ...MEMBER, role: "moderator", hats: ["Fool"] }), "Moderator · Fool");
  assert.equal(standing({ ...MEMBER, role: "visitor" }), "Reads only");
});

test("why a room refuses is said in the language of the page, with what the room adds", async () => {
  await speak("de");
  assert.equal(reasonText("only members may enter; one of them can invite you"), "nur Mitglieder dürfen hinein; eines von ihnen kann dich einladen");
  assert.equal(reasonText("you were banned from the room: too much singing"), "du wurdest ausgeschlossen: too much singing");
  assert.equal(reasonText("something else"), "something else");
  await speak("en");
});

test("who is typing is named in groups, and goes without saying between two", async () => {
  const say = (...typing: string[]) => typingWords({ room: true, typing });
  assert.equal(say(), "");
  assert.equal(say("Anna"), "Anna is typing…");
  assert.equal(say("Anna", "Ben"), "Anna and Ben are typing…");
  assert.equal(say("Anna", "Ben", "Cem"), "Anna and 2 others are typing…");
  assert.equal(typingWords({ room: false, typing: ["Anna"] }), "typing…");
  await speak("de");
  assert.deepEqual([say("Anna"), say("Anna", "Ben"), say("Anna", "Ben", "Cem")], ["Anna schreibt …", "Anna und Ben schreiben …", "Anna und 2 andere schreiben …"]);
  await speak("en");
});

test("the secret of a link is nowhere in the address bar", () => {
  const place = leads("xmpp:garden@rooms.example.org?join;password=7d1e;name=Garden");
  assert.equal(place && format(place), "#/join/garden%40rooms.example.org");
  assert.equal(place?.at === "join" && place.link?.password, "7d1e");
});

test("a link to a group leads into it with its secret", () => {
  const link = "xmpp:garden@rooms.example.org?join;password=token%20604800%2F0";
  assert.deepEqual(parseLink(link), { is: "room", address: "garden@rooms.example.org", password: "token 604800/0", name: null });
  const page = enterLink("https://example.org", link, "Rosen; & Dornen 🌹/");
  const room = { is: "room", address: "garden@rooms.example.org", password: "token 604800/0", name: "Rosen; & Dornen 🌹/" } as const;
  assert.deepEqual(parseLink(page), room);
  assert.deepEqual(parseEnter(new URL(page).hash), room);
  assert.equal(new URL(page).pathname, "/", "no server sees it");
  assert.equal(uriOf(room), link);
  for (const hash of ["#/enter", "#/enter/garden@rooms.example.org", "#/enter/@/x", "#/enter/%E0%A4%A/x", "#/group/a@b/x"]) {
    assert.equal(parseEnter(hash), null, hash);
  }
  assert.match(reasonText("this link is not valid any more; ask for another one"), /ask for another/);
});

test("how long a link is good for is said in days, then in hours, then in minutes", () => {
  assert.deepEqual([604_799, 86_400, 7_100, 90, 1].map((seconds) => duration(seconds, "en")), ["7 days", "1 day", "2 hours", "2 minutes", "1 minute"]);
  assert.equal(duration(604_800, "de"), "7 Tage");
});
