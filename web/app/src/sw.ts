// The service worker: the files of one version of the app, kept so that it starts without a network,
// and what only a service worker is told (shared from other apps, clicks on notifications).
//
// It keeps nothing but the app's own files: no messages, no pictures, no answers of the server. A
// version is kept as a whole and served as a whole, so an old one works with any server.

import { addShared } from "./share";
import { keepAct, readTold, WOKEN_TAG, type Act, type Told } from "./woken";

export {};

declare const self: ServiceWorkerGlobalScope;
declare const __VERSION__: string;
/** What the app consists of, with the hash of each file. */
declare const __FILES__: Record<string, string>;
declare const __WORKER__: string;

const CACHE = `clownfish-app-${__VERSION__}`;
const INDEX = "/";
const FILES = new Map(Object.entries(__FILES__));

self.addEventListener("install", (event) => event.waitUntil(install()));
self.addEventListener("activate", (event) => event.waitUntil(activate()));
self.addEventListener("message", (event) => {
  if (event.data === "take over") event.waitUntil(self.skipWaiting());
  // A page that is about to be stopped has something to tell, and cannot wait until it is told.
  const { show } = (event.data ?? {}) as { show?: { title: string; options: NotificationOptions } };
  if (show) event.waitUntil(self.registration.showNotification(show.title, show.options));
});

async function install(): Promise<void> {
  const cache = await caches.open(CACHE);
  await Promise.all([...FILES].map(([file, integrity]) => keep(cache, file, integrity)));
}

/**
 * Fetches a file, unless a former version has it: names of the folder `assets` tell the content. What is
 * not what this version consists of is not kept, and the former version stays.
 */
async function keep(cache: Cache, file: string, integrity: string): Promise<void> {
  const fixed = file.startsWith("/assets/");
  const known = fixed ? await caches.match(file) : undefined;
  const answer = known ?? (await fetch(file, { cache: fixed ? "default" : "no-cache", integrity }));
  if (!answer.ok) throw new Error(`${file}: ${answer.status}`);
  await cache.put(file, answer);
}

async function activate(): Promise<void> {
  for (const name of await caches.keys()) {
    if (name.startsWith("clownfish-app-") && name !== CACHE) await caches.delete(name);
  }
  await self.clients.claim();
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (url.origin !== location.origin) return;
  if (request.method === "POST" && url.pathname === "/share") {
    event.respondWith(takeShared(request));
  } else if (request.method === "GET" && request.mode === "navigate" && url.pathname === INDEX) {
    event.respondWith(page());
    event.waitUntil(renewPolicy());
  } else if (request.method === "GET" && FILES.has(url.pathname) && url.pathname !== INDEX) {
    event.respondWith(file(request, url.pathname));
  }
});

/** A file of this version, if it is kept. Unlike `open`, this makes no empty cache. */
function kept(path: string): Promise<Response | undefined> {
  return caches.match(path, { cacheName: CACHE });
}

async function page(): Promise<Response> {
  const known = await kept(INDEX);
  if (known && (await isWhole())) return known;
  const answer = await fetch(INDEX).catch(() => null);
  // Without a network what is left may still do.
  if (!answer) return known ?? Response.error();
  if (answer.ok) await caches.delete(CACHE);
  return answer;
}

/**
 * Whether all of this version is here. What the browser has thrown away is fetched again; where the
 * server has another version by now, it cannot be.
 */
async function isWhole(): Promise<boolean> {
  const cache = await caches.open(CACHE);
  const there = new Set((await cache.keys()).map(({ url }) => new URL(url).pathname));
  const missing = [...FILES].filter(([path]) => !there.has(path));
  try {
    await Promise.all(missing.map(([path, integrity]) => keep(cache, path, integrity)));
    return true;
  } catch {
    return false;
  }
}

async function file(request: Request, path: string): Promise<Response> {
  const answer = (await kept(path)) ?? (await fetch(request));
  // The browser has thrown a part of this version away, and the server has a newer one. Once only: a
  // server that lacks a file of its own version would have the page load for ever.
  if (answer.status !== 404 || !(await caches.delete(CACHE))) return answer;
  for (const client of await self.clients.matchAll()) client.postMessage({ reload: true });
  // Where the script itself is missing, nobody hears that.
  if (request.destination !== "script") return answer;
  return new Response("location.reload();", { headers: { "content-type": "text/javascript" } });
}

