// Who is in the sample: people of old plays and tales.

import type { Contact, Mute, Presence } from "../src/core/types";

export interface Person {
  address: string;
  name: string;
  presence?: Presence;
  status?: string;
  /** Nobody looks, since so many minutes. */
  idle?: number;
  picture?: boolean;
  unread?: number;
  pinned?: boolean;
  mute?: Mute;
  draft?: string;
  typing?: boolean;
  /** Has not opened an app that encrypts. */
  keyless?: boolean;
  /** A stranger: asks, and is no contact. */
  stranger?: boolean;
  asks?: boolean;
  asked?: boolean;
  blocked?: boolean;
  plain?: boolean;
  verified?: boolean;
  /** One of their devices has no usable keys. */
  outdated?: boolean;
  /** It is a room. */
  room?: { open?: boolean; subject?: string; invitedBy?: string; people: readonly string[] };
  mentions?: number;
  /** Minutes since the last message. */
  ago: number;
  /** The last text, if there is no script for them. */
  last?: string;
  own?: boolean;
  failed?: boolean;
}

const HOUR = 60;
const DAY = 24 * HOUR;

export const ME = "juliet@anemone.example";

export const PEOPLE: readonly Person[] = [
  { address: "romeo@verona.example", name: "Romeo", presence: "available", status: "Under the balcony", picture: true, unread: 3, pinned: true, ago: 2, verified: true },
  { address: "masque@conference.anemone.example", name: "The masque", unread: 4, mentions: 1, ago: 5, room: { subject: "Saturday at the Capulets’", people: ["romeo@verona.example", "mercutio@verona.example", "benvolio@verona.example", "nurse@anemone.example"] } },
  { address: "nurse@anemone.example", name: "Nurse", presence: "away", picture: true, pinned: true, ago: 47, typing: true },
  { address: "bench@anemone.example", name: "The long scroll", ago: 12, presence: "available", last: "The end of a very long conversation" },
  { address: "mercutio@verona.example", name: "Mercutio", presence: "chat", picture: true, unread: 12, mute: { is: "forever" }, ago: 18, last: "A plague o’ both your houses! 😂" },
  { address: "beatrice@messina.example", name: "Beatrice", outdated: true, presence: "busy", picture: true, ago: 65, draft: "I had rather hear my dog bark at a crow than", last: "See you at the masque tonight?" },
  { address: "garden@conference.illyria.example", name: "Gardens of Illyria", ago: 90, plain: true, room: { open: true, people: ["Malvolio", "Feste", "Sir Toby", "Olivia", "Antonio"] } },
  { address: "players@conference.elsinore.example", name: "The players", stranger: true, unread: 1, ago: 75, room: { invitedBy: "benedick@messina.example", people: [] } },
  { address: "laurence@cell.example", name: "Friar Laurence", presence: "available", idle: 12, ago: 3 * HOUR, own: true, last: "Is the letter on its way? 📜" },
  { address: "scheherazade@tales.example", name: "شهرزاد", presence: "available", picture: true, unread: 1, ago: 4 * HOUR, last: "بلغني أيها الملك السعيد، ذو الرأي الرشيد" },
  { address: "hostile@elsinore.example", name: "<b>Hamlet</b> ‮olleh", ago: 5 * HOUR, unread: 2, last: "<script>alert(1)</script>" },
  { address: "ophelia@elsinore.example", name: "Ophelia", outdated: true, presence: "away", status: "There’s rosemary, that’s for remembrance", ago: 6 * HOUR, own: true, failed: true, last: "There’s fennel for you, and columbines" },
  { address: "horatio@elsinore.example", name: "Horatio", presence: "available", ago: DAY + 30, plain: true, last: "Not encrypted: my client is from 1603" },
  { address: "viola@illyria.example", name: "Viola", picture: true, ago: DAY + 5 * HOUR, mute: { is: "until", time: Date.now() + 3 * 3_600_000 }, last: "🎵 If music be the food of love, play on" },
  { address: "orsino@illyria.example", name: "Orsino", ago: 2 * DAY, unread: 140, last: "Give me excess of it" },
  { address: "genji@heian.example", name: "光源氏", picture: true, presence: "extendedAway", ago: 2 * DAY + HOUR, last: "いづれの御時にか、女御、更衣あまたさぶらひたまひける中に" },
  { address: "portia@belmont.example", name: "Portia", ago: 3 * DAY, own: true, last: "The quality of mercy is not strain’d" },
  { address: "rosalind@arden.example", name: "Rosalind", picture: true, ago: 4 * DAY, last: "https://arden.example/trees/poems?from=orlando" },
  { address: "dulcinea@toboso.example", name: "Doña Dulcinea del Toboso de la Mancha y de todas las Españas, Emperatriz", ago: 6 * DAY, last: "A very long name above, and a line that is longer than any phone is wide, to see that it is cut with an ellipsis" },
  { address: "puck@athens.example", name: "Puck", presence: "available", ago: 9 * DAY, last: "Lord, what fools these mortals be!" },
  { address: "prospero@island.example", name: "Prospero", ago: 14 * DAY, own: true, last: "Now my charms are all o’erthrown" },
  { address: "ariel@island.example", name: "Ariel", picture: true, ago: 21 * DAY, last: "Full fathom five thy father lies" },
  { address: "zalgo@elsinore.example", name: "Y̸̢̛o̵̡͝r̷̨̕ǐ̶̢c̸̡̈k̴̨̋", ago: 30 * DAY, last: "A̵l̵a̸s̷,̶ ̸p̷o̶o̵r̸ ̷Y̶o̸r̵i̶c̷k̴" },
  { address: "emoji@athens.example", name: "🌙 Titania 🦋", ago: 45 * DAY, last: "👨‍👩‍👧‍👦🏳️‍🌈👍🏽" },
  { address: "cordelia@britain.example", name: "Cordelia", ago: 80 * DAY, own: true, keyless: true, last: "Nothing, my lord." },
  { address: "falstaff@boarshead.example", name: "Falstaff", ago: 200 * DAY, last: "The better part of valour is discretion" },
  { address: "faust@leipzig.example", name: "Dr. Faust", ago: 420 * DAY, last: "Da steh ich nun, ich armer Tor!" },
  { address: "iago@venice.example", name: "iago@venice.example", stranger: true, unread: 1, ago: 33, last: "Good signior, may I have a word?" },
  { address: "witches@heath.example", name: "witches@heath.example", stranger: true, unread: 2, ago: 2 * DAY, last: "Double, double toil and trouble" },
];

/** In the roster, without a conversation. */
export const QUIET: readonly Contact[] = [
  contact({ address: "benvolio@verona.example", name: "Benvolio", presence: "available", ago: 0 }),
  contact({ address: "benedick@messina.example", name: "Benedick", ago: 0, asked: true }),
  contact({ address: "duke@venice.example", name: "The Duke", ago: 0, stranger: true, asks: true }),
  contact({ address: "tybalt@verona.example", name: "Tybalt", ago: 0, blocked: true }),
];

export function contact(person: Person): Contact {
  const stranger = person.stranger ?? false;
  return {
    address: person.address,
    name: person.name,
    inRoster: !stranger,
    seesUs: !stranger,
    seen: !stranger && !person.asked,
    asks: person.asks ?? false,
    asked: person.asked ?? false,
    presence: person.presence ?? "offline",
    status: person.status ?? null,
    idle: person.idle === undefined ? null : Date.now() - person.idle * 60_000,
    avatar: person.picture ? `picture:${person.address}` : null,
    blocked: person.blocked ?? false,
  };
}
