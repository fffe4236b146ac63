// A row of the list: what stands above a message, and the message.

import { useLayoutEffect, useRef, useState } from "preact/hooks";

import type { Message } from "../../../core/types";
import { fill, straight, words } from "../../../i18n";
import { Avatar, Icon } from "../../kit";
import { openMember } from "../members";
import { isBubble, isEvent } from "../logic/rows";
import * as times from "../logic/times";
import { memo } from "../../kit/memo";
import type { Chat } from "../state";
import { Bubble } from "./bubble";
import { describe } from "./describe";
import { EventLine, ActionLine } from "./event";
import type { Scroller } from "./scroller";
import { useTouches } from "./touches";
import "./row.css";

export interface RowProps {
  chat: Chat;
  scroller: Scroller;
  message: Message;
  day: number | null;
  unread: boolean;
  first: boolean;
  last: boolean;
  active: boolean;
  /** Whether it is chosen, while messages are being chosen. */
  chosen: boolean | null;
  flash: boolean;
  /** What is searched for. */
  wanted: string;
  position: number;
  /** -1 while it is not known. */
  count: number;
}

export const Row = memo<RowProps>(function Row(props) {
  const { chat, scroller, message, day, unread, first, chosen } = props;
  const row = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => (row.current ? scroller.observe(row.current, message.id) : undefined), []);
  const [hovered, setHovered] = useState(false);
  const event = isEvent(message);
  const among = chat.isRoom.value && !message.own && isBubble(message);
  const touches = useTouches(chat, message);
  const line = unread ? words().chat.unread(chat.unreadCount.value) : "";
  const classes = [
    "message-row",
    message.own ? "message-row-own" : "",
    first ? "message-row-first" : "",
    event ? "message-row-event" : "",
    among ? "message-row-among" : "",
    props.flash ? "message-row-flash" : "",
    chosen === null ? "" : "message-row-choosing",
    chosen ? "message-row-chosen" : "",
  ];
  return (
    <div
      ref={row}
      class={classes.filter(Boolean).join(" ")}
      role="listitem"
      aria-setsize={props.count}
      aria-posinset={props.position}
      aria-label={[day !== null && times.day(day, Date.now()), unread && line, describe(chat, message)].filter(Boolean).join(". ")}
      tabIndex={-1}
      data-message={message.id}
      onPointerEnter={(at) => !event && at.pointerType !== "touch" && setHovered(true)}
      onPointerLeave={() => hovered && setHovered(false)}
      onFocus={() => (chat.active.value = message.id)}
      {...(event ? {} : touches)}
    >
      {day !== null && (
        <div class="timeline-day-line">
          <span class="timeline-day">{times.day(day, Date.now())}</span>
        </div>
      )}
      {unread && (
        <div class="timeline-unread">
          <span>{line}</span>
        </div>
      )}
      <div class="message-line">
        {chosen !== null && !event && <Check chat={chat} message={message} chosen={chosen} />}
        {among && first && <Face chat={chat} message={message} tab={props.active ? 0 : -1} />}
        {event ? (
          <EventLine chat={chat} message={message} tab={props.active ? 0 : -1} />
        ) : isBubble(message) ? (
          <Bubble
            chat={chat}
            message={message}
            first={first}
            last={props.last}
            tab={props.active ? 0 : -1}
            wanted={props.wanted}
            hovered={hovered}
          />
        ) : (
          <ActionLine
            chat={chat}
            message={message}
            wanted={props.wanted}
            tab={props.active ? 0 : -1}
            hovered={hovered}
          />
        )}
      </div>
    </div>
  );
});

/** Who wrote it, beside the first of messages that belong together in a room. */
function Face({ chat, message, tab }: { chat: Chat; message: Message; tab: number }) {
  const who = chat.authorOf(message);
  const name = chat.authorName(message);
  return (
    <button
      type="button"
      class="message-face"
      tabIndex={tab}
      aria-haspopup="menu"
      title={straight(name)}
      onClick={(event) => openMember(chat, who, name, event.currentTarget)}
    >
      <Avatar address={who} name={name} avatar={chat.store.contact(who)?.avatar} size={34} />
      <span class="hidden-text">{fill(words().rooms.memberMenu, { name })}</span>
    </button>
  );
}

/** Chooses a message among several. */
function Check({ chat, message, chosen }: { chat: Chat; message: Message; chosen: boolean }) {
  return (
    <button
      type="button"
      class="message-check"
      role="checkbox"
      aria-checked={chosen}
      aria-label={words().chat.selectMessage}
      onClick={() => chat.choose(message)}
    >
      {chosen && <Icon name="check" size={16} />}
    </button>
  );
}
