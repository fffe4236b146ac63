// Reactions below a bubble. A tap joins one or takes it back; a finger that rests, the right button or the menu key
// says whose they are.

import type { Message } from "../../../core/types";
import { fill, words } from "../../../i18n";
import { usePress } from "../../kit";
import { react } from "../actions/menu";
import { counted, type Counted } from "../logic/rows";
import type { Chat } from "../state";
import "./reactions.css";

/** So many different ones are shown. */
const SHOWN = 12;

interface Props {
  chat: Chat;
  message: Message;
  tab: number;
}

export function Reactions({ chat, message, tab }: Props) {
  if (message.reactions.length === 0) return null;
  const all = counted(message, chat.self, chat.address);
  if (all.length === 0) return null;
  const more = all.length - SHOWN;
  return (
    <div class="reactions">
      {all.slice(0, SHOWN).map((one) => (
        <Reaction key={one.emoji} chat={chat} message={message} one={one} tab={tab} />
      ))}
      {more > 0 && (
        <button
          type="button"
          class="reaction"
          tabIndex={tab}
          aria-haspopup="dialog"
          aria-label={words().chat.moreReactions(more)}
          onClick={() => show(chat, message, null)}
        >
          +{more}
        </button>
      )}
    </div>
  );
}

function Reaction({ chat, message, one, tab }: Props & { one: Counted }) {
  const press = usePress(() => show(chat, message, one.emoji));
  const names = one.senders.map((sender) => chat.nameOf(sender)).join(", ");
  const by = fill(words().chat.reactedBy, { names, emoji: one.emoji });
  return (
    <button
      type="button"
      class={one.own ? "reaction reaction-own" : "reaction"}
      tabIndex={tab}
      aria-pressed={one.own}
      title={by}
      aria-label={by}
      {...press}
      onContextMenu={(event) => {
        // The message below has a menu of its own.
        event.stopPropagation();
        press.onContextMenu(event);
      }}
      onPointerDown={(event) => {
        event.stopPropagation();
        press.onPointerDown(event);
      }}
      onClick={() => react(chat, message, one.emoji)}
    >
      <span class="reaction-emoji">{one.emoji.slice(0, 40)}</span>
      {one.senders.length > 1 && <span>{one.senders.length}</span>}
    </button>
  );
}

function show(chat: Chat, message: Message, emoji: string | null): void {
  chat.sheet.value = { is: "reactions", message: message.id, emoji };
}
