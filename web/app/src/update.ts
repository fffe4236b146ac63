// The service worker, as the page sees it: it is registered here, and a new version of the app waits
// until somebody agrees, or until the last window of the old one is closed.

import { signal, type ReadonlySignal } from "@preact/signals";

import { script } from "./trusted";
import { hasUnsent, keepUnsent } from "./unsent";

const ready = signal(false);
let waiting: ServiceWorker | null = null;
/** The new version has taken charge already, and this window waits. */
let changed = false;
/** Nothing is offered before, in milliseconds since 1970. */
let quietUntil = 0;

/** A new version is here and waits for `applyUpdate`. */
export const updateReady: ReadonlySignal<boolean> = ready;

/**
 * Changes to the new version: every window of the app loads again. Drafts are in the store; a window
 * with something that is only in its memory waits until its bar is pressed. `false`, and nothing happens, when
 * something that belongs into the store cannot be put there, unless it is done `anyway`.
 */
export async function applyUpdate(anyway = false): Promise<boolean> {
  if (!(await keepUnsent()) && !anyway) return false;
  if (changed) location.reload();
  else waiting?.postMessage("take over");
  return true;
}

/** Not now: it is offered again after some hours, and at the next start. */
export function postponeUpdate(): void {
  quietUntil = Date.now() + LATER;
  ready.value = false;
}

/** Registers the service worker and looks for new versions from now on. */
export async function startUpdates(): Promise<void> {
  if (!("serviceWorker" in navigator)) return;
  const workers = navigator.serviceWorker;
  // The first one takes charge of a page that is as new as itself.
  let old = workers.controller !== null;
  workers.addEventListener("controllerchange", () => {
    // Without one nothing has taken charge: somebody wiped what the browser keeps of this site.
    if (workers.controller === null) return;
    if (old) again();
    old = true;
  });
  workers.addEventListener("message", (event) => {
    const message = event.data as { go?: unknown; reload?: unknown };
    if (typeof message.go === "string" && message.go.startsWith("#/")) location.hash = message.go;
    if (message.reload === true) again();
  });
  const registration = await workers.register(script("/sw.js"), { updateViaCache: "none" });
  const offer = (): void => {
    waiting = registration.waiting;
    const there = changed || (waiting !== null && workers.controller !== null);
    ready.value = there && Date.now() >= quietUntil;
  };
  offer();
  // One may be on its way already.
  const watch = (): void => registration.installing?.addEventListener("statechange", offer);
  watch();
  registration.addEventListener("updatefound", watch);
  const look = (): void => {
    if (document.visibilityState !== "visible") return;
    offer();
    // Offline is no reason to say anything.
    registration.update().catch(() => {});
  };
  document.addEventListener("visibilitychange", look);
  setInterval(look, HOUR);
}

/** The files of this window are of another version now. */
function again(): void {
  if (hasUnsent()) wait();
  else void keepUnsent().then((kept) => (kept ? location.reload() : wait()));
}

/** Parts that are not loaded yet are gone: the bar stays until it is pressed. */
function wait(): void {
  changed = true;
  quietUntil = 0;
  ready.value = true;
}

const HOUR = 60 * 60 * 1000;
const LATER = 8 * HOUR;
