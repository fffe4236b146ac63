// Long lists draw only the lines that are seen.

import { useLayoutEffect, useRef, useState } from "preact/hooks";

/** Lines drawn above and below the seen ones. */
const SPARE = 6;

/** The lines to draw, and what follows the last one of them. */
export interface Range {
  from: number;
  to: number;
}

/** Which of `count` lines of one height are seen, with some spare ones. */
export function range(top: number, height: number, line: number, count: number): Range {
  const first = Math.floor(top / line) - SPARE;
  const last = Math.ceil((top + height) / line) + SPARE;
  return { from: Math.max(0, Math.min(first, count)), to: Math.max(0, Math.min(count, last)) };
}

/**
 * The lines to draw of a list in a scrolling element. `line` is their height in pixels; the list
 * starts where `list` is.
 */
export function useVirtual(count: number, line: number) {
  const scroller = useRef<HTMLDivElement>(null);
  const list = useRef<HTMLUListElement>(null);
  const [shown, setShown] = useState<Range>({ from: 0, to: Math.min(count, 24) });
  const update = () => {
    const element = scroller.current;
    if (!element) return;
    const top = element.scrollTop - (list.current?.offsetTop ?? 0);
    const wanted = range(top, element.clientHeight, line, count);
    setShown((old) => (old.from === wanted.from && old.to === wanted.to ? old : wanted));
  };
  useLayoutEffect(update, [count, line]);
  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const observer = new ResizeObserver(update);
    observer.observe(element);
    return () => observer.disconnect();
  }, [count, line]);
  /** Brings a line into view. */
  const reveal = (index: number) => {
    const element = scroller.current;
    if (!element) return;
    const top = index * line + (list.current?.offsetTop ?? 0);
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top + line > element.scrollTop + element.clientHeight) {
      element.scrollTop = top + line - element.clientHeight;
    }
    update();
  };
  return { scroller, list, shown, onScroll: update, reveal };
}
