// The list of messages.

import { useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";

import type { Message } from "../../../core/types";
import { fill, words } from "../../../i18n";
import { Button, Icon, Spinner, still } from "../../kit";
import { attentive } from "../attention";
import { Scroller, type Parts } from "./scroller";
import type { Anchor } from "../logic/heights";
import { guess, isEvent, shape } from "../logic/rows";
import * as times from "../logic/times";
import type { Chat } from "../state";
import { describe } from "./describe";
import { keyOfMessage } from "./keys";
import { Leaps } from "./leaps";
import { SaidHappenings } from "./happenings";
import { Row } from "./row";
import "./timeline.css";

/** Where the reader was in conversations that were left, as long as the page is open. */
const places = new Map<string, Anchor>();

/** The list; `first` is a message to show at once. */
export function Timeline({ chat, first }: { chat: Chat; first: number | null }) {
  const scroller = useMemo(() => new Scroller(), []);
  const box = useRef<HTMLDivElement>(null);
  const head = useRef<HTMLDivElement>(null);
  const above = useRef<HTMLDivElement>(null);
  const below = useRef<HTMLDivElement>(null);
  const foot = useRef<HTMLDivElement>(null);
  const messages = chat.messages.value;
  scroller.version.value;
  scroller.more = chat.window.value?.newer ?? false;

  useMemo(() => {
    const width = box.current?.clientWidth ?? Math.min(innerWidth, 900);
    scroller.heights.set(
      messages.map((one) => one.id),
      (index) => guess(messages[index] as Message, width),
    );
  }, [messages]);
  const opened = useRef(false);
  if (!opened.current && chat.window.value) {
    opened.current = true;
    const [unread, place] = [chat.unread.peek(), places.get(chat.address)];
    if (first === null && unread !== null) scroller.show(unread, "top");
    else if (first === null && place) scroller.restore(place);
  }
  const range = scroller.range();

  useLayoutEffect(() => {
    const parts = { box: box.current, head: head.current, above: above.current, below: below.current, foot: foot.current };
    if (!(parts.box && parts.head && parts.above && parts.below && parts.foot)) return;
    const detach = scroller.attach(parts as Parts);
    return () => {
      const place = scroller.leave();
      if (place) places.set(chat.address, place);
      else places.delete(chat.address);
      detach();
    };
  }, []);
  useLayoutEffect(() => scroller.pin());
  useArrivals(chat, scroller, messages);
  useOlder(chat, scroller);
  useNewer(chat, scroller);
  useSeen(chat, scroller);
  useMover(chat, scroller, box);

  const { active, chosen, flashing, unread } = chat;
  const wanted = chat.search.value?.text ?? "";
  const rows = [];
  for (let index = range.start; index < range.end; index++) {
    const message = messages[index];
    if (!message) continue;
    const { day, unread: line, first, last } = shape(messages, index, unread.value);
    rows.push(
      <Row
        key={message.id}
        chat={chat}
        scroller={scroller}
        message={message}
        day={day}
        unread={line}
        first={first}
        last={last}
        active={active.value === message.id}
        chosen={chosen.value === null ? null : chosen.value.has(message.id)}
        flash={flashing.value === message.id}
        wanted={wanted}
        position={index + 1}
        count={chat.window.value?.older || chat.window.value?.newer ? -1 : messages.length}
      />,
    );
  }
  const name = chat.name.value;
  return (
    <div class="timeline">
      <div
        ref={box}
        class="timeline-box"
        role="list"
        tabIndex={0}
        aria-label={fill(words().chat.timeline, { name })}
        onKeyDown={(event) => keyOfMessage(event, chat, scroller)}
      >
        <div class="timeline-column" role="presentation">
          <div ref={head} role="presentation">
            <Head chat={chat} />
          </div>
          <div ref={above} role="presentation" />
          {rows}
          <div ref={below} role="presentation" />
          <div ref={foot} class="timeline-foot" role="presentation">
            {chat.window.value?.newer ? <Foot chat={chat} /> : <Behind chat={chat} />}
            {!chat.window.value?.newer && <Typing chat={chat} />}
          </div>
        </div>
      </div>
      <FloatingDay chat={chat} scroller={scroller} />
      <Leaps chat={chat} scroller={scroller} />
      <Announcer chat={chat} />
      <SaidHappenings chat={chat} />
    </div>
  );
}

/** What stands above the oldest message that is here. */
function Head({ chat }: { chat: Chat }) {
  const say = words().chat;
  const window = chat.window.value;
  const name = chat.name.value;
  if (!window) return null;
  if (window.older) {
    return (
      <div class="timeline-head" role="listitem">
        {chat.olderState.value === "failed" ? (
          <>
            <p>{say.olderFailed}</p>
            <Button kind="quiet" icon="retry" onClick={() => void chat.older()}>
              {say.again}
            </Button>
          </>
        ) : (
          <Spinner size={24} label={say.older} />
        )}
      </div>
    );
  }
  if (chat.isRoom.value) return <RoomBeginning chat={chat} />;
  return (
    <div class="timeline-head timeline-beginning" role="listitem">
      <p>
        <bdi>{fill(say.beginning, { name })}</bdi>
      </p>
      {chat.encrypted && (
        <p class="timeline-beginning-lock">
          <Icon name="lock" size={14} /> {fill(say.beginningEncrypted, { name })}
        </p>
      )}
      {window.messages.length === 0 && !chat.contact.value?.blocked && (
        <Button kind="plain" onClick={() => void chat.try({ do: "send", to: chat.address, text: say.hello, replyTo: null })}>
          {say.hello} {fill(say.sendHello, { name })}
        </Button>
      )}
    </div>
  );
}

function RoomBeginning({ chat }: { chat: Chat }) {
  const say = words().rooms;
  const room = chat.room.value;
  const known = room !== undefined && room.state.is !== "invited";
  const open = room?.private === false;
  return (
    <div class="timeline-head timeline-beginning" role="listitem">
      <p>
        <bdi>{fill(say.beginning, { name: chat.name.value })}</bdi>
      </p>
      {known && (open || chat.encrypted) && (
        <p class="timeline-beginning-lock">
          <Icon name={open ? "globe" : "lock"} size={14} /> {open ? say.beginningOpen : say.beginningPrivate}
        </p>
      )}
    </div>
  );
}

/** What stands below the newest message that is here, while there are newer ones. */
function Foot({ chat }: { chat: Chat }) {
  const say = words().chat;
  return (
    <div class="timeline-head" role="listitem">
      {chat.newerState.value === "failed" ? (
        <>
          <p>{say.newerFailed}</p>
          <Button kind="quiet" icon="retry" onClick={() => void chat.newer()}>
            {say.again}
          </Button>
        </>
      ) : (
        <Spinner size={24} label={say.newer} />
      )}
    </div>
  );
}

/** What was missed is not here, because the archive did not answer. */
function Behind({ chat }: { chat: Chat }) {
  const say = words().chat;
  if (!chat.conversation.value?.behind) return null;
  return (
    <div class="timeline-head" role="listitem">
      <p>{say.behind}</p>
      <Button kind="quiet" icon="retry" onClick={() => void chat.try({ do: "catchUp", address: chat.address })}>
        {say.again}
      </Button>
    </div>
  );
}

/** Somebody writes. The header says it in words. */
function Typing({ chat }: { chat: Chat }) {
  if (!chat.conversation.value?.typing.length) return null;
  return (
    <div class="timeline-typing" aria-hidden="true">
      <span />
      <span />
      <span />
    </div>
  );
}

/** The day of what is in sight, while somebody scrolls. */
function FloatingDay({ chat, scroller }: { chat: Chat; scroller: Scroller }) {
  const { first, above } = scroller.sight.value;
  const message = chat.messages.value[first];
  if (!message) return null;
  const own = shape(chat.messages.value, first, chat.unread.value).day !== null && above > -8;
  const shown = scroller.scrolling.value && !own;
  return (
    <div class={shown ? "timeline-float timeline-float-shown" : "timeline-float"} aria-hidden="true">
      <span class="timeline-day">{times.day(message.time, Date.now())}</span>
    </div>
  );
}

/** Says new messages to those who listen, one after the other, and which of the own ones were not sent. */
function Announcer({ chat }: { chat: Chat }) {
  const lines = useSignal<{ id: number | string; text: string }[]>([]);
  const last = useRef<string | null>(null);
  const onTheirWay = useRef(new Set<number>());
  useSignalEffect(() => {
    const own = chat.messages.value.filter((one) => one.own && one.delivery);
    const failed = own.filter((one) => one.delivery?.is === "failed" && onTheirWay.current.has(one.id));
    onTheirWay.current = new Set(own.filter((one) => one.delivery?.is !== "failed").map((one) => one.id));
    if (failed.length === 0) return;
    const said = failed.map((one) => ({ id: `failed ${one.id}`, text: describe(chat, one) }));
    lines.value = [...lines.peek().filter((line) => !said.some((one) => one.id === line.id)), ...said].slice(-5);
  });
  useSignalEffect(() => {
    const messages = chat.messages.value;
    const newest = messages.at(-1)?.place ?? "";
    const before = last.current;
    // Pages of the past are not news.
    last.current = chat.window.value && !chat.window.value.newer ? newest : null;
    if (last.current === null) return;
    if (before === null || newest <= before) return;
    const fresh = messages.slice(-5).filter((one) => one.place > before && !one.own && one.content.is !== "room");
    if (fresh.length === 0) return;
    const said = fresh.map((one) => ({ id: one.id, text: describe(chat, one) }));
    lines.value = [...lines.peek(), ...said].slice(-5);
  });
  return (
    <div class="hidden-text" role="log" aria-live="polite">
      {lines.value.map((line) => (
        <p key={line.id}>{line.text}</p>
      ))}
    </div>
  );
}

/** What comes at the end: own messages are always shown, others only if the reader is there. */
function useArrivals(chat: Chat, scroller: Scroller, messages: Message[]): void {
  const newest = useRef<Message | undefined>(undefined);
  useLayoutEffect(() => {
    const before = newest.current;
    // Where the window does not reach to the end, nothing arrives.
    const last = chat.window.peek()?.newer ? undefined : messages.at(-1);
    newest.current = last;
    if (!before || !last || last.place <= before.place) return;
    if (last.own && !isEvent(last)) {
      scroller.toEnd(false);
      return;
    }
    const nothingUnread = chat.seen.peek() >= before.place;
    if (attentive.peek() || !nothingUnread || isEvent(last)) return;
    chat.unread.value = last.id;
    chat.unreadCount.value = 0;
  }, [messages]);
}

/** Older pages come while the reader is still some screens away from the top. */
function useOlder(chat: Chat, scroller: Scroller): void {
  useSignalEffect(() => {
    const { first } = scroller.sight.value;
    const window = chat.window.value;
    if (!window?.older || chat.olderState.value !== "idle") return;
    const offset = first < 0 ? 0 : scroller.heights.offset(first);
    if (offset < 2 * scroller.view) queueMicrotask(() => void chat.older());
  });
}

/** Newer pages come while the reader is still some screens away from the end of what is here. */
function useNewer(chat: Chat, scroller: Scroller): void {
  useSignalEffect(() => {
    const { last } = scroller.sight.value;
    const window = chat.window.value;
    if (!window?.newer || chat.seeking.value || chat.newerState.value !== "idle") return;
    const left = last < 0 ? 0 : scroller.heights.total - scroller.heights.offset(last);
    if (left < 2 * scroller.view) queueMicrotask(() => void chat.newer());
  });
}

function useSeen(chat: Chat, scroller: Scroller): void {
  useSignalEffect(() => {
    const { last } = scroller.sight.value;
    const message = chat.messages.value[last];
    if (attentive.value && message) chat.sees(message);
  });
}

function useMover(chat: Chat, scroller: Scroller, box: { current: HTMLElement | null }): void {
  useEffect(() => {
    const focus = (id: number) => {
      chat.active.value = id;
      scroller.reveal(id);
      requestAnimationFrame(() => {
        box.current?.querySelector<HTMLElement>(`[data-message="${id}"]`)?.focus({ preventScroll: true });
      });
    };
    chat.mover = {
      show: (id) => scroller.show(id, "middle"),
      toEnd: () => scroller.toEnd(!still.peek()),
      focus,
    };
    if (chat.goal !== null) chat.mover.show(chat.goal);
    chat.goal = null;
    return () => {
      chat.mover = null;
    };
  }, []);
}
