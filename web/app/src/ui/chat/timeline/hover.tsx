// Buttons beside a bubble that come with the pointer or the focus: react, reply, more.

import type { Message } from "../../../core/types";
import { words } from "../../../i18n";
import { IconButton } from "../../kit";
import { openActions, openReactions } from "../actions/menu";
import { canAnswer, type Chat } from "../state";

export interface HoverProps {
  chat: Chat;
  message: Message;
  tab: number;
  /** All of it; otherwise only the button for those who have neither a pointer nor a keyboard. */
  whole: boolean;
}

export function HoverBar({ chat, message, tab, whole }: HoverProps) {
  const say = words().chat;
  const answers = whole && canAnswer(message);
  return (
    <div class="hover-bar">
      {answers && (
        <IconButton
          icon="smile"
          size={20}
          label={say.react}
          tabIndex={tab}
          onClick={(event) => openReactions(chat, message, event.currentTarget)}
        />
      )}
      {answers && (
        <IconButton icon="reply" size={20} label={say.reply} tabIndex={tab} onClick={() => chat.reply(message)} />
      )}
      <IconButton
        icon="more"
        size={20}
        label={say.moreActions}
        tabIndex={tab}
        aria-haspopup="menu"
        onClick={(event) => openActions(chat, message, event.currentTarget)}
      />
    </div>
  );
}
