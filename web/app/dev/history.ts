// What the people of the sample said.

import type { Happened, Content, Line, Message, Reached, Span } from "../src/core/types";
import { ME, type Person } from "./people";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** A short way to write a message down. */
interface Said {
  /** Whose: "me", "they", or in a room the place of who wrote in its list; the same again when absent. */
  by?: "me" | "they" | number;
  /** Minutes before the end of the conversation. */
  at: number;
  text?: string;
  content?: Content;
  more?: Partial<Message>;
}

/** What happened in a room, so many minutes ago. */
function happenings(ago: number, all: readonly (readonly [string | null, Happened])[]): Content {
  const time = Date.now() - ago * MINUTE;
  return { is: "room", happenings: all.map(([address, what]) => ({ time, nick: null, address, what })) };
}

let lastId = 0;

/** The messages of one conversation, oldest first. */
export function history(person: Person, length: number): Message[] {
  const end = Date.now() - person.ago * MINUTE;
  if (person.address.startsWith("bench@")) return long(person, length, end);
  const script = SCRIPTS[person.address.split("@")[0] ?? ""] ?? [];
  const last: Said[] = person.last
    ? [{ by: person.own ? "me" : "they", at: 0, text: person.last, more: delivered(person) }]
    : [];
  let by: "me" | "they" | number = "they";
  const made: Message[] = [];
  for (const said of [...script, ...last]) {
    by = said.by ?? by;
    made.push(message({ ...person, ...inRoom(person, by) }, by === "me", end - said.at * MINUTE, said, made));
  }
  return made;
}

/** Who wrote it in a room, and what the room calls them. */
function inRoom(person: Person, by: "me" | "they" | number): { address?: string; nick?: string } {
  const one = typeof by === "number" ? person.room?.people[by] : undefined;
  if (one === undefined) return person.room ? { nick: "Juliet" } : {};
  const name = one.split("@")[0] ?? one;
  if (!one.includes("@")) return { nick: one };
  return { address: one, nick: name.charAt(0).toUpperCase() + name.slice(1) };
}

/** A new message of a person or of this account. */
function reached(device: number | null, delivered: number, read: number | null): Reached {
  return { device, program: device === null ? "Conversations" : "Clownfish", delivered, read };
}

export function message(
  person: { address: string; nick?: string; plain?: boolean; verified?: boolean; room?: unknown },
  own: boolean,
  time: number,
  said: { text?: string; content?: Content; more?: Partial<Message> },
  before: readonly Message[] = [],
): Message {
  lastId += 1;
  const made: Message = {
    id: lastId,
    place: `${String(time).padStart(15, "0")}-${String(lastId).padStart(9, "0")}`,
    sender: own ? ME : person.address,
    nick: person.nick ?? null,
    own,
    time,
    content: said.content ?? text(said.text ?? ""),
    encryption: person.plain
      ? { is: "none" }
      : { is: "omemo", device: own ? 31415 : 27182, trust: person.verified ? "verified" : "blind" },
    delivery: own ? { is: "read" } : null,
    reached: own && !person.room ? [reached(27182, time + 1_000, time + 60_000), reached(null, time + 5_000, null)] : [],
    reply: null,
    reactions: [],
    starred: false,
    versions: [],
    ...said.more,
  };
  // A reply names what it answers by how far back it is.
  if (made.reply && made.reply.message !== null && made.reply.message < 0) {
    const answered = before[before.length + made.reply.message];
    made.reply = { ...made.reply, message: answered?.id ?? null };
  }
  return made;
}

export function text(written: string): Content {
  const action = written.startsWith("/me ");
  const shown = action ? written.slice(4) : written;
  return { is: "text", text: written, lines: lines(shown), action };
}

