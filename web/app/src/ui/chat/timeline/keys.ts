// Reading and acting by keyboard: the arrows go from message to message, letters act on the one
// that has the focus.

import { isEvent } from "../logic/rows";
import { canAnswer, canEdit, canRemove, type Chat } from "../state";
import { openActions } from "../actions/menu";
import type { Scroller } from "./scroller";

export function keyOfMessage(event: KeyboardEvent, chat: Chat, scroller: Scroller): void {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  const target = event.target as HTMLElement;
  const list = event.currentTarget as HTMLElement;
  const inside = target !== list && !target.hasAttribute("data-message");
  if (event.key === "Escape") {
    if (chat.chosen.peek()) chat.chosen.value = null;
    else if (inside) target.closest<HTMLElement>("[data-message]")?.focus();
    else if (target !== list) chat.focusComposer();
    else return;
    event.preventDefault();
    event.stopPropagation();
    return;
  }
  if (inside) return;
  if (move(event.key, chat, scroller, target === list)) event.preventDefault();
  else if (target !== list && act(event.key, chat, target)) event.preventDefault();
}

function move(key: string, chat: Chat, scroller: Scroller, outside: boolean): boolean {
  const messages = chat.messages.peek();
  const { first, last } = scroller.sight.peek();
  const active = chat.active.peek();
  const now = active === null ? -1 : scroller.heights.index(active, first);
  const near = now >= first - 50 && now <= last + 50;
  let to: number;
  switch (key) {
    case "ArrowUp":
      to = outside || !near ? last : now - 1;
      break;
    case "ArrowDown":
      to = outside || !near ? first : now + 1;
      break;
    case "PageUp":
      to = Math.max(0, first - Math.max(1, last - first - 1));
      break;
    case "PageDown":
      to = Math.min(messages.length - 1, last + Math.max(1, last - first - 1));
      break;
    case "Home":
      to = 0;
      break;
    case "End":
      if (chat.window.peek()?.newer) {
        void chat.latest();
        return true;
      }
      to = messages.length - 1;
      break;
    default:
      return false;
  }
  const message = messages[to];
  if (message) chat.mover?.focus(message.id);
  else if (to >= messages.length && !outside) chat.focusComposer();
  return true;
}

function act(key: string, chat: Chat, target: HTMLElement): boolean {
  const message = chat.message(Number(target.dataset["message"]));
  if (!message || isEvent(message)) return false;
  switch (key) {
    case " ":
    case "x":
      chat.choose(message);
      return true;
    case "Enter": // The menu key and Shift-F10 come as an event of their own.
      openActions(chat, message, target.querySelector(".bubble") ?? target);
      return true;
    case "r":
      if (canAnswer(message)) chat.reply(message);
      return true;
    case "e":
      if (canEdit(message)) chat.edit(message);
      return true;
    case "c":
      void chat.copy([message]);
      return true;
    case "Delete":
      if (canRemove(message)) void chat.askRemove([message]);
      else if (message.delivery?.is === "failed") void chat.askDiscard(message);
      return true;
  }
  return false;
}
