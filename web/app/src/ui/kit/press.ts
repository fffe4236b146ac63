// What opens the menu of a thing: the right button, the menu key, or a finger that rests.

import { useEffect, useMemo, useRef } from "preact/hooks";

/** A point of the window. */
export interface Point {
  x: number;
  y: number;
}

const REST_MS = 450;
const SLACK = 10;

export interface PressHandlers {
  onContextMenu: (event: MouseEvent) => void;
  onPointerDown: (event: PointerEvent) => void;
  onPointerMove: (event: PointerEvent) => void;
  onPointerUp: () => void;
  onPointerCancel: () => void;
  onClickCapture: (event: MouseEvent) => void;
}

/**
 * Handlers for an element that has a menu. `open` gets where the pointer is, or the middle of the
 * element if the menu was asked for by key. The click that ends a long press does nothing else.
 */
export function usePress(open: (at: Point) => void): PressHandlers {
  const latest = useRef(open);
  latest.current = open;
  const handlers = useMemo(() => pressHandlers((at) => latest.current(at)), []);
  useEffect(() => () => handlers.onPointerCancel(), []);
  return handlers;
}

/** The same outside of a component. */
export function pressHandlers(open: (at: Point) => void): PressHandlers {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let start: Point = { x: 0, y: 0 };
  let opened = false;
  const stop = () => clearTimeout(timer);
  const once = (at: Point) => {
    stop();
    if (opened) return;
    opened = true;
    open(at);
  };
  return {
    onContextMenu: (event) => {
      event.preventDefault();
      // A touch gets here through its own timer as well; whichever is first wins.
      const byKey = event.clientX === 0 && event.clientY === 0;
      if (!(event instanceof PointerEvent) || event.pointerType !== "touch") opened = false;
      once(byKey ? middle(event.currentTarget as Element) : { x: event.clientX, y: event.clientY });
      if (!(event instanceof PointerEvent) || event.pointerType !== "touch") opened = false;
    },
    onPointerDown: (event) => {
      opened = false;
      stop();
      if (event.pointerType !== "touch") return;
      start = { x: event.clientX, y: event.clientY };
      timer = setTimeout(() => {
        navigator.vibrate?.(12);
        once(start);
      }, REST_MS);
    },
    onPointerMove: (event) => {
      if (Math.hypot(event.clientX - start.x, event.clientY - start.y) > SLACK) stop();
    },
    onPointerUp: stop,
    onPointerCancel: stop,
    onClickCapture: (event) => {
      if (!opened) return;
      opened = false;
      event.preventDefault();
      event.stopPropagation();
    },
  };
}

function middle(element: Element): Point {
  const box = element.getBoundingClientRect();
  return { x: box.left + box.width / 2, y: box.top + box.height / 2 };
}
