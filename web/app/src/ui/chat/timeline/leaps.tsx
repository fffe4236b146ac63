// The buttons that lead on from where the reader is: to the next message that names them, and to the
// latest one.

import { useComputed } from "@preact/signals";

import { words } from "../../../i18n";
import { Icon } from "../../kit";
import { waiting } from "../logic/waiting";
import type { Chat } from "../state";
import type { Scroller } from "./scroller";

export function Leaps({ chat, scroller }: { chat: Chat; scroller: Scroller }) {
  return (
    <div class="timeline-leaps">
      <Mention chat={chat} />
      <Latest chat={chat} scroller={scroller} />
    </div>
  );
}

function useWaiting(chat: Chat) {
  return useComputed(() => waiting(chat.messages.value, chat.seen.value, chat.nick.value));
}

/** The button to the next message that names this account. */
function Mention({ chat }: { chat: Chat }) {
  const { mentions, next } = useWaiting(chat).value;
  if (next === null || !chat.isRoom.value) return null;
  const label = words().chat.nextMention(mentions);
  return (
    <button type="button" class="timeline-leap" aria-label={label} title={label} onClick={() => void chat.jump(next)}>
      <span class="timeline-leap-count">{mentions}</span>
      <Icon name="mention" size={22} />
    </button>
  );
}

/** The button to the end, with how many messages wait there. */
function Latest({ chat, scroller }: { chat: Chat; scroller: Scroller }) {
  const behind = useWaiting(chat);
  const newer = chat.window.value?.newer ?? false;
  if (scroller.atEnd.value && !newer) return null;
  const count = newer ? (chat.conversation.value?.unread ?? 0) : behind.value.count;
  const label = count > 0 ? words().chat.latestNew(count) : words().chat.latest;
  return (
    <button
      type="button"
      class="timeline-leap"
      aria-label={label}
      title={label}
      disabled={chat.seeking.value}
      onClick={() => void chat.latest()}
    >
      {count > 0 && <span class="timeline-leap-count">{count > 999 ? "999+" : count}</span>}
      <Icon name="chevronDown" size={24} />
    </button>
  );
}
