// Whether somebody looks at the page: only what they can have seen is marked as read.

import { signal, type ReadonlySignal } from "@preact/signals";

function looks(): boolean {
  return document.visibilityState === "visible" && document.hasFocus();
}

const state = signal(looks());

/** The page is in front and has the focus. */
export const attentive: ReadonlySignal<boolean> = state;

function update(): void {
  state.value = looks();
}

document.addEventListener("visibilitychange", update);
addEventListener("focus", update);
addEventListener("blur", update);
