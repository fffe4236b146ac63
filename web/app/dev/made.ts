// What the sample makes its conversations, accounts and answers from.

import type { Account, Connection, Content, Conversation, FileKind, Message, Outcome, ProblemKind } from "../src/core/types";
import type { Person } from "./people";

/** What is asked for is done, and there is no more to say. */
export const DONE: Outcome = { is: "done" };

/** A conversation of the sample, with all that was said in it. */
export interface Talk {
  person: Person;
  conversation: Conversation;
  messages: Message[];
  /** Index of the first message in the open window; none when it is closed. */
  from: number | null;
  /** Index behind its last one; none when it reaches to the end. */
  until: number | null;
}

/** What the list shows of a message. */
export function previewOf(one: Message): Conversation["preview"] {
  return { own: one.own, author: one.own ? null : one.nick, text: brief(one.content), said: true, time: one.time, delivery: one.delivery };
}

export function account(address: string, connection: Connection): Account {
  return { address, connection, nickname: "Juliet", avatar: "picture:me", device: 31415, queued: connection.is === "online" ? 0 : 1, privacy: { typing: true, read: true, idle: false } };
}

/** One of the many who make a list long. */
export function crowd(i: number): Person {
  const name = `${["Bassanio", "Celia", "Dromio", "Emilia", "Feste", "Gratiano", "Hermia"][i % 7]} ${i}`;
  return {
    address: `crowd-${i}@crowd.example`,
    name,
    ago: 600 + i * 37,
    picture: i % 3 === 0,
    unread: i % 17 === 0 ? i % 9 : 0,
    last: `Message number ${i * 31} of somebody in the crowd`,
  };
}

/** A message in one line. */
export function brief(content: Content): string {
  switch (content.is) {
    case "text":
      return content.text.slice(0, 200).replace(/\s+/g, " ");
    case "file":
      return content.caption ?? content.file.name;
    case "retracted":
      return "Message deleted";
    case "undecryptable":
      return "Cannot be read on this device";
    case "newDevice":
      return "New device";
    default:
      return "";
  }
}

export function failed(kind: ProblemKind, words: string): Outcome {
  return { is: "failed", problem: { kind, words } };
}

export function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}

/** The whole of what was found, as one part. */
export function part(outcome: Outcome): Outcome {
  return outcome.is === "found" ? { is: "part", messages: outcome.messages, next: null } : outcome;
}

/** What a file is for whoever looks for it. */
export function fileKind(mediaType: string | null): FileKind {
  const main = mediaType?.split("/")[0];
  return main === "image" ? "picture" : main === "video" ? "film" : main === "audio" ? "sound" : "other";
}
