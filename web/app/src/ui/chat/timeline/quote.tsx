// What a message answers, in two lines at most. A press goes there.

import type { Message, Reply } from "../../../core/types";
import { words } from "../../../i18n";
import { colours } from "../../kit";
import type { Chat } from "../state";
import { what } from "./describe";

export function Quote(props: { chat: Chat; message: Message; reply: Reply; tab: number }) {
  const { chat, reply, tab } = props;
  const original = reply.message === null ? undefined : chat.message(reply.message);
  // A room that hides addresses says who wrote only with the message itself.
  const hidden = chat.isRoom.value && reply.author === chat.address;
  const sender = original ? chat.authorOf(original) : hidden ? null : reply.author;
  const text = original ? what(chat, original) : (reply.quote ?? words().chat.unavailable);
  const target = reply.message;
  const colour = sender === null ? undefined : sender === chat.self ? "var(--accent-text)" : colours(sender).name;
  return (
    <button
      type="button"
      class="quote"
      tabIndex={tab}
      disabled={target === null}
      style={colour ? { "--quote-colour": colour } : undefined}
      onClick={() => target !== null && void chat.jump(target)}
    >
      {sender !== null && (
        <span class="quote-name" dir="auto">
          {original ? chat.authorName(original) : chat.nameOf(sender)}
        </span>
      )}
      <span class="quote-text" dir="auto">
        {text.slice(0, 300)}
      </span>
    </button>
  );
}
