// Putting the app on the device, where the browser can.

import { signal } from "@preact/signals";

import { words } from "../../i18n";
import { toast } from "../kit";

/** What Chromium gives a page that can be installed. */
interface InstallEvent extends Event {
  prompt(): Promise<{ outcome: "accepted" | "dismissed" }>;
}

const offer = signal<InstallEvent | null>(null);

addEventListener("beforeinstallprompt", (event) => {
  event.preventDefault(); // Shown when it helps, not when the page is opened.
  offer.value = event as InstallEvent;
});

addEventListener("appinstalled", () => {
  offer.value = null;
  toast(words().welcome.installed);
});

/** Whether the browser would install it now. */
export function installable(): boolean {
  return offer.value !== null;
}

/** Asks the browser to install it; it asks the person. */
export async function install(): Promise<void> {
  const event = offer.peek();
  offer.value = null; // Good once.
  await event?.prompt();
}

/** Says in passing that there is an app, once somebody is in. */
export function offerInstall(): void {
  if (offer.peek() === null) return;
  const w = words().welcome;
  toast({ text: w.ready, action: { label: w.install, run: () => void install() } });
}

/** Runs as an app, not in a tab. */
function standalone(): boolean {
  const safari = "standalone" in navigator && navigator.standalone === true;
  return safari || matchMedia("(display-mode: standalone), (display-mode: fullscreen)").matches;
}

/**
 * Whether this is a browser of an iPhone or iPad: they delete what a page keeps after seven days
 * without a visit, unless it is on the Home Screen.
 */
export function forgetsPages(): boolean {
  const pad = navigator.platform === "MacIntel" && navigator.maxTouchPoints > 1;
  return (/iPhone|iPad|iPod/u.test(navigator.userAgent) || pad) && !standalone();
}