/** Styling and links, near enough to XEP-0393 for a sample. */
export function lines(shown: string): Line[] {
  let code = false;
  const made: Line[] = [];
  for (const line of shown.split("\n")) {
    if (line === "```") {
      code = !code;
      continue;
    }
    const quote = code ? 0 : (/^(>\s?)+/.exec(line)?.[0].replace(/\s/g, "").length ?? 0);
    const rest = quote ? line.replace(/^(>\s?)+/, "") : line;
    made.push({ quote, preformatted: code, spans: code ? [span(rest)] : spans(rest) });
  }
  return made;
}

function spans(line: string): Span[] {
  return line
    .split(/(https?:\/\/\S+|\*\S[^*]*\*|_\S[^_]*_|~\S[^~]*~|`[^`]+`)/u)
    .filter((part) => part !== "")
    .map((part) => {
      if (/^https?:/.test(part)) return { ...span(part), link: part };
      const inside = part.slice(1, -1);
      if (part.length > 2 && part[0] === part[part.length - 1]) {
        if (part[0] === "*") return { ...span(inside), strong: true };
        if (part[0] === "_") return { ...span(inside), emphasis: true };
        if (part[0] === "~") return { ...span(inside), strike: true };
        if (part[0] === "`") return { ...span(inside), preformatted: true };
      }
      return span(part);
    });
}

function span(text: string): Span {
  return { text, strong: false, emphasis: false, strike: false, preformatted: false, link: null };
}

function file(name: string, mediaType: string, size: number, local: boolean, caption: string | null = null): Content {
  return { is: "file", caption, lines: lines(caption ?? ""), file: { name, size, mediaType, uploaded: true, local: local ? `sample:${name}` : null, length: null, picture: null } };
}

const LINES = [
  "But, soft! what light through yonder window breaks?",
  "It is the east, and Juliet is the sun.",
  "Arise, fair sun, and kill the envious moon",
  "ok",
  "What’s in a name? that which we call a rose by any other name would smell as sweet; so Romeo would, were he not Romeo call’d, retain that dear perfection which he owes without that title.",
  "👍",
  "With love’s light wings did I o’er-perch these walls",
  "*Good night*, good night! Parting is such _sweet sorrow_",
  "https://verona.example/balcony",
  "Ja, morgen um neun im Garten.\nUnd bring die Leiter mit.",
];

function long(person: Person, length: number, end: number): Message[] {
  const made: Message[] = [];
  for (let i = 0; i < length; i++) {
    const own = (i * 7) % 13 < 6;
    const time = end - (length - 1 - i) * 4 * MINUTE;
    const line = LINES[(i * 31) % LINES.length] ?? "";
    const content = i % 97 === 5 ? file(`picture-${i % 7}.png`, "image/png", 240_000, true) : text(`${i}: ${line}`);
    made.push(message(person, own, time, i === length - 1 ? { text: person.last ?? "" } : { content }));
  }
  return made;
}

const giant = "A giant text. ".repeat(900);
const bidi = "‮This line was turned round‬ and ‏this is the rest ⁦of it⁩";
const zalgo = "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́Ǫ̵̹̻̝̳͂̌̌͘!͖̬̰̙̗̿̋ͥͥ̂ͣ̐́́͜͞ ".repeat(12);

