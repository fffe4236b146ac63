// What fingers and the right button do on a row: a swipe answers, a double tap reacts, a rest opens
// the menu, and while messages are being chosen every tap chooses.

import { useEffect, useMemo } from "preact/hooks";

import type { Message } from "../../../core/types";
import { pressHandlers, still } from "../../kit";
import { openActions, react } from "../actions/menu";
import { isEvent } from "../logic/rows";
import { canAnswer, type Chat } from "../state";

/** Pixels of a swipe that count as an answer, and how far the bubble follows. */
const ANSWERS = 52;
const FARTHEST = 72;
const TWICE_MS = 300;
/** The reaction of a double tap. */
export const QUICK = "❤️";

export function useTouches(chat: Chat, message: Message) {
  const state = useMemo(() => ({ message }), []);
  state.message = message;
  const touches = useMemo(() => handlers(chat, () => state.message), [chat]);
  useEffect(() => () => touches.onPointerCancel(), []);
  return touches;
}

function handlers(chat: Chat, current: () => Message) {
  const press = pressHandlers((at) => {
    if (chat.chosen.peek()) chat.choose(current());
    else openActions(chat, current(), at);
  });
  let swipe: { x: number; y: number; line: HTMLElement; going: boolean; far: number } | null = null;
  let tapped = 0;

  const stop = () => {
    press.onPointerCancel();
    if (!swipe) return;
    swipe.line.style.removeProperty("translate");
    swipe.line.classList.remove("message-line-swiped", "message-line-answers");
    swipe = null;
  };
  return {
    onContextMenu: (event: MouseEvent) => {
      // For a pointer, a selection or a link has a better menu: the browser's.
      const finger = event instanceof PointerEvent && event.pointerType === "touch";
      const link = (event.target as Element).closest("a[href]");
      if (!finger && (link || (getSelection()?.toString() ?? "") !== "")) return;
      press.onContextMenu(event);
    },
    onPointerDown: (event: PointerEvent) => {
      press.onPointerDown(event);
      const row = event.currentTarget as HTMLElement;
      const line = row.querySelector<HTMLElement>(".message-line");
      const rail = (event.target as Element).closest(".no-swipe");
      if (event.pointerType !== "touch" || !line || rail || chat.chosen.peek()) return;
      if (!canAnswer(current())) return;
      swipe = { x: event.clientX, y: event.clientY, line, going: false, far: 0 };
    },
    onPointerMove: (event: PointerEvent) => {
      press.onPointerMove(event);
      if (!swipe) return;
      const towards = getComputedStyle(swipe.line).direction === "rtl" ? -1 : 1;
      const along = (event.clientX - swipe.x) * towards;
      if (!swipe.going) {
        if (Math.abs(event.clientY - swipe.y) > 12) return stop();
        if (along < 14) return;
        swipe.going = true;
        (event.currentTarget as Element).setPointerCapture(event.pointerId);
        swipe.line.classList.add("message-line-swiped");
      }
      const before = swipe.far;
      swipe.far = Math.max(0, Math.min(FARTHEST, along - 14));
      if (before < ANSWERS && swipe.far >= ANSWERS) navigator.vibrate?.(8);
      swipe.line.classList.toggle("message-line-answers", swipe.far >= ANSWERS);
      if (!still.peek()) swipe.line.style.translate = `${swipe.far * towards}px 0`;
    },
    onPointerUp: (event: PointerEvent) => {
      const answers = swipe?.going === true && swipe.far >= ANSWERS;
      const moved = swipe?.going === true;
      stop();
      if (answers) chat.reply(current());
      else if (!moved && event.pointerType === "touch") tap(event);
    },
    onPointerCancel: stop,
    onClickCapture: (event: MouseEvent) => {
      press.onClickCapture(event);
      const check = (event.target as Element).closest(".message-check");
      if (event.defaultPrevented || !chat.chosen.peek() || check || isEvent(current())) return;
      event.preventDefault();
      event.stopPropagation();
      chat.choose(current());
    },
  };

  function tap(event: PointerEvent): void {
    const target = event.target as Element;
    if (!target.closest(".bubble") || target.closest("a, button, input") || chat.chosen.peek()) return;
    const twice = event.timeStamp - tapped < TWICE_MS;
    tapped = twice ? 0 : event.timeStamp;
    if (twice && canAnswer(current())) react(chat, current(), QUICK);
  }
}
