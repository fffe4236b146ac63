// Notifications while the page is open, the count in the title and on the icon, and a sound.

import { computed, effect, signal } from "@preact/signals";

import type { CoreHost } from "../../core/api";
import { fill, words } from "../../i18n";
import { format, go, route } from "../../route";
import type { Notification as Notice, Store } from "../../state/store";
import { attentive } from "../chat/attention";
import { writing } from "../chat/composer/writer";
import { doActs, keepTold, WOKEN_TAG, type Act } from "../../woken";
import { ask } from "../ask";
import { phone, toast } from "../kit";
import { problemText } from "../people/problem";
import { reasonOf, reasonText } from "../reason";
import { countUnread, current, hasSent, markRead } from "./conversations";
import { dropHeld, forgetHeld, handOver, hold, wasHanded } from "./held";
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
  // On a phone the details lie over the conversation.
  const covered = phone.peek() && route.peek().at === "details";
  return attentive.peek() && current() === address && !covered;
}

/** What a notification says of a conversation: the last lines that nobody has seen. */
interface Shown {
  lines: string[];
  count: number;
  /** Where the page shows it itself. */
  made: Notification | null;
}

const shown = new Map<string, Shown>();
/** So many lines of a conversation fit. */
const MOST_LINES = 4;

/** What TypeScript does not know of notifications yet. */
interface Options extends NotificationOptions {
  renotify: boolean;
  actions: { action: string; type?: "text"; title: string; placeholder?: string }[];
}

/** Shows a notification, unless its conversation is on screen. A newer one of it takes its place. */
export async function notify(notice: Notice): Promise<void> {
  if (wasHanded(notice) || onScreen(notice.address) || !settings.value.notify) return;
  if (permission.value !== "granted") {
    if (settings.value.sound) chime();
    return;
  }
  const one = noted(notice);
  // The service worker has made a sound for it already.
  const heard = await withdraw(WOKEN_TAG);
  const { title, options } = composed(notice, one, heard);
  const worker = await navigator.serviceWorker?.getRegistration().catch(() => undefined);
  if (worker?.active) {
    await worker.showNotification(title, options);
    return;
  }
  const { actions: _, ...plain } = options;
  const made = new Notification(title, plain);
  made.onclick = () => {
    window.focus();
    go({ at: "chat", address: notice.address, message: null });
    made.close();
  };
  one.made = made;
}

/** Has the service worker show what waits: this page is about to be stopped, and nothing can be waited for. */
function handHeld(store: Store): void {
  const worker = navigator.serviceWorker?.controller;
  if (!worker || permission.value !== "granted" || !settings.value.notify) return;
  handOver((notice) => {
    // Read on the other device meanwhile.
    if (store.conversation(notice.address)?.unread === 0) return;
    worker.postMessage({ show: composed(notice, noted(notice), false) });
  }, (newest) => isTakenBack(store, newest));
}

/** Of what is in no window only the list tells that it was taken back: where it stands, nothing came after it. */
function isTakenBack(store: Store, { address }: Notice): boolean {
  const preview = store.conversation(address)?.preview;
  return preview?.said === false && reasonOf(preview.text)?.code === "previewRetracted";
}

/** Adds what a notification says to what its conversation has to say. */
function noted(notice: Notice): Shown {
  const known = shown.get(notice.address);
  const one: Shown = {
    lines: [...(known?.lines ?? []), said(notice).text].slice(-MOST_LINES),
    count: (known?.count ?? 0) + 1,
    made: known?.made ?? null,
  };
  shown.set(notice.address, one);
  return one;
}

/** From whom it is, and what it says. */
function said({ occasion, message, title, text }: Notice): { name: string; text: string } {
  const w = words().shell;
  if (occasion === "stranger") return { name: w.notifyStranger, text: w.notifyStrangerText };
  // What is of no message the core says itself, in English; so it does what happens in rooms.
  if (message === null) return { name: reasonText(title), text: reasonText(text) };
  return { name: title, text: EVENTS.has(reasonOf(text)?.code ?? "") ? reasonText(text) : text };
}

const EVENTS: ReadonlySet<string> = new Set(["previewAsks", "previewInvited", "previewDeclined"]);

