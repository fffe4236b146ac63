// Where in the program somebody is, kept in the address bar behind the `#`, so that the buttons of
// the browser and of the phone go back as people expect. The server never sees it.

import { signal } from "@preact/signals";

import { parseAddress } from "./ui/people/address";
import type { RoomLink } from "./ui/people/links";

export type Route =
  | { at: "list" }
  | { at: "chat"; address: string; message: number | null }
  | { at: "details"; address: string }
  | { at: "add" }
  /** Making a private group, or an open channel. */
  | { at: "group" }
  | { at: "channel" }
  /** What a link into a room says besides is not in the address bar: its secret is not for the history. */
  | { at: "join"; address: string | null; link?: RoomLink }
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
  // The place itself is replaced, not the step of what is open over it.
  if (replace && returning === 0 && overs() > 0 && format(to) !== location.hash) leaveSteps();
  if (returning === 0) return move(to, replace);
  goal = to;
  waiting.push(() => {
    goal = null;
    move(to, replace);
  });
  route.value = to;
}

function move(to: Route, replace: boolean): void {
  const hash = format(to);
  if (hash === location.hash) {
    again.value += 1;
    if (to.at === "join") route.value = to;
    return;
  }
  // The step of what is open over a place becomes the new place: nothing is open there.
  if (replace || overs() > 0) history.replaceState({ steps: steps() }, "", hash);
  else history.pushState({ steps: steps() + 1 }, "", hash);
  route.value = to;
}

/** Goes back to the place, below the steps of what is open over it; that is closed by whoever opened it. */
function leaveSteps(): void {
  for (const one of over) one.depth = 0;
  returning += 1;
  history.go(-overs());
}

interface Over {
  close: () => void;
  /** A window covers the place and what was open over it before, and goes with them. */
  window: boolean;
  /** How many steps of this kind lead to its own; 0 without one. */
  depth: number;
}

/** What is open over the place: the topmost last. */
const over: Over[] = [];
// A page that was loaded anew has nothing open.
if (overs() > 0) history.replaceState({ steps: steps() }, "", location.hash);
/** Steps that were taken back here, of which the browser has yet to tell. */
let returning = 0;
/** What has to wait for that, because it would be taken back as well. */
const waiting: (() => void)[] = [];
/** Where that leads. */
let goal: Route | null = null;

function settled(work: () => void): void {
  if (returning === 0) work();
  else waiting.push(work);
}

function takeBack(): void {
  returning += 1;
  history.back();
}

/**
 * Notes that something is open over the place. Esc ends it before it leaves the place; so does going back, if it
 * is a `step` of its own. A `window` sees to Esc itself, and is closed where going back leaves the place; a
 * `windowStep` is one with a step. What is given back is called when it is closed.
 */
export function openOver(close: () => void, how: "here" | "step" | "window" | "windowStep"): () => void {
  const one: Over = { close, window: how === "window" || how === "windowStep", depth: 0 };
  over.push(one);
  const push = () => {
    if (!over.includes(one)) return;
    one.depth = overs() + 1;
    history.pushState({ steps: steps() + 1, overs: one.depth }, "", location.hash);
  };
  if (how === "step" || how === "windowStep") settled(push);
  return () => {
    if (remove(one)) settled(() => one.depth > 0 && one.depth <= overs() && takeBack());
  };
}

/** It is not open any more; what is above it is a step less deep. Whether it was. */
function remove(one: Over): boolean {
  const at = over.indexOf(one);
  if (at < 0) return false;
  over.splice(at, 1);
  if (one.depth > 0) for (const other of over) if (other.depth > one.depth) other.depth -= 1;
  return true;
}

/** Closes what is open over the place, the topmost. Whether there was anything. */
export function closeOver(): boolean {
  const top = over.findLast((one) => !one.window);
  top?.close();
  return top !== undefined;
}

/** Steps of this kind that led here. */
function overs(): number {
  return numberIn("overs");
}

/** Goes back; to where one level up is when nothing of this page is there to go back to. */
export function back(): void {
  settled(() => (steps() > 0 ? history.back() : go(above(route.value), true)));
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
  if (returning > 0) {
    returning -= 1;
    while (returning === 0 && waiting.length > 0) waiting.shift()?.();
  } else {
    const there = parse(location.hash);
    // A window does not outlive what it lies over.
    const lowest = over.findIndex((one) => one.depth > overs());
    endWhat((one, at) => one.depth > overs() || (one.window && lowest >= 0 && at > lowest));
    if (format(there) !== format(route.peek())) endWhat((one) => one.window);
    // A step of something that is not open any more leads nowhere.
    if (overs() > Math.max(0, ...over.map((one) => one.depth))) takeBack();
  }
  route.value = goal ?? parse(location.hash);
});

/** Closes what is open, from above; its steps are behind already. */
function endWhat(is: (one: Over, at: number) => boolean): void {
  for (const one of over.filter(is).reverse()) {
    over.splice(over.indexOf(one), 1);
    one.close();
  }
}
