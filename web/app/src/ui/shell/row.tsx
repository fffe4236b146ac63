import { useRef } from "preact/hooks";

import { fill, region, words } from "../../i18n";
import { format } from "../../route";
import type { Conversation } from "../../core/types";
import { useStore } from "../../state/use";
import { Avatar, Icon, memo, usePress, VisuallyHidden } from "../kit";
import { markRead, muted, openConversationMenu, toggleHidden, togglePin } from "./conversations";
import { DeliveryMark } from "./delivery";
import { useSwipe } from "./swipe";
import { longTime, now, shortTime } from "./time";
import { reasonText } from "../reason";
import { typingWords } from "../typing";
import "./row.css";

export interface RowProps {
  conversation: Conversation;
  index: number;
  count: number;
  /** Pixels from the start of the list. */
  top: number;
  /** It is the one that Tab goes to. */
  stop: boolean;
  /** Its conversation is on screen. */
  open: boolean;
  onOpen: (address: string) => void;
}

/** A line of the list of conversations; it is drawn anew when something of it changes. */
export const ConversationRow = memo(function ConversationRow(props: RowProps) {
  const { conversation: one, index, count, top, stop, open, onOpen } = props;
  const store = useStore();
  const item = useRef<HTMLLIElement>(null);
  const w = words().shell;
  const press = usePress((at) => openConversationMenu(store, one, at));
  useSwipe(item, {
    onward: () => void (one.unread > 0 ? markRead(store, one.address) : togglePin(store, one)),
    backward: () => void toggleHidden(store, one),
  });
  const contact = store.contact(one.address);
  const online = contact?.presence === "available" || contact?.presence === "chat";
  return (
    <li
      ref={item}
      class="row-item"
      style={{ transform: `translateY(${top}px)` }}
      aria-posinset={index + 1}
      aria-setsize={count}
    >
      <span class="row-under row-under-onward" aria-hidden="true">
        <Icon name={one.unread > 0 ? "read" : one.pinned ? "pinOff" : "pin"} />
        {one.unread > 0 ? w.markRead : one.pinned ? w.unpin : w.pin}
      </span>
      <span class="row-under row-under-backward" aria-hidden="true">
        {one.shown ? w.hide : w.unhide}
        <Icon name="archive" />
      </span>
      <a
        {...press}
        class={open ? "conversation conversation-open" : "conversation"}
        href={format({ at: "chat", address: one.address, message: null })}
        data-address={one.address}
        aria-current={open ? "page" : undefined}
        tabIndex={stop ? 0 : -1}
        draggable={false}
        onClick={(event) => {
          if (event.ctrlKey || event.metaKey || event.shiftKey) return;
          event.preventDefault();
          onOpen(one.address);
        }}
      >
        <span class="conversation-avatar">
          <Avatar address={one.address} name={one.name} avatar={store.avatar(one.address)} group={one.room} size={50} />
          {online && <span class="conversation-online" aria-hidden="true" />}
        </span>
        <span class="conversation-words">
          <span class="conversation-line">
            <span class="conversation-name" dir="auto">
              {one.name}
            </span>
            {online && <VisuallyHidden>{w.online}</VisuallyHidden>}
            <Marks one={one} />
          </span>
          <span class="conversation-line">
            <PreviewLine one={one} />
            <Unread one={one} />
          </span>
        </span>
      </a>
    </li>
  );
});

function Marks({ one }: { one: Conversation }) {
  const w = words().shell;
  const time = one.preview?.time;
  return (
    <span class="conversation-marks">
      {muted(one.mute, now.value) && (
        <>
          <Icon name="bellOff" size={15} />
          <VisuallyHidden>{w.mutedMark}</VisuallyHidden>
        </>
      )}
      {one.pinned && (
        <>
          <Icon name="pin" size={15} />
          <VisuallyHidden>{w.pinnedMark}</VisuallyHidden>
        </>
      )}
      {time !== undefined && (
        <time
          dir="auto"
          class={one.unread > 0 && !muted(one.mute, now.value) ? "conversation-time-new" : undefined}
          dateTime={new Date(time).toISOString()}
          title={longTime(time, region())}
        >
          {shortTime(time, now.value, region(), w.time)}
        </time>
      )}
    </span>
  );
}

function PreviewLine({ one }: { one: Conversation }) {
  const w = words().shell;
  const invites = useInvitation(one);
  if (invites !== null) {
    return (
      <span class="conversation-preview conversation-text conversation-invites">
        <Icon name="people" size={16} /> {invites}
      </span>
    );
  }
  if (one.typing.length > 0) {
    return <span class="conversation-preview conversation-text conversation-typing">{typingWords(one)}</span>;
  }
  if (one.draft.trim() !== "") {
    return (
      <span class="conversation-preview">
        <span class="conversation-draft">{w.draft}</span>
        <span class="conversation-text" dir="auto">
          {one.draft}
        </span>
      </span>
    );
  }
  const preview = one.preview;
  if (!preview) return <span class="conversation-preview conversation-text">{w.nothingYet}</span>;
  return (
    <span class="conversation-preview">
      {preview.own && preview.delivery && <DeliveryMark delivery={preview.delivery} />}
      {preview.own && <span class="conversation-own">{w.you}</span>}
      {preview.author !== null && (
        <span class="conversation-author">
          <bdi>{preview.author}</bdi>:
        </span>
      )}
      <span class="conversation-text" dir="auto">
        {preview.said ? preview.text : reasonText(preview.text)}
      </span>
    </span>
  );
}

/** Who invites to a room, in words; `null` when nobody does. */
function useInvitation(one: Conversation): string | null {
  const store = useStore();
  if (!one.room || !one.request) return null;
  const w = words().rooms;
  const by = store.room(one.address)?.invitedBy ?? null;
  return fill(w.invites, { name: by === null ? w.somebody : (store.contact(by)?.name ?? by) });
}

function Unread({ one }: { one: Conversation }) {
  if (one.unread === 0) return null;
  const w = words().shell;
  const quiet = muted(one.mute, now.value);
  return (
    <>
      {one.mentions > 0 && (
        <span class="unread unread-mention">
          <span aria-hidden="true">@</span>
          <VisuallyHidden>{words().rooms.mentionsMark(one.mentions)}</VisuallyHidden>
        </span>
      )}
      <span class={quiet ? "unread unread-muted" : "unread"}>
        <span aria-hidden="true">{one.unread > 999 ? "999+" : one.unread}</span>
        <VisuallyHidden>{w.unreadCount(one.unread)}</VisuallyHidden>
      </span>
    </>
  );
}
