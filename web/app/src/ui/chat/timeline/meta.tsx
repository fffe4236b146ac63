// The time of a message and how far it got, in the corner of its bubble.

import type { Delivery, Message } from "../../../core/types";
import { words } from "../../../i18n";
import { Icon, VisuallyHidden } from "../../kit";
import * as times from "../logic/times";
import type { Chat } from "../state";
import { isPlain, state } from "./describe";

export interface MetaProps {
  chat: Chat;
  message: Message;
  tab: number;
  /** Only takes the room: nothing in it can be pressed. */
  still?: boolean;
}

export function Meta({ chat, message, tab, still = false }: MetaProps) {
  const say = words().chat;
  const plain = chat.encrypted && isPlain(message);
  const edited = message.versions.length > 0 && message.content.is !== "retracted";
  const { encryption } = message;
  return (
    <span class="meta">
      {plain && (
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
      {edited &&
        (still ? (
          <span>{say.edited}</span>
        ) : (
          <button
            type="button"
            class="meta-edited"
            tabIndex={tab}
            title={say.editedTitle}
            onClick={() => (chat.sheet.value = { is: "versions", message: message.id })}
          >
            {say.edited}
          </button>
        ))}
      <time dateTime={still ? undefined : new Date(message.time).toISOString()}>
        {times.minute(message.time)}
      </time>
      {message.delivery && message.content.is !== "retracted" && <Tick delivery={message.delivery} />}
    </span>
  );
}

/** Clock, one tick, two ticks, two filled ticks, or a red mark. */
export function Tick({ delivery }: { delivery: Delivery }) {
  const words = state(delivery);
  return (
    <span class={`tick tick-${delivery.is}`} title={words}>
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
      <VisuallyHidden>{words}</VisuallyHidden>
    </span>
  );
}
