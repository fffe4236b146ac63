// Swiping a line of a list sideways.

import type { RefObject } from "preact";
import { useEffect, useRef } from "preact/hooks";

/** Pixels after which a swipe is one, and from which letting go does something. */
const START = 14;
const ENOUGH = 76;

export interface Swipes {
  /** In the direction of reading. */
  onward?: (() => void) | undefined;
  /** Against it. */
  backward?: (() => void) | undefined;
}

/**
 * Moves the element with a finger. How far is in `--swipe` (pixels, signed) and `data-swipe` says
 * what letting go would do: `onward`, `backward`, or nothing yet.
 */
export function useSwipe(element: RefObject<HTMLElement | null>, swipes: Swipes): void {
  // A line that is drawn anew in the middle of a swipe goes on with it.
  const latest = useRef(swipes);
  latest.current = swipes;
  useEffect(() => {
    const target = element.current;
    if (!target) return;
    let from: { x: number; y: number } | null = null;
    let moving = false;
    const rtl = () => getComputedStyle(target).direction === "rtl";

    const stop = () => {
      from = null;
      moving = false;
      target.style.removeProperty("--swipe");
      delete target.dataset["swipe"];
      delete target.dataset["side"];
    };
    const down = (event: PointerEvent) => {
      if (event.pointerType === "touch") from = { x: event.clientX, y: event.clientY };
    };
    const move = (event: PointerEvent) => {
      if (!from) return;
      const x = event.clientX - from.x;
      if (!moving) {
        if (Math.abs(event.clientY - from.y) > START) return stop();
        if (Math.abs(x) < START) return;
        moving = true;
        target.setPointerCapture(event.pointerId);
      }
      const side = x > 0 !== rtl() ? "onward" : "backward";
      if (!latest.current[side]) return target.style.removeProperty("--swipe");
      // Beyond what is needed it follows more slowly.
      const far = Math.abs(x) <= ENOUGH ? Math.abs(x) : ENOUGH + (Math.abs(x) - ENOUGH) / 3;
      target.style.setProperty("--swipe", `${Math.sign(x) * far}px`);
      target.dataset["side"] = side;
      if (Math.abs(x) >= ENOUGH) target.dataset["swipe"] = side;
      else delete target.dataset["swipe"];
    };
    const up = () => {
      const done = target.dataset["swipe"];
      const moved = moving;
      stop();
      if (moved) target.addEventListener("click", swallow, { capture: true, once: true });
      setTimeout(() => target.removeEventListener("click", swallow, { capture: true }), 50);
      if (done === "onward") latest.current.onward?.();
      if (done === "backward") latest.current.backward?.();
    };
    target.addEventListener("pointerdown", down);
    target.addEventListener("pointermove", move);
    target.addEventListener("pointerup", up);
    target.addEventListener("pointercancel", stop);
    return () => {
      target.removeEventListener("pointerdown", down);
      target.removeEventListener("pointermove", move);
      target.removeEventListener("pointerup", up);
      target.removeEventListener("pointercancel", stop);
    };
  }, [element]);
}

function swallow(event: Event): void {
  event.preventDefault();
  event.stopPropagation();
}