/** How it is shown; `heard` without a sound. */
function composed(notice: Notice, one: Shown, heard: boolean): { title: string; options: Options } {
  const w = words().shell;
  const { sound, notifyText } = settings.value;
  const title = notifyText ? said(notice).name : w.notifyHidden;
  const read = { action: "read", title: w.markRead };
  const reply = { action: "reply", type: "text" as const, title: w.notifyReply, placeholder: w.notifyReplyHint };
  // What the core says itself is no message that could be answered; to a stranger nobody answers unseen.
  const actions = notice.message === null || notice.occasion === "stranger" ? [] : [read, reply];
  const options: Options = {
    body: notifyText ? one.lines.join("\n") : "",
    tag: notice.address,
    icon: "/icons/icon-192.png",
    // The system makes the sound, and again for each message: one that only replaces another is silent.
    silent: !sound || heard,
    renotify: sound && !heard,
    actions,
    data: { hash: format({ at: "chat", address: notice.address, message: null }), address: notice.address },
  };
  return { title: notifyText && one.count > 1 ? fill(w.notifyCount, { name: title, n: one.count }) : title, options };
}

/** What was seen needs no notification. Whether there was one. */
async function withdraw(address: string): Promise<boolean> {
  shown.get(address)?.made?.close();
  shown.delete(address);
  const worker = await navigator.serviceWorker?.getRegistration().catch(() => undefined);
  const old = await worker?.getNotifications({ tag: address }).catch(() => []);
  for (const one of old ?? []) one.close();
  return (old ?? []).length > 0;
}

/** Nobody is signed in any more, and nothing of theirs stays on the screen. */
export async function withdrawAll(): Promise<void> {
  for (const { made } of shown.values()) made?.close();
  shown.clear();
  const worker = await navigator.serviceWorker?.getRegistration().catch(() => undefined);
  const old = await worker?.getNotifications().catch(() => []);
  for (const one of old ?? []) one.close();
}

/** Does what was pressed in a notification. Whether nothing of it can be lost any more. */
async function act(store: Store, { address, reply }: Act, begun: number | null): Promise<boolean> {
  if (reply !== null && !(await isSent(store, address, reply, begun))) {
    // It waits where it can be sent again: in the field, where there is one, which knows of no other draft.
    const composer = writing.get(address);
    if (composer) return composer.giveBack(reply);
    const draft = [store.conversation(address)?.draft, reply].filter(Boolean).join("\n");
    return ask(store, { do: "draft", address, text: draft });
  }
  await markRead(store, address);
  return true;
}

/** Whether a reply is in the timeline, now or since somebody began to send it. */
async function isSent(store: Store, to: string, text: string, begun: number | null): Promise<boolean> {
  const since = begun ?? Date.now();
  if (begun === null) {
    const outcome = await store.ask({ do: "send", to, text, replyTo: null });
    if (outcome.is !== "failed") return true;
    if (outcome.problem.kind !== "restarted") {
      toast({ text: problemText(outcome.problem), problem: true });
      return false;
    }
  }
  return hasSent(store, to, since, ({ content }) => content.is === "text" && content.text === text);
}

/** Keeps the title, the badge and the notifications in step with what is unread. */
export function startNotifying(store: Store, host: Pick<CoreHost, "state">): void {
  // Where nothing can be shown, the list has it.
  store.onNotify = (notice) => void notify(notice).catch(() => undefined);
  store.onHeld = hold;
  store.onGone = dropHeld;
  document.addEventListener("freeze", () => handHeld(store));
  addEventListener("pagehide", () => handHeld(store));
  navigator.serviceWorker?.addEventListener("message", (event) => {
    if ((event.data as { act?: unknown } | null)?.act === true) acts();
  });
  const signedIn = computed(() => Boolean(store.account.value));
  // A window that had to give the account away still shows it.
  const working = computed(() => signedIn.value && host.state.value.is === "working");
  const acts = () =>
    void doActs(() => working.peek(), (one, begun) => act(store, one, begun)).catch(() => undefined);
  effect(() => {
    if (working.value) acts();
  });
  effect(() => {
    // A window that had to give the account away hears no more of what waits.
    if (!working.value) forgetHeld();
  });
  effect(() => {
    // Who is not signed in is not woken.
    if (!signedIn.value) return;
    const { wokenMessage: message, wokenCall: call, wokenRequest: request, notifyStranger: stranger } = words().shell;
    void keepTold({ message, call, request, stranger, silent: !settings.value.sound }).catch(() => undefined);
  });
  const looked = () => {
    if (document.visibilityState === "visible") void withdraw(WOKEN_TAG);
  };
  document.addEventListener("visibilitychange", looked);
  looked();
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
