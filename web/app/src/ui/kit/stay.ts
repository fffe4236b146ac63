// How long something stays that goes by itself.

/** Milliseconds that it stays at least once it was let go. */
const REST = 2_000;

/**
 * Ends it after so many milliseconds, of which those do not count in which somebody points at it, or the focus
 * is within it: who reads slowly, or is on the way to its button, has the time they need (WCAG 2.2.1).
 * Stops to watch when the function is called.
 */
export function stay(element: HTMLElement | null, milliseconds: number, end: () => void): () => void {
  let left = milliseconds;
  let since = performance.now();
  let timer = setTimeout(end, left);
  let [pointed, focused, held] = [false, false, false];
  const look = () => {
    if (held === (pointed || focused)) return;
    held = !held;
    clearTimeout(timer);
    if (held) {
      left = Math.max(REST, left - (performance.now() - since));
    } else {
      since = performance.now();
      timer = setTimeout(end, left);
    }
  };
  const within = (target: EventTarget | null) => target instanceof Node && element?.contains(target) === true;
  const watch = new AbortController();
  const { signal } = watch;
  const points = (there: boolean) => () => {
    pointed = there;
    look();
  };
  element?.addEventListener("pointerenter", points(true), { signal });
  element?.addEventListener("pointerleave", points(false), { signal });
  // Of the whole page: what is moved elsewhere with the focus in it may not tell that it lost it.
  document.addEventListener("focusin", ({ target }) => ((focused = within(target)), look()), { signal });
  document.addEventListener("focusout", ({ relatedTarget }) => ((focused = within(relatedTarget)), look()), { signal });
  return () => {
    clearTimeout(timer);
    watch.abort();
  };
}
