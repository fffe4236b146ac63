// A message in one sentence, for those who listen.

import type { Delivery, Message, Undecryptable } from "../../../core/types";
import { fill, words } from "../../../i18n";
import { kindOf } from "../logic/files";
import { counted } from "../logic/rows";
import { minute } from "../logic/times";
import type { Chat } from "../state";
import { reasonText } from "../../reason";
import { gistOf } from "./happened";

/** So much of a long text is said. */
const SAID = 600;

export function describe(chat: Chat, message: Message): string {
  const say = words().chat;
  const parts = [
    fill(say.says, { name: chat.authorName(message), time: minute(message.time) }),
    message.reply && quoted(chat, message),
    what(chat, message),
    message.versions.length > 0 && say.edited,
    message.starred && say.starred,
    chat.encrypted && isPlain(message) && say.notEncrypted,
    message.delivery && stateOf(chat, message, message.delivery),
    reactions(chat, message),
  ];
  return parts.filter(Boolean).join(". ");
}

/** What a message says, as a line. */
export function what(chat: Chat, message: Message): string {
  const say = words().chat;
  const { content } = message;
  switch (content.is) {
    case "text": {
      const text = content.text.slice(0, SAID);
      return content.action ? `${chat.authorName(message)} ${text.replace(/^\/me /, "")}` : text;
    }
    case "file":
      return [fileWord(content.file), content.file.picture?.description, content.caption ?? content.file.name].filter(Boolean).join(": ");
    case "retracted":
      return message.own ? say.retractedOwn : say.retracted;
    case "undecryptable":
      return why(content.why);
    case "newDevice":
    case "gap":
    case "restored":
    case "optOut":
    case "invited":
    case "declined":
    case "asks":
    case "room":
      return happened(chat, message);
  }
}

/** What kind of file it is, in a word. */
export function fileWord(file: { name: string; mediaType: string | null }): string {
  const say = words().chat;
  switch (kindOf(file)) {
    case "picture":
      return say.picture;
    case "video":
      return say.video;
    case "audio":
      return isVoice(file.name) ? say.voice : say.sound;
    case "other":
      return say.file;
  }
}

/** Whether a sound was recorded to be sent. */
export function isVoice(name: string): boolean {
  return /^(voice|sprachnachricht|audio.?message|recording)/i.test(name);
}

/** Something that happened, in words. */
export function happened(chat: Chat, message: Message): string {
  const say = words().chat;
  const { content } = message;
  if (content.is === "room") return gistOf(chat, content.happenings);
  if (content.is === "gap") return say.gap;
  if (content.is === "restored") return say.restored;
  if (content.is === "invited") {
    const [name, reason] = [chat.nameOf(content.by), content.reason];
    const { invitedLine, invitedLineReason } = words().rooms;
    return reason ? fill(invitedLineReason, { name, reason }) : fill(invitedLine, { name });
  }
  if (content.is === "declined") {
    const [name, reason] = [chat.nameOf(content.by), content.reason];
    const { declinedLine, declinedLineReason } = words().rooms;
    return reason ? fill(declinedLineReason, { name, reason }) : fill(declinedLine, { name });
  }
  if (content.is === "asks") {
    const { asksLine, asksLineUnknown } = words().rooms;
    const { nick: name, address } = content;
    return address ? fill(asksLine, { name, address }) : fill(asksLineUnknown, { name });
  }
  if (content.is === "optOut") {
    const name = chat.name.value;
    return content.reason
      ? fill(say.optOutReason, { name, reason: content.reason })
      : fill(say.optOut, { name });
  }
  if (content.is !== "newDevice") return "";
  if (content.owner === chat.self) return content.trusted ? say.newDeviceOwn : say.newDeviceOwnWaits;
  const name = chat.nameOf(content.owner);
  return fill(content.trusted ? say.newDevice : say.newDeviceWaits, { name });
}

/** Why a message cannot be read. */
export function why(reason: Undecryptable): string {
  const say = words().chat;
  switch (reason) {
    case "notForThisDevice":
      return say.whyNotForThisDevice;
    case "noSession":
      return say.whyNoSession;
    case "unknownKey":
      return say.whyUnknownKey;
    case "forged":
      return say.whyForged;
    case "keyUsed":
      return say.whyKeyUsed;
    case "tooFarAhead":
      return say.whyTooFarAhead;
    case "malformed":
      return say.whyMalformed;
    case "contradiction":
      return say.whyContradiction;
    case "distrusted":
      return say.whyDistrusted;
    case "unknownEncryption":
      return say.whyUnknownEncryption;
  }
}

/** How far a message of a conversation got, and what it waits for. */
export function stateOf(chat: Chat, message: Message, delivery: Delivery): string {
  return waitsForKeys(chat, message) ? fill(words().chat.waitsForKeys, { name: chat.name.value }) : state(delivery);
}

/** Whether a message waits because nobody it is for has keys yet. */
export function waitsForKeys(chat: Chat, message: Message): boolean {
  return message.delivery?.is === "queued" && chat.conversation.value?.waitsForKeys === true;
}

/** How far a message got. */
export function state(delivery: Delivery): string {
  const say = words().chat;
  switch (delivery.is) {
    case "queued":
      return say.queued;
    case "sent":
      return say.sent;
    case "delivered":
      return say.delivered;
    case "read":
      return say.read;
    case "failed":
      return fill(say.failed, { reason: reasonText(delivery.reason) });
  }
}

/** Whether a message came, or went, without encryption. What has not left is encrypted when it does. */
export function isPlain(message: Message): boolean {
  const { is } = message.content;
  if (isUnsent(message)) return false;
  return message.encryption.is === "none" && (is === "text" || is === "file");
}

/** Whether nobody but this device has it. */
export function isUnsent(message: Message): boolean {
  return message.own && (message.delivery?.is === "queued" || message.delivery?.is === "failed");
}

function quoted(chat: Chat, message: Message): string {
  const { author, quote } = message.reply ?? { author: null, quote: null };
  const name = author === null ? words().chat.unavailable : chat.nameOf(author);
  return fill(words().chat.replyTo, { name, text: (quote ?? "").slice(0, 120) });
}

function reactions(chat: Chat, message: Message): string {
  const all = counted(message, chat.self, chat.address);
  if (all.length === 0) return "";
  const list = all.map((one) =>
    fill(words().chat.reactedBy, {
      names: one.senders.map((sender) => chat.nameOf(sender)).join(", "),
      emoji: one.emoji,
    }),
  );
  return fill(words().chat.reactionsOf, { list: list.join("; ") });
}
