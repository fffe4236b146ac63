// What the screen and the person's system are like, as signals.

import { signal, type ReadonlySignal } from "@preact/signals";

/** Whether a media query holds, kept current. */
export function media(query: string): ReadonlySignal<boolean> {
  const list = matchMedia(query);
  const matches = signal(list.matches);
  list.addEventListener("change", (event) => {
    matches.value = event.matches;
  });
  return matches;
}

/** One pane at a time. */
export const phone = media("(max-width: 719.98px)");
/** Moves by a finger: no hovering. */
export const touch = media("(pointer: coarse)");
/** Somebody who does not want things to move. */
export const still = media("(prefers-reduced-motion: reduce)");
