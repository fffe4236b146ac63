// Reactions below a bubble. A tap joins one or takes it back; a rest, or the pointer, says whose
// they are.

import type { Message } from "../../../core/types";
import { fill, words } from "../../../i18n";
import { react } from "../actions/menu";
import { counted } from "../logic/rows";
import type { Chat } from "../state";
import "./reactions.css";

/** So many different ones are shown. */
const SHOWN = 12;

export function Reactions({ chat, message, tab }: { chat: Chat; message: Message; tab: number }) {
  if (message.reactions.length === 0) return null;
  const all = counted(message, chat.self, chat.address);
  if (all.length === 0) return null;
  const say = words().chat;
  return (
    <div class="reactions">
      {all.slice(0, SHOWN).map((one) => {
        const names = one.senders.map((sender) => chat.nameOf(sender)).join(", ");
        const by = fill(say.reactedBy, { names, emoji: one.emoji });
        return (
          <button
            key={one.emoji}
            type="button"
            class={one.own ? "reaction reaction-own" : "reaction"}
            tabIndex={tab}
            aria-pressed={one.own}
            title={by}
            aria-label={by}
            onClick={() => react(chat, message, one.emoji)}
          >
            <span class="reaction-emoji">{one.emoji.slice(0, 40)}</span>
            {one.senders.length > 1 && <span>{one.senders.length}</span>}
          </button>
        );
      })}
    </div>
  );
}
