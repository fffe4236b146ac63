// Where in the program somebody is, kept in the address bar behind the `#`, so that the buttons of
// the browser and of the phone go back as people expect. The server never sees it.

import { signal } from "@preact/signals";

import { parseAddress } from "./ui/people/address";

export type Route =
  | { at: "list" }
  | { at: "chat"; address: string; message: number | null }
  | { at: "details"; address: string }
  | { at: "add" }
  /** Making a private group, or an open channel. */
  | { at: "group" }
  | { at: "channel" }
  | { at: "join"; address: string | null }
  | { at: "requests" }
  /** Messages with a star: of all conversations, or of one. */
  | { at: "starred"; address: string | null }
  /** Something came from another app. */
  | { at: "share" }
  | { at: "settings"; page: string | null };

export const route = signal<Route>(parse(location.hash));

/** Counts how often somebody wanted to go where they are: to a message that was scrolled away, for example. */
export const again = signal(0);

/** Goes there. `replace` leaves no step to go back to. */
export function go(to: Route, replace = false): void {
  const hash = format(to);
  if (hash === location.hash) {
    again.value += 1;
    return;
  }
  // The step of what is open over a place becomes the new place: nothing is open there.
  if (replace || overs() > 0) history.replaceState({ steps: steps() }, "", hash);
  else history.pushState({ steps: steps() + 1 }, "", hash);
  route.value = to;
}

interface Over {
  close: () => void;
  /** There is a step of the history for it. */
  stepped: boolean;
}

/** What is open over the place without being a window: the topmost last. */
const over: Over[] = [];
// A page that was loaded anew has nothing open.
if (overs() > 0) history.replaceState({ steps: steps() }, "", location.hash);
/** Steps that were taken back here, of which the browser has yet to tell. */
let returning = 0;

/**
 * Notes that something is open over the place. Esc ends it before it leaves the place; so does going back, if it
 * is a step of its own. What is given back is called when it is closed.
 */
export function openOver(close: () => void, step: boolean): () => void {
  const one: Over = { close, stepped: step };
  over.push(one);
  if (step) history.pushState({ steps: steps() + 1, overs: overs() + 1 }, "", location.hash);
  return () => {
    const at = over.indexOf(one);
    if (at < 0) return;
    over.splice(at, 1);
    if (!one.stepped || overs() === 0) return;
    returning += 1;
    history.back();
  };
}

/** Closes what is open over the place, the topmost. Whether there was anything. */
export function closeOver(): boolean {
  const top = over.at(-1);
  top?.close();
  return top !== undefined;
}

/** Steps of this kind that led here. */
function overs(): number {
  return numberIn("overs");
}

/** Goes back; to where one level up is when nothing of this page is there to go back to. */
export function back(): void {
  if (steps() > 0) history.back();
  else go(above(route.value), true);
}

/** Steps within this page that led here. What is before them belongs to others. */
function steps(): number {
  return numberIn("steps");
}

function numberIn(name: "steps" | "overs"): number {
  const state = history.state as Record<string, unknown> | null;
  const found = typeof state === "object" ? state?.[name] : 0;
  return typeof found === "number" ? found : 0;
}

/** One level up. */
export function above(from: Route): Route {
  if (from.at === "details") return { at: "chat", address: from.address, message: null };
  if (from.at === "starred" && from.address) return { at: "chat", address: from.address, message: null };
  if (from.at === "group" || from.at === "join") return { at: "add" };
  if (from.at === "channel") return { at: "join", address: null };
  if (from.at === "settings" && from.page) return { at: "settings", page: null };
  return { at: "list" };
}

export function parse(hash: string): Route {
  const [at, first, second] = hash.replace(/^#\/?/, "").split("/").map(decoded);
  switch (at) {
    case "chat": {
      if (!first) break;
      const message = Number(second);
      return { at, address: written(first), message: Number.isSafeInteger(message) && second ? message : null };
    }
    case "details":
      if (!first) break;
      return { at, address: written(first) };
    case "join":
    case "starred":
      return { at, address: first || null };
    case "add":
    case "group":
    case "channel":
    case "requests":
    case "share":
      return { at };
    case "settings":
      return { at, page: first || null };
  }
  return { at: "list" };
}

export function format(to: Route): string {
  const parts: (string | number)[] = [to.at];
  if (to.at === "chat") parts.push(to.address, ...(to.message === null ? [] : [to.message]));
  if ((to.at === "join" || to.at === "starred") && to.address) parts.push(to.address);
  if (to.at === "details") parts.push(to.address);
  if (to.at === "settings" && to.page) parts.push(to.page);
  return `#/${parts.map((part) => encodeURIComponent(part)).join("/")}`;
}

/** An address as servers write it: under another one nothing would come. */
function written(address: string): string {
  const read = parseAddress(address);
  return read.is === "right" ? read.address : address;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return "";
  }
}

addEventListener("popstate", () => {
  if (returning > 0) returning -= 1;
  else if (overs() < over.filter((one) => one.stepped).length) {
    const top = over.findLast((one) => one.stepped);
    if (top) over.splice(over.indexOf(top), 1);
    top?.close();
  }
  route.value = parse(location.hash);
});
