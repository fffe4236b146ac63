// Notifications while the page is open, the count in the title and on the icon, and a sound.

import { effect, signal } from "@preact/signals";

import { fill, words } from "../../i18n";
import { format, go } from "../../route";
import type { Notification as Notice, Store } from "../../state/store";
import { WOKEN_TAG } from "../../woken";
import { countUnread, current } from "./conversations";
import { settings } from "./settings";
import { now } from "./time";

/** Whether this browser lets the page show notifications; it has none at all when "unsupported". */
export const permission = signal<NotificationPermission | "unsupported">(
  "Notification" in globalThis ? Notification.permission : "unsupported",
);

/** Asks for it; only ever because a button was pressed. */
export async function askPermission(): Promise<void> {
  if (permission.value === "unsupported") return;
  permission.value = await Notification.requestPermission();
}

/** Whether somebody looks at this conversation now. */
function onScreen(address: string): boolean {
  return document.visibilityState === "visible" && document.hasFocus() && current() === address;
}

const shown = new Map<string, Notification>();

/** Shows a notification, unless its conversation is on screen. A newer one of it takes its place. */
export function notify(notice: Notice): void {
  if (onScreen(notice.address) || !settings.value.notify) return;
  if (settings.value.sound) chime();
  if (permission.value !== "granted") return;
  void withdraw(WOKEN_TAG);
  const w = words().shell;
  const hides = !settings.value.notifyText;
  const hash = format({ at: "chat", address: notice.address, message: null });
  const title = hides ? w.notifyHidden : notice.title;
  const options: NotificationOptions = {
    body: hides ? "" : notice.text,
    tag: notice.address,
    icon: "/icons/icon-192.png",
    silent: true,
    data: { hash },
  };
  try {
    const made = new Notification(title, options);
    made.onclick = () => {
      window.focus();
      go({ at: "chat", address: notice.address, message: null });
      made.close();
    };
    made.onclose = () => shown.get(notice.address) === made && shown.delete(notice.address);
    shown.set(notice.address, made);
  } catch {
    // On phones only the service worker may show one; it opens the page at `data.hash`.
    void navigator.serviceWorker?.ready.then((worker) => worker.showNotification(title, options));
  }
}

/** What was seen needs no notification. */
async function withdraw(address: string): Promise<void> {
  shown.get(address)?.close();
  shown.delete(address);
  const worker = await navigator.serviceWorker?.getRegistration().catch(() => undefined);
  const old = await worker?.getNotifications({ tag: address }).catch(() => []);
  for (const one of old ?? []) one.close();
}

/** Keeps the title, the badge and the notifications in step with what is unread. */
export function startNotifying(store: Store): void {
  store.onNotify = notify;
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") void withdraw(WOKEN_TAG);
  });
  let before = new Set<string>();
  effect(() => {
    const unread = new Set(store.list.value.filter((one) => one.unread > 0).map((one) => one.address));
    for (const address of before) if (!unread.has(address)) void withdraw(address);
    before = unread;
  });
  effect(() => {
    const count = store.account.value ? countUnread(store.list.value, now.value) : 0;
    document.title = count > 0 ? fill(words().shell.titleUnread, { n: count }) : "Clownfish";
    const badge = count > 0 ? navigator.setAppBadge?.(count) : navigator.clearAppBadge?.();
    badge?.catch(() => undefined); // Not allowed here: the title has it.
  });
}

let audio: AudioContext | null = null;

/** Two soft notes. */
export function chime(): void {
  try {
    audio ??= new AudioContext();
    for (const [at, pitch] of [[0, 660], [0.11, 880]] as const) {
      const tone = audio.createOscillator();
      const loud = audio.createGain();
      const start = audio.currentTime + at;
      tone.frequency.value = pitch;
      loud.gain.setValueAtTime(0, start);
      loud.gain.linearRampToValueAtTime(0.12, start + 0.015);
      loud.gain.exponentialRampToValueAtTime(0.0005, start + 0.32);
      tone.connect(loud).connect(audio.destination);
      tone.start(start);
      tone.stop(start + 0.35);
    }
  } catch {
    // No sound here.
  }
}
