// Who reacted, and with what.

import type { Message } from "../../../core/types";
import { fill, words } from "../../../i18n";
import { Avatar, Button, Dialog } from "../../kit";
import { react } from "../actions/menu";
import { counted, type Counted } from "../logic/rows";
import { canAnswer } from "../state";
import type { SheetProps } from "./readers";

/** So many people are named for each. */
const NAMED = 100;

export function ReactionsDialog({ chat, message, emoji, onClose }: SheetProps & { message: Message; emoji: string | null }) {
  const say = words().chat;
  const all = counted(message, chat.self, chat.address);
  // The one that was pressed comes first.
  const sorted = [...all.filter((one) => one.emoji === emoji), ...all.filter((one) => one.emoji !== emoji)];
  const choose = (one: Counted) => {
    onClose();
    react(chat, message, one.emoji);
  };
  return (
    <Dialog title={say.detailReactions} onClose={onClose}>
      {sorted.length === 0 && <p class="sheet-text">{say.noReactions}</p>}
      {sorted.map((one) => (
        <section key={one.emoji} class="reacted" aria-label={one.emoji.slice(0, 40)}>
          <header class="reacted-head">
            <span class="reacted-emoji">{one.emoji.slice(0, 40)}</span>
            <span class="facts-quiet">{one.senders.length}</span>
            {canAnswer(message) && (
              <Button kind="quiet" onClick={() => choose(one)}>
                {fill(one.own ? say.removeReaction : say.addReaction, { emoji: one.emoji.slice(0, 40) })}
              </Button>
            )}
          </header>
          <ul>
            {one.senders.slice(0, NAMED).map((who) => (
              <li key={who} class="reacted-by">
                <Avatar address={who} name={chat.nameOf(who)} avatar={chat.store.contact(who)?.avatar} size={30} />
                <bdi>{chat.nameOf(who)}</bdi>
              </li>
            ))}
            {one.senders.length > NAMED && <li class="facts-quiet">+{one.senders.length - NAMED}</li>}
          </ul>
        </section>
      ))}
    </Dialog>
  );
}