const SCRIPTS: Record<string, Said[]> = {
  masque: [
    { by: 1, at: 1440 + 95, text: "Gentle friends, we must have you dance" },
    { by: 0, at: 1440 + 90, text: "Not I, believe me. You have dancing shoes with nimble soles" },
    { at: 1440 + 90, text: "I have a soul of lead", more: { starred: true } },
    { by: 1, at: 1440 + 84, text: "You are a lover: borrow Cupid’s wings 🪽", more: { reactions: [{ sender: "benvolio@verona.example", nick: "Benvolio", emoji: ["😂"], time: Date.now() - DAY }, { sender: ME, nick: null, emoji: ["😂"], time: Date.now() - DAY }] } },
    { by: "me", at: 1440 + 60, text: "Who brings the torches?" },
    { by: 0, at: 1440 + 58, text: "Give me a torch: I am not for this ambling. Being but heavy, I will bear the light.", more: { reply: { author: ME, message: -1, quote: "Who brings the torches?" } } },
    { by: 3, at: 300, text: "Madam, the guests are come, supper served up, and everything in extremity" },
    { by: "me", at: 240, text: "@Benvolio are the masks ready?" },
    { at: 200, content: happenings(200, [["romeo@verona.example", { is: "joined" }], ["nurse@anemone.example", { is: "joined" }], ["tybalt@capulet.example", { is: "joined" }], ["tybalt@capulet.example", { is: "removed" }], ["romeo@verona.example", { is: "affiliation", affiliation: "admin" }], [null, { is: "subject", subject: "Saturday at the Capulets’" }]]) },
    { by: 2, at: 32, text: "They are. Away, be gone, the sport is at the best" },
    { by: 1, at: 16, content: file("masks.png", "image/png", 310_200, true) },
    { at: 15, text: "This one is for Tybalt 😈" },
    { by: 2, at: 5, text: "@Juliet will you be on the balcony at nine?" },
  ],
  garden: [
    { by: 3, at: 400, text: "The box tree is trimmed. Please nobody hide in it." },
    { by: 1, at: 300, text: "Many a good hanging prevents a bad marriage; and for turning away, let summer bear it out" },
    { by: 2, at: 200, text: "Dost thou think, because thou art virtuous, there shall be no more cakes and ale? https://illyria.example/cakes" },
    { by: 0, at: 90, text: "Some are born great, some achieve greatness" },
  ],
  players: [
    { by: "they", at: 0, content: { is: "invited", by: "benedick@messina.example", reason: "We need a Juliet on Friday" } },
  ],
  romeo: [
    { by: "me", at: 3 * 1440 + 90, text: "Hello Romeo 👋" },
    { by: "they", at: 3 * 1440 + 80, text: "Juliet! I am *so* glad that you are here.\nThis works without anybody’s phone number." },
    { by: "me", at: 3 * 1440 + 79, text: "And nobody in between can read it", more: { starred: true } },
    { by: "they", at: 2 * 1440 + 300, content: { is: "newDevice", owner: "romeo@verona.example", device: 16180, key: "5f".repeat(32), trusted: true } },
    { by: "they", at: 2 * 1440 + 290, text: "Got a new phone. Same me." },
    { at: 2 * 1440 + 289, content: { is: "undecryptable", why: "notForThisDevice" } },
    { by: "me", at: 2 * 1440 + 280, text: "What was that?", more: { reply: { author: "romeo@verona.example", message: -1, quote: null } } },
    { by: "they", at: 1440 + 200, content: file("garden.png", "image/png", 482_113, true, "The garden this morning") },
    { by: "me", at: 1440 + 198, text: "Beautiful! 😍", more: { reactions: [{ sender: "romeo@verona.example", nick: null, emoji: ["❤️"], time: Date.now() - DAY }] } },
    { at: 1440 + 197, text: "Is that the wall you climbed over?", more: { starred: true, versions: [{ until: Date.now() - DAY, text: "Is that the wall you climed over?" }] } },
    { by: "they", at: 1440 + 190, text: "With love’s light wings 🕊️", more: { reply: { author: ME, message: -1, quote: "Is that the wall you climbed over?" }, reactions: [{ sender: ME, nick: null, emoji: ["😂", "❤️"], time: Date.now() - DAY }] } },
    { at: 1440 + 189, content: { is: "retracted" } },
    { by: "me", at: 310, content: file("voice-message.ogg", "audio/ogg", 41_200, true) },
    { by: "they", at: 300, content: file("sonnets.pdf", "application/pdf", 1_840_112, false) },
    { at: 299, text: "/me climbs over the wall" },
    { by: "me", at: 60, text: "I wrote you a list:\n> Who is already sick and pale with grief\n\n1. `rope ladder`\n2. a ~lantern~ torch\n3. https://verona.example/orchard/map?zoom=17&gate=east\n```\nif moon.is_up() {\n    wait();\n}\n```" },
    { at: 58, text: "And do not be late ⏰", more: { delivery: { is: "delivered" } } },
    { by: "they", at: 4, text: "I am already there" },
    { at: 3, text: "🌹" },
    { at: 0, text: "Look out of your window!" },
  ],
  nurse: [
    { by: "they", at: 120, text: "My lady, your mother is looking for you" },
    { by: "me", at: 100, text: "Tell her I am asleep 😴", more: { delivery: { is: "read" } } },
    { by: "they", at: 1, text: "She does not believe me" },
    { by: "me", at: 0, text: "By and by, I come!", more: { delivery: { is: "sent" } } },
  ],
  hostile: [
    { by: "they", at: 60, text: "<img src=x onerror=alert(1)> & <a href='javascript:alert(2)'>press me</a>" },
    { at: 59, text: bidi },
    { at: 58, text: zalgo },
    { at: 57, text: giant },
    { at: 56, text: "W".repeat(3000) },
    { at: 55, text: "\u0000\u0007\u001b[31mred\u001b[0m\u2028next\u2029last\uFEFF\uFFFE" },
    { at: 54, content: file("‮gnp.exe", "application/x-msdownload", 66_666, false) },
    { at: 53, content: file("../../../etc/passwd", "image/svg+xml", null as unknown as number, false) },
    { at: 52, content: { is: "undecryptable", why: "forged" } },
    { at: 51, text: "\n\n\n\n\n\n" },
  ],
  viola: [
    { by: "they", at: 90, content: { is: "gap" } },
    { at: 89, content: { is: "undecryptable", why: "noSession" } },
    { at: 88, content: { is: "undecryptable", why: "distrusted" } },
    { at: 80, text: "This one came in the open", more: { encryption: { is: "none" } } },
    { by: "me", at: 79, text: "And so did the answer, which was changed", more: { encryption: { is: "none" }, versions: [{ until: Date.now() - 70 * MINUTE, text: "And so did the anser" }] } },
    { by: "they", at: 78, content: { is: "newDevice", owner: "viola@illyria.example", device: 16180, key: "5f".repeat(32), trusted: false } },
    { at: 70, content: file("shipwreck.jpg", "image/jpeg", 4_820_113, false) },
    { at: 69, content: file("a-play-in-five-acts-with-a-very-long-name.mp4", "video/mp4", 24_820_113, false, "Act one") },
    { at: 68, content: file("willow-cabin.mp3", "audio/mpeg", 3_820_113, false) },
    { at: 60, text: "Dear lad, believe it", more: { reactions: ["a", "b", "c", "d"].map((name, i) => ({ sender: `${name}@illyria.example`, nick: null, emoji: ["👍", "❤️", "😂", "🎉", "🦋"].slice(0, i + 2), time: Date.now() })) } },
    { at: 50, text: "See https://illyria.example/ or https://аpple.com/ or https://duke.example@count.example/pay" },
    { at: 49, text: "😀😀" },
    { at: 48, text: "😀😀😀😀😀" },
    { at: 47, text: "مرحبا بك\nhello there\n> نص مقتبس\n> quoted" },
    { at: 40, content: { is: "optOut", reason: "my ship has no keys" } },
  ],
  ophelia: [
    { by: "me", at: 20, content: file("the-mousetrap.mp4", "video/mp4", 724_820_113, true), more: { delivery: { is: "failed", reason: "the server takes files of up to 104857600 bytes" } } },
  ],
  laurence: [
    { by: "they", at: 30, text: "Wisely and slow; they stumble that run fast." },
    { by: "me", at: 2, text: "Waiting for the network", more: { delivery: { is: "queued" } } },
  ],
};

/** How far the last message got, where it did not get far. */
function delivered(person: Person): Partial<Message> {
  if (person.failed) return { delivery: { is: "failed", reason: "Ophelia’s server cannot be reached" } };
  if (person.keyless) return { delivery: { is: "queued" }, encryption: { is: "none" } };
  return {};
}
