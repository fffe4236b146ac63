// What can be done with a message.

import type { Message } from "../../../core/types";
import { words } from "../../../i18n";
import { openMenu, type MenuItem, type Point } from "../../kit";
import { toggled } from "../logic/rows";
import { copyable } from "../logic/text";
import { save } from "../media/save";
import { canAnswer, canDeleteHere, canEdit, canModerate, canRemove, canStar, type Chat } from "../state";
import { isUnsent, waitsForKeys } from "../timeline/describe";
import { QuickReactions } from "./quick";

/** Opens the menu of a message, with a row of reactions on top. */
export function openActions(chat: Chat, message: Message, at: Point | Element): void {
  const reacts = canAnswer(message);
  openMenu({
    label: words().chat.actions,
    items: actionsOf(chat, message),
    at,
    ...(reacts && { header: (close) => <QuickReactions chat={chat} message={message} close={close} /> }),
  });
}

/** Opens only the row of reactions. */
export function openReactions(chat: Chat, message: Message, at: Element): void {
  chat.sheet.value = { is: "quick", message: message.id, at };
}

/** Reacts, or takes the reaction back. */
export function react(chat: Chat, message: Message, emoji: string): void {
  const now = chat.message(message.id) ?? message;
  void chat.try({ do: "react", message: now.id, emoji: toggled(now, chat.self, emoji) });
}

function actionsOf(chat: Chat, message: Message): MenuItem[] {
  const say = words().chat;
  const failed = message.delivery?.is === "failed";
  const unsent = isUnsent(message);
  const items: (MenuItem | false)[] = [
    failed && { label: say.retry, icon: "retry", run: () => void chat.try({ do: "retry", message: message.id }) },
    maySendPlain(chat, message) && { label: say.sendPlain, icon: "lockOpen", run: () => void chat.askSendPlain(message) },
    canAnswer(message) && { label: say.reply, icon: "reply", run: () => chat.reply(message) },
    copyable(message) !== null && { label: say.copy, icon: "copy", run: () => void chat.copy([message]) },
    message.content.is === "file" && { label: say.save, icon: "download", run: () => void save(chat, message) },
    canAnswer(message) && {
      label: say.forward,
      icon: "forward",
      run: () => (chat.sheet.value = { is: "forward", messages: [message] }),
    },
    canEdit(message) && { label: say.edit, icon: "edit", run: () => chat.edit(message) },
    canStar(message) && {
      label: message.starred ? say.unstar : say.star,
      icon: message.starred ? "starOff" : "star",
      run: () => void chat.try({ do: "star", message: message.id, starred: !message.starred }),
    },
    { label: say.select, icon: "check", run: () => chat.choose(message) },
    {
      label: say.messageDetails,
      icon: "info",
      run: () => (chat.sheet.value = { is: "details", message: message.id }),
    },
    unsent && { label: say.discard, icon: "trash", danger: true, run: () => void chat.askDiscard(message) },
    canModerate(chat, message) && {
      label: words().rooms.moderate,
      icon: "trash",
      danger: true,
      run: () => void chat.askModerate(message),
    },
    canDeleteHere(message) && { label: say.deleteHere, icon: "trash", danger: true, run: () => void chat.askDeleteHere([message]) },
    !unsent && canRemove(message) && { label: say.remove, icon: "trash", danger: true, run: () => void chat.askRemove([message]) },
  ];
  return items.filter((item) => item !== false);
}

/** Whether a message was not sent because nobody could read it, and can be sent in plain text. */
function maySendPlain(chat: Chat, message: Message): boolean {
  const refused = message.delivery?.is === "failed" && chat.encrypted && chat.unencryptable.peek();
  return waitsForKeys(chat, message) || refused;
}
