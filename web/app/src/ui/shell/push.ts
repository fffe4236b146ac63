// Web Push: the server wakes the service worker while no page is open. The browser's subscription
// follows the permission and the setting; the core tells the server of it.

import { computed, effect } from "@preact/signals";

import type { Store } from "../../state/store";
import { permission } from "./notify";
import { settings } from "./settings";

/**
 * Keeps the subscription in step with what was allowed: once with every new connection, and when the
 * wish is another one. An account is told anew with each message, which says nothing of that.
 */
export function startPush(store: Store): void {
  let work = Promise.resolve();
  const wanted = computed(() => permission.value === "granted" && settings.value.notify);
  const state = computed(() => {
    const account = store.account.value;
    return account === null ? "nobody" : account?.connection.is === "online" ? "online" : "offline";
  });
  effect(() => {
    const [is, wish] = [state.value, wanted.value];
    // One after the other: the last wish counts.
    if (is === "nobody") work = work.then(unsubscribe).catch(() => undefined);
    else if (is === "online") work = work.then(() => agree(store, wish)).catch(() => undefined);
  });
}

async function manager(): Promise<PushManager | undefined> {
  const worker = await navigator.serviceWorker?.getRegistration();
  return worker?.pushManager;
}

/** Nobody is signed in here: whoever still knows the subscription finds it gone. */
async function unsubscribe(): Promise<void> {
  const old = await (await manager())?.getSubscription();
  await old?.unsubscribe();
}

async function agree(store: Store, wanted: boolean): Promise<void> {
  const push = await manager();
  if (!push) return;
  const old = await push.getSubscription();
  if (!wanted) {
    if (!old) return;
    await store.ask({ do: "setPush", subscription: null });
    await old.unsubscribe();
    return;
  }
  const answer = await store.ask({ do: "pushKey" });
  if (answer.is !== "text") return; // The server cannot.
  const key = bytes(answer.text);
  if (old && !same(old.options.applicationServerKey, key)) await old.unsubscribe();
  const options = { userVisibleOnly: true, applicationServerKey: key };
  const { endpoint, keys } = (await push.subscribe(options)).toJSON();
  const { p256dh, auth } = keys ?? {};
  if (!endpoint || !p256dh || !auth) return;
  await store.ask({ do: "setPush", subscription: { endpoint, p256dh, auth } });
}

function bytes(base64url: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64url.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

function same(one: ArrayBuffer | null, other: Uint8Array): boolean {
  const known = one && new Uint8Array(one);
  return known?.length === other.length && known.every((byte, at) => byte === other[at]);
}
