// The logic of the conversation view.

import assert from "node:assert/strict";
import { test } from "node:test";

import "./browser";
import type { Line, Message, Span } from "../src/core/types";
import { named, photographs, shrinks } from "../src/ui/chat/logic/attach";
import { isEmoji, onlyEmoji } from "../src/ui/chat/logic/emoji";
import { box, clock, comesByItself, ending, kindOf, legible, moves as playsForEver, peaks, renamed, sized, typeOf, within } from "../src/ui/chat/logic/files";
import { anchorAt, Heights, rangeAt, scrolledTo } from "../src/ui/chat/logic/heights";
import { leads, opens, shown } from "../src/ui/chat/logic/links";
import { counted, dayOf, follows, GROUP, shape, toggled } from "../src/ui/chat/logic/rows";
import { blocks, direction, FOLD, folded, length, marked } from "../src/ui/chat/logic/text";
import { isPlain } from "../src/ui/chat/timeline/describe";
import { mayMove } from "../src/ui/kit/moving";
import { GROUPS, search } from "../src/ui/chat/emoji/data";

const NOON = new Date(2026, 5, 15, 12, 0).getTime();
const US = "juliet@example.org";
const THEY = "romeo@example.org";

function message(id: number, time: number, more: Partial<Message> = {}): Message {
  const own = more.own ?? false;
  return {
    id,
    place: String(time).padStart(15, "0"),
    sender: own ? US : THEY,
    nick: null,
    own,
    time,
    content: { is: "text", text: "hello", lines: [line("hello")], action: false },
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

function span(text: string): Span {
  return { text, strong: false, emphasis: false, strike: false, preformatted: false, link: null };
}

function line(text: string, quote = 0, preformatted = false): Line {
  return { quote, preformatted, spans: [span(text)] };
}

test("what has not left in an encrypted conversation is not called plain", () => {
  const is = (more: Partial<Message>) => isPlain(message(1, NOON, more));
  assert.equal(is({ own: true, delivery: { is: "queued" } }), false);
  assert.equal(is({ own: true, delivery: { is: "failed", reason: "cancelled" } }), false);
  assert.equal(is({ own: true, delivery: { is: "sent" } }), true);
  assert.equal(is({}), true);
  const encryption = { is: "omemo", device: 1, trust: "blind" } as const;
  assert.equal(is({ own: true, delivery: { is: "sent" }, encryption }), false);
});

test("pictures in which cameras note the place are known", () => {
  for (const type of ["image/jpeg", "image/heic", "image/tiff", "image/png"]) assert.ok(photographs(type), type);
  for (const type of ["image/gif", "image/svg+xml", "video/mp4", "text/plain"]) assert.ok(!photographs(type), type);
});

test("messages of one sender within a short time belong together", () => {
  const all = [
    message(1, NOON),
    message(2, NOON + GROUP - 1),
    message(3, NOON + GROUP, { own: true }),
    message(4, NOON + 3 * GROUP, { own: true }),
  ];
  assert.deepEqual(
    all.map((_, index) => {
      const { first, last } = shape(all, index, null);
      return [first, last];
    }),
    [[true, false], [false, true], [true, true], [true, true]],
  );
});

test("the unread line, a new day and what happened part messages", () => {
  const [a, b] = [message(1, NOON), message(2, NOON + 1000)];
  assert.ok(follows(a, b, null));
  assert.ok(!follows(a, b, 2));
  assert.ok(follows(a, b, 1));
  const midnight = new Date(2026, 5, 16).getTime();
  assert.ok(!follows(message(1, midnight - 1000), message(2, midnight + 1000), null));
  assert.ok(!follows(message(1, NOON, { content: { is: "gap" } }), b, null));
  const action: Message["content"] = { is: "text", text: "/me waves", lines: [line("waves")], action: true };
  assert.ok(!follows(a, message(2, NOON, { content: action }), null));
});

test("a day is named above its first message only", () => {
  const midnight = new Date(2026, 5, 16).getTime();
  const all = [message(1, midnight - 1000), message(2, midnight), message(3, midnight + 5000)];
  assert.deepEqual(
    all.map((_, index) => shape(all, index, null).day),
    [new Date(2026, 5, 15).getTime(), midnight, null],
  );
  assert.equal(dayOf(midnight + 12 * 3_600_000), midnight);
});

test("reactions are counted and toggled as a whole set", () => {
  const one = message(1, NOON, {
    reactions: [
      { sender: THEY, nick: null, emoji: ["👍", "❤️"], time: 2 },
      { sender: US, nick: null, emoji: ["👍"], time: 3 },
    ],
  });
  assert.deepEqual(
    counted(one, US, THEY).map(({ emoji, senders, own }) => [emoji, senders.length, own]),
    [["👍", 2, true], ["❤️", 1, false]],
  );
  assert.deepEqual(toggled(one, US, "👍"), []);
  assert.deepEqual(toggled(one, US, "😂"), ["👍", "😂"]);
});

test("heights: sums, look-ups and measurements agree with a plain list", () => {
  const heights = new Heights();
  const plain = Array.from({ length: 257 }, (_, index) => 20 + ((index * 37) % 90));
  heights.set(plain.map((_, index) => index + 1000), (index) => plain[index] ?? 0);
  const check = () => {
    let sum = 0;
    for (let index = 0; index < plain.length; index++) {
      assert.equal(heights.offset(index), sum);
      assert.equal(heights.at(sum), index);
      assert.equal(heights.at(sum + (plain[index] ?? 0) - 0.5), index);
      sum += plain[index] ?? 0;
    }
    assert.equal(heights.total, sum);
    assert.equal(heights.at(sum + 1000), plain.length - 1);
    assert.equal(heights.at(-5), 0);
  };
  check();
  for (const [index, height] of [[0, 300], [128, 1], [256, 77], [63, 64]] as const) {
    assert.equal(heights.measure(index, height), height - (plain[index] ?? 0));
    plain[index] = height;
    check();
  }
});

test("heights: what was measured stays when rows come before, after and between, or go", () => {
  const heights = new Heights();
  heights.set([10, 11, 12], () => 50);
  heights.measure(1, 80);
  heights.set([8, 9, 10, 11, 12, 13], () => 50);
  assert.equal(heights.offset(4), 50 * 3 + 80);
  assert.equal(heights.total, 50 * 5 + 80);
  heights.set([8, 9, 10, 12, 13], () => 50);
  assert.equal(heights.total, 250);
  heights.set([8, 9, 10, 11, 12, 13], () => 50);
  assert.equal(heights.total, 330, "the measured height is remembered");
  heights.set([], () => 50);
  assert.equal(heights.total, 0);
  assert.equal(heights.at(10), -1);
  assert.equal(heights.index(11), -1);
});

test("a hundred thousand rows are set and changed without noticeable time", () => {
  const heights = new Heights();
  const ids = Array.from({ length: 100_000 }, (_, index) => index + 1);
  heights.set(ids, () => 60);
  for (let index = 0; index < 100_000; index++) heights.measure(index, 40 + (index % 50));
  assert.equal(heights.total, Array.from({ length: 100_000 }, (_, i) => 40 + (i % 50)).reduce((a, b) => a + b));
  assert.equal(heights.index(99_999, 99_998), 99_998);
});

test("only rows near what is in sight are drawn", () => {
  const heights = new Heights();
  heights.set(Array.from({ length: 1000 }, (_, index) => index), () => 50);
  const range = rangeAt(heights, 25_000, 800, 1000);
  assert.equal(range.start, 480);
  assert.equal(range.end, 537);
  assert.deepEqual(rangeAt(heights, 0, 800, 1000), { start: 0, end: 37 });
  const tiny = new Heights();
  tiny.set(Array.from({ length: 1000 }, (_, index) => index), () => 4);
  const bounded = rangeAt(tiny, 2000, 800, 1000);
  assert.ok(bounded.end - bounded.start <= 120 && bounded.start <= 500 && bounded.end > 500);
  assert.deepEqual(rangeAt(new Heights(), 0, 800, 1000), { start: 0, end: 0 });
});

test("what the reader looks at stays where it is while all around it changes", () => {
  const heights = new Heights();
  heights.set([1, 2, 3, 4, 5, 6, 7, 8], () => 100);
  const anchor = anchorAt(heights, 250, 300);
  assert.deepEqual(anchor, { id: 4, near: 3, top: 50 });
  if (!anchor) return;
  heights.measure(0, 170); // A picture above got its size.
  assert.equal(scrolledTo(heights, anchor), 320);
  heights.set([-2, -1, 0, 1, 2, 3, 4, 5, 6, 7, 8], () => 100); // Older ones came.
  assert.equal(scrolledTo(heights, anchor), 620);
  heights.measure(9, 500); // Below, it does not matter.
  assert.equal(scrolledTo(heights, anchor), 620);
  heights.set([-2, -1, 0], () => 100);
  assert.equal(scrolledTo(heights, anchor), null);
});

test("a message that fills what is in sight is its own anchor", () => {
  const heights = new Heights();
  heights.set([1, 2], () => 2000);
  assert.deepEqual(anchorAt(heights, 300, 600), { id: 1, near: 0, top: -300 });
  assert.equal(anchorAt(new Heights(), 0, 600), null);
});

test("only emoji", () => {
  assert.equal(onlyEmoji("🌹"), 1);
  assert.equal(onlyEmoji("😀 😀"), 2);
  assert.equal(onlyEmoji("❤️"), 1);
  assert.equal(onlyEmoji("👨‍👩‍👧‍👦🏳️‍🌈👍🏽"), 3);
  assert.equal(onlyEmoji("🇩🇪"), 1);
  assert.equal(onlyEmoji("5️⃣"), 1);
  for (const text of ["", " ", "a", "😀a", "5", "#", "©", "™", "❤", "👍👍👍👍👍👍👍", "5😀", "\u200D", "😀\u0301\u0301"]) {
    assert.equal(onlyEmoji(text), 0, JSON.stringify(text));
  }
  assert.ok(isEmoji("👍🏽") && !isEmoji("👍👍") && !isEmoji(" 👍"));
});

test("a link says where it leads", () => {
  const host = (text: string, link = text) => shown(text, link).host;
  assert.equal(host("https://example.org/path?x=1#y"), null);
  assert.equal(host("https://EXAMPLE.org"), null);
  assert.equal(host("http://example.org:80/"), null);
  assert.equal(host("https://example.org:8443/"), null);
  assert.equal(host("https://аpple.com/"), "xn--pple-43d.com");
  assert.equal(host("https://bücher.example"), "xn--bcher-kva.example");
  assert.equal(host("https://paypal.example@evil.example/login"), "evil.example");
  assert.equal(host("https://evil.example\\@paypal.example/"), "evil.example");
  assert.equal(host("example.org", "https://example.org/"), null);
  assert.equal(host("click here", "https://evil.example/"), "evil.example");
  assert.equal(host("mailto:a@b.example"), null);
  assert.equal(shown("https://example.org/" + "a".repeat(900), "https://example.org/" + "a".repeat(900)).text.length, 153);
});

test("only harmless schemes are opened", () => {
  for (const link of ["https://a.example", "mailto:a@b.example", "tel:+123", "xmpp:a@b.example", "geo:1,2"]) assert.ok(opens(link));
  for (const link of ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "blob:x", "", "//x"]) assert.ok(!opens(link));
});

test("links to people and rooms stay in the app", () => {
  const romeo = { at: "chat", address: "romeo@example.org", message: null };
  const keys = `xmpp:romeo@example.org?message;omemo-sid-7=${"ab".repeat(32)}`;
  for (const link of ["xmpp:romeo@example.org", "xmpp:Romeo@Example.org?message", "XMPP:romeo@example.org?roster", "xmpp:romeo@example.org/phone", "xmpp:romeo@example.org?roster;preauth=x;ibr=y", keys]) {
    assert.deepEqual(leads(link), romeo, link);
  }
  assert.deepEqual(leads("xmpp:masque@rooms.example.org?join"), {
    at: "join",
    address: "masque@rooms.example.org",
    link: { is: "room", address: "masque@rooms.example.org", password: null, name: null },
  });
  assert.equal(leads("https://elsewhere.example/#/enter/masque@rooms.example.org/7d1e"), null, "the page of another server is a page");
  for (const link of ["xmpp:%E0%A4%A", "xmpp:", "https://romeo@example.org", "https://example.org/?join", "mailto:romeo@example.org"]) {
    assert.equal(leads(link), null, link);
  }
});

test("lines become blocks, without empty ones around them", () => {
  const all = blocks([line(""), line("a"), line("b"), line("q", 1), line("r", 9), line("code", 0, true), line(""), line(" ")]);
  assert.deepEqual(
    all.map((one) => [one.quote, one.preformatted, one.lines.length]),
    [[0, false, 2], [1, false, 1], [4, false, 1], [0, true, 1]],
  );
  assert.equal(blocks([line(""), line("")]).length, 1);
  assert.deepEqual(blocks([]), []);
});

test("giant texts are folded, others are not", () => {
  const giant = [line("x".repeat(50_000))];
  const cut = folded(giant, FOLD.characters, FOLD.lines);
  assert.ok(cut.cut);
  assert.ok(length(cut.lines) <= FOLD.characters + 2);
  const many = Array.from({ length: 500 }, () => line("y"));
  assert.equal(folded(many, FOLD.characters, FOLD.lines).lines.length, FOLD.lines);
  assert.deepEqual(folded([line("short")], FOLD.characters, FOLD.lines), { lines: [line("short")], cut: false });
  const whole = folded([line("😀".repeat(2000))], 1601, 24).lines[0]?.spans[0]?.text ?? "";
  assert.ok(whole.isWellFormed(), "no character is torn apart");
});

test("the direction of a text is that of its first letter", () => {
  assert.equal(direction("hello مرحبا"), "ltr");
  assert.equal(direction("123 مرحبا hello"), "rtl");
  assert.equal(direction("שלום"), "rtl");
  assert.equal(direction("123 😀"), null);
});

test("what is searched for stands out, whatever it consists of", () => {
  assert.deepEqual(marked("The Wall, the wall", "wall").filter((part) => part.found).map((part) => part.text), ["Wall", "wall"]);
  assert.equal(marked("a.b*c (d)", "b*c (d)").map((part) => part.text).join(""), "a.b*c (d)");
  assert.deepEqual(marked("text", " "), [{ text: "text", found: false }]);
  assert.deepEqual(marked("a-b", "a-b"), [{ text: "a-b", found: true }]);
});

test("types that may carry a program are never drawn", () => {
  const kind = (name: string, mediaType: string | null) => kindOf({ name, mediaType });
  assert.equal(kind("a.svg", "image/svg+xml"), "other");
  assert.equal(kind("a.png", "image/svg+xml"), "other");
  assert.equal(kind("a.html", "text/html"), "other");
  assert.equal(kind("a.xml", null), "other");
  assert.equal(kind("a.PNG", null), "picture");
  assert.equal(kind("a", "IMAGE/JPEG; q=1"), "picture");
  assert.equal(kind("voice.ogg", "application/octet-stream"), "audio");
  assert.equal(kind("a.mp4", "video/mp4"), "video");
  assert.equal(typeOf({ name: "x", mediaType: null }), "application/octet-stream");
});

test("names of files cannot pretend to be others", () => {
  assert.equal(legible("\u202Egpj.exe"), "gpj.exe");
  assert.equal(legible("a\u0000\n\u2066b"), "ab");
  assert.equal(legible("\u202E"), "?");
  assert.equal(ending("report.final.pdf"), "PDF");
  assert.equal(ending("none"), "");
  assert.equal(renamed("photo.heic", "jpg"), "photo.jpg");
});

test("sizes, times and boxes", () => {
  assert.equal(sized(999, "en"), "999 bytes");
  assert.equal(sized(1_234_567, "en"), "1.2 MB");
  assert.equal(sized(-1, "en"), "0 bytes");
  assert.equal(clock(0), "0:00");
  assert.equal(clock(61.9), "1:01");
  assert.equal(clock(3661), "1:01:01");
  assert.equal(clock(Infinity), "0:00");
  assert.deepEqual(box(0, 0, 300), { width: 300, height: 225 });
  for (const [width, height] of [[1, 10_000], [10_000, 1], [8, 8], [4000, 3000]] as const) {
    const place = box(width, height, 300);
    assert.ok(place.width >= 100 && place.width <= 330 && place.height >= 50 && place.height <= 360, JSON.stringify(place));
  }
  assert.deepEqual(within(4000, 3000, 2048), { width: 2048, height: 1536 });
  assert.deepEqual(within(10, 1, 2048), { width: 10, height: 1 });
});

test("the loudness of a sound", () => {
  const samples = new Float32Array(4200).map((_, index) => (index < 2100 ? 0 : 0.5));
  const bars = peaks(samples, 42);
  assert.equal(bars.length, 42);
  assert.equal(bars[0], 0);
  assert.equal(bars[41], 1);
  assert.deepEqual(peaks(new Float32Array(0), 2), [0, 0]);
});

test("pictures that move are told by their bytes", () => {
  const bytes = (text: string) => Uint8Array.from(text, (c) => c.charCodeAt(0));
  const chunk = (name: string, content = "") => `\0\0\0${String.fromCharCode(content.length)}${name}${content}crc.`;
  const png = (...chunks: string[]) => bytes(`\x89PNG\r\n\x1a\n${chunk("IHDR", "13 bytes here")}${chunks.join("")}`);
  assert.ok(mayMove(bytes("GIF89a")));
  assert.ok(mayMove(bytes("RIFF....WEBPVP8X....\x02")));
  assert.ok(!mayMove(bytes("RIFF....WEBPVP8X....\x10")));
  assert.ok(!mayMove(bytes("RIFF....WEBPVP8L....\x02")));
  assert.ok(mayMove(png(chunk("tEXt", "a word"), chunk("acTL"), chunk("IDAT"))));
  assert.ok(!mayMove(png(chunk("IDAT", "with acTL in it"), chunk("acTL"))));
  assert.ok(!mayMove(png()));
  assert.ok(mayMove(bytes("....ftypavis")));
  assert.ok(!mayMove(bytes("....ftypavif")));
  assert.ok(!mayMove(bytes("\xff\xd8\xff\xe0..JFIF")));
  assert.ok(!mayMove(new Uint8Array()));
});

test("pictures that can be made smaller, and names of those that have none", () => {
  assert.ok(shrinks("image/jpeg") && !shrinks("image/svg+xml") && !shrinks("image/gif"));
  const time = new Date(2026, 10, 28, 9, 5, 7);
  assert.equal(named("image.png", "image/png", time), "picture-2026-11-28-090507.png");
  assert.equal(named("garden.png", "image/png", time), "garden.png");
});

test("emoji: each once, each drawable, found by name in both languages", () => {
  const all = GROUPS.flatMap((group) => group.emoji);
  assert.ok(all.length > 400);
  const seen = new Set<string>();
  for (const { emoji, names } of all) {
    assert.ok(isEmoji(emoji), `${emoji} is one emoji`);
    assert.ok(!seen.has(emoji), `${emoji} is there once`);
    assert.ok(names.en && names.de, `${emoji} has names`);
    seen.add(emoji);
  }
  assert.ok(search("hear").some((one) => one.emoji === "❤️"));
  assert.ok(search("rotes herz").some((one) => one.emoji === "❤️"));
  assert.deepEqual(search("qqqq"), []);
});

test("only small pictures and sounds come by themselves, and where somebody wants that", () => {
  const file = (size: number | null, mediaType: string) => ({
    name: "a", size, mediaType, uploaded: true, local: null, length: null, picture: null,
  });
  const small = file(900_000, "image/png");
  const comes = (one: typeof small, where: "always" | "unmetered" | "never", network?: Parameters<typeof comesByItself>[2]) =>
    comesByItself(one, where, network, false);
  assert.ok(comes(small, "always"));
  assert.ok(!comes(small, "never"));
  assert.ok(comes(file(40_000, "audio/ogg"), "always"), "a voice message");
  assert.ok(!comes(small, "unmetered"), "nobody knows what network it is");
  assert.ok(comes(small, "unmetered", { type: "wifi", saveData: false }));
  assert.ok(!comes(small, "unmetered", { type: "cellular" }));
  assert.ok(!comes(small, "unmetered", { saveData: true }));
  assert.ok(!comes(small, "unmetered", { type: "wifi", saveData: true }));
  for (const other of [file(1_000_001, "image/png"), file(null, "image/png"), file(10, "video/mp4"), file(10, "application/pdf")]) {
    assert.ok(!comes(other, "always"));
  }
  for (const where of ["always", "unmetered"] as const) assert.ok(!comesByItself(small, where, undefined, true), "of strangers");
});

test("what moves by itself stands still beside what is read", () => {
  assert.ok(playsForEver("image/gif", false) && playsForEver("image/gif", true));
  assert.ok(!playsForEver("image/webp", false) && playsForEver("image/webp", true));
  assert.ok(!playsForEver("image/jpeg", true) && playsForEver("image/png", true) && !playsForEver("image/png", false));
});
