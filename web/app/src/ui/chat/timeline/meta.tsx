// The time of a message and how far it got, in the corner of its bubble.

import type { Delivery, Message } from "../../../core/types";
import { fill, words } from "../../../i18n";
import { Icon } from "../../kit";
import * as times from "../logic/times";
import type { Chat } from "../state";
import { isPlain, stateOf } from "./describe";

export interface MetaProps {
  chat: Chat;
  message: Message;
  tab: number;
}

export function Meta({ chat, message, tab }: MetaProps) {
  const say = words().chat;
  const { encryption } = message;
  return (
    <span class="meta">
      {saysPlain(chat, message) && (
        <span class="meta-plain">
          <Icon name="lockOpen" size={12} />
          {say.notEncrypted}
        </span>
      )}
      {encryption.is === "omemo" && encryption.trust === "distrusted" && !message.own && (
        <span class="meta-plain" title={say.trustDistrusted}>
          <Icon name="alert" size={12} />
        </span>
      )}
      {saysStar(message) && (
        <span class="meta-star" title={say.starred}>
          <Icon name="star" size={12} />
          <span class="hidden-text">{say.starred}</span>
        </span>
      )}
      {saysEdited(message) && (
        <button
          type="button"
          class="meta-edited"
          tabIndex={tab}
          title={say.editedTitle}
          onClick={() => (chat.sheet.value = { is: "versions", message: message.id })}
        >
          {say.edited}
        </button>
      )}
      <time dir="auto" dateTime={new Date(message.time).toISOString()}>{times.minute(message.time)}</time>
      {saysState(message) && message.delivery && (
        <State chat={chat} message={message} delivery={message.delivery} tab={tab} />
      )}
    </span>
  );
}

/** Takes as much room as the time and the ticks, at the end of the last line. */
export function Spacer({ chat, message }: { chat: Chat; message: Message }) {
  const say = words().chat;
  const parts = [
    saysPlain(chat, message) && `${say.notEncrypted}\u2003`,
    saysStar(message) && "\u2003",
    saysEdited(message) && say.edited,
    times.minute(message.time),
  ];
  const text = parts.filter(Boolean).join("\u2002");
  return (
    <span class={saysState(message) ? "bubble-spacer bubble-spacer-tick" : "bubble-spacer"} aria-hidden="true">
      {text}
    </span>
  );
}

function saysPlain(chat: Chat, message: Message): boolean {
  return chat.encrypted && isPlain(message);
}

function saysStar(message: Message): boolean {
  return message.starred && message.content.is !== "retracted";
}

function saysEdited(message: Message): boolean {
  return message.versions.length > 0 && message.content.is !== "retracted";
}

function saysState(message: Message): boolean {
  return message.delivery !== null && message.content.is !== "retracted";
}

/** How far it got; a press says when, and on which devices. */
function State({ chat, message, delivery, tab }: MetaProps & { delivery: Delivery }) {
  const state = stateOf(chat, message, delivery);
  return (
    <button
      type="button"
      class={`tick tick-${delivery.is}`}
      tabIndex={tab}
      aria-haspopup="dialog"
      aria-label={fill(words().chat.stateDetails, { state })}
      title={state}
      onClick={() => (chat.sheet.value = { is: "details", message: message.id })}
    >
      <Tick delivery={delivery} />
    </button>
  );
}

/** Clock, one tick, two ticks, two filled ticks, or a red mark. */
function Tick({ delivery }: { delivery: Delivery }) {
  return (
    <svg width="17" height="12" viewBox="0 0 17 12" aria-hidden="true" focusable="false">
      {delivery.is === "queued" && <path d="M8.5 1.2a4.8 4.8 0 1 1 0 9.6 4.8 4.8 0 0 1 0-9.6ZM8.5 3.4V6.2l1.9 1.2" />}
      {delivery.is === "sent" && <path d="m4.5 6.5 3 3 5.5-7" />}
      {(delivery.is === "delivered" || delivery.is === "read") && (
        <path d="m1.5 6.5 3 3L10 2.5M8.2 9.2l.3.3 5.5-7" />
      )}
      {delivery.is === "failed" && (
        <path d="M8.5 1.2a4.8 4.8 0 1 1 0 9.6 4.8 4.8 0 0 1 0-9.6ZM8.5 3.5v3m0 1.9v.1" />
      )}
    </svg>
  );
}