/** The content policy is kept with the files it is for. The server's may have changed meanwhile. */
async function renewPolicy(): Promise<void> {
  for (const path of [INDEX, __WORKER__]) {
    try {
      const [old, answer] = [await kept(path), await fetch(path, { cache: "no-cache" })];
      const text = await answer.clone().text();
      if (!old || !answer.ok || text !== (await old.text())) continue;
      await (await caches.open(CACHE)).put(path, answer);
    } catch {
      return; // Without a network there is nothing new.
    }
  }
}

/**
 * Keeps what another app shares until the page takes it, and shows the page. A page of others that says where it
 * is gets nothing in; one that does not say looks like an app. So what comes here takes nothing from what waits,
 * the page shows all of it, and nobody but a person sends it.
 */
async function takeShared(request: Request): Promise<Response> {
  if (request.referrer.startsWith("http") && new URL(request.referrer).origin !== location.origin) {
    return Response.redirect("/", 303);
  }
  try {
    const form = await request.formData();
    const words = ["title", "text", "url"].map((name) => form.get(name)).filter(isText);
    // A form has one without name and content where no file was chosen.
    const files = form.getAll("files").filter((one) => one instanceof File && (one.name !== "" || one.size > 0)) as File[];
    await addShared(words.join("\n"), files);
  } catch {
    // What cannot be read is not shared; the page shows what there is.
  }
  return Response.redirect("/#/share", 303);
}

function isText(value: FormDataEntryValue | null): value is string {
  return typeof value === "string" && value !== "";
}

self.addEventListener("push", (event) => event.waitUntil(woken(event)));

/** The server says that something is there, and not what: the page finds out. */
async function woken(event: PushEvent): Promise<void> {
  const windows = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  if (windows.some((one) => one.visibilityState === "visible")) return;
  const told = { ...plain(), ...(await readTold().catch(() => ({}))) };
  const what = kind(event);
  const options: WokenOptions = {
    tag: WOKEN_TAG,
    icon: "/icons/icon-192.png",
    data: { hash: "#/" },
    silent: told.silent,
    // Heard again, though it only replaces the one that is there. Strangers have not earned that.
    renotify: !told.silent && what !== "stranger",
  };
  await self.registration.showNotification(told[what], options);
  // How many there are the page knows: it puts the number, or takes the mark away.
  await self.navigator.setAppBadge?.().catch(() => undefined);
}

interface WokenOptions extends NotificationOptions {
  renotify: boolean;
}

function kind(event: PushEvent): "message" | "call" | "request" | "stranger" {
  try {
    const { kind } = event.data?.json() as { kind?: unknown };
    if (kind === "call" || kind === "request" || kind === "stranger") return kind;
  } catch {
    // Whatever it is, something is there.
  }
  return "message";
}

/** Until the page has said it in the language that was chosen. */
function plain(): Told {
  return navigator.language.startsWith("de")
    ? {
        message: "Neue Nachricht",
        call: "Jemand hat angerufen",
        request: "Jemand möchte Kontakt aufnehmen",
        stranger: "Nachricht von jemand Unbekanntem",
        silent: false,
      }
    : {
        message: "New message",
        call: "Somebody called",
        request: "Somebody wants to be in touch",
        stranger: "A message from somebody new",
        silent: false,
      };
}

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const { hash, address } = (event.notification.data ?? {}) as { hash?: unknown; address?: unknown };
  const place = typeof hash === "string" && hash.startsWith("#/") ? hash : "#/";
  // What is written into a notification; `undefined` where the system has no field for it.
  const { reply } = event as NotificationEvent & { reply?: string | null };
  const written = event.action === "reply" ? (reply ?? "").trim() : null;
  const acts = typeof address === "string" && (event.action === "read" || written);
  event.waitUntil(acts ? act({ address, reply: written }, place) : show(place));
});

/** Has a page do it, in the background if there is one. */
async function act(what: Act, place: string): Promise<void> {
  await keepAct(what);
  const windows = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  for (const one of windows) one.postMessage({ act: true });
  // Only a page can send or mark something.
  if (windows.length === 0) await self.clients.openWindow(`/${place}`);
}

/** Brings a window of the app to the front, at a place in it, or opens one. */
async function show(place: string): Promise<void> {
  const windows = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const there = windows.find((one) => one.visibilityState === "visible") ?? windows[0];
  if (!there) {
    await self.clients.openWindow(`/${place}`);
    return;
  }
  there.postMessage({ go: place });
  await there.focus();
}
