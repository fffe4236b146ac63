// How messages stand to their neighbours: what begins a day, what belongs together.

import type { Message } from "../../../core/types";

/** Messages of one sender within this time of each other belong together. */
export const GROUP = 3 * 60_000;

export interface Shape {
  /** The day of the message, if the one above is of another. */
  day: number | null;
  /** The line "unread" stands above it. */
  unread: boolean;
  /** The first and the last of messages that belong together. */
  first: boolean;
  last: boolean;
}

/** The shape of the message at `index`. `unread` is the message below the unread line. */
export function shape(messages: readonly Message[], index: number, unread: number | null): Shape {
  const message = messages[index];
  if (!message) return { day: null, unread: false, first: true, last: true };
  const before = messages[index - 1];
  const after = messages[index + 1];
  const day = dayOf(message.time);
  return {
    day: before && dayOf(before.time) === day ? null : day,
    unread: message.id === unread,
    first: !before || !follows(before, message, unread),
    last: !after || !follows(message, after, unread),
  };
}

/** Whether a message belongs to the one above it. */
export function follows(before: Message, message: Message, unread: number | null): boolean {
  return (
    message.id !== unread &&
    isBubble(before) &&
    isBubble(message) &&
    before.own === message.own &&
    before.sender === message.sender &&
    before.nick === message.nick &&
    Math.abs(message.time - before.time) < GROUP &&
    dayOf(before.time) === dayOf(message.time)
  );
}

/** Whether somebody wrote it; everything else is a quiet line in the middle. */
export function isBubble(message: Message): boolean {
  return !isEvent(message) && !(message.content.is === "text" && message.content.action);
}

const EVENTS: ReadonlySet<Message["content"]["is"]> = new Set([
  "newDevice", "gap", "restored", "optOut", "invited", "declined", "asks", "room",
]);

/** Something that happened instead of a message. */
export function isEvent(message: Message): boolean {
  const { is } = message.content;
  return EVENTS.has(is);
}

let cached = { from: 0, to: 0, day: 0 };

/** The beginning of the local day of a time. */
export function dayOf(time: number): number {
  if (time >= cached.from && time < cached.to) return cached.day;
  const date = new Date(time);
  const from = new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
  const to = new Date(date.getFullYear(), date.getMonth(), date.getDate() + 1).getTime();
  cached = { from, to, day: from };
  return from;
}

/** A guess of how high the row of a message is, until it is measured. */
export function guess(message: Message, width: number): number {
  const { content } = message;
  const more = (message.reactions.length > 0 ? 24 : 0) + (message.reply ? 48 : 0);
  switch (content.is) {
    case "text": {
      const columns = Math.max(12, Math.min(width * 0.75, 560) / 7.6);
      let rows = 0;
      for (const line of content.lines.slice(0, 26)) {
        let length = 0;
        for (const span of line.spans) length += span.text.length;
        rows += Math.max(1, Math.ceil(length / columns));
      }
      return 21 * Math.min(rows, 30) + 22 + more;
    }
    case "file": {
      const kind = content.file.mediaType?.split("/")[0];
      const caption = content.caption ? 28 : 0;
      return (kind === "image" || kind === "video" ? 232 : 84) + caption + more;
    }
    case "newDevice":
    case "gap":
    case "restored":
    case "optOut":
    case "invited":
    case "declined":
    case "asks":
      return 52;
    case "room":
      return 24 + 23 * Math.min(content.happenings.length, 4);
    case "retracted":
      return 43;
    case "undecryptable":
      return 92;
  }
}

/** Where a message of this id is, near a guess or anywhere. */
export function indexOf(messages: readonly Message[], id: number): number {
  return messages.findIndex((one) => one.id === id);
}

/** Who wrote or reacted: the address, or where a room hides it that of the occupant. */
export function whoOf(one: { sender: string; nick: string | null }, conversation: string): string {
  return one.nick !== null && one.sender === conversation ? `${conversation}/${one.nick}` : one.sender;
}

/** Reactions counted, the most frequent first, and among equals the earliest. */
export interface Counted {
  emoji: string;
  senders: string[];
  own: boolean;
}

export function counted(message: Message, self: string, conversation: string): Counted[] {
  const found = new Map<string, Counted>();
  for (const reaction of [...message.reactions].sort((a, b) => a.time - b.time)) {
    for (const emoji of reaction.emoji) {
      const one = found.get(emoji) ?? { emoji, senders: [], own: false };
      const who = whoOf(reaction, conversation);
      if (one.senders.includes(who)) continue;
      one.senders.push(who);
      if (reaction.sender === self) one.own = true;
      found.set(emoji, one);
    }
  }
  return [...found.values()].sort((a, b) => b.senders.length - a.senders.length);
}

/** The own reactions after one was tapped. */
export function toggled(message: Message, self: string, emoji: string): string[] {
  const own = message.reactions.find((one) => one.sender === self)?.emoji ?? [];
  return own.includes(emoji) ? own.filter((one) => one !== emoji) : [...own, emoji];
}
