// Times of the list: short, and true whenever they are looked at.

import { signal } from "@preact/signals";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** The time as of the last full minute; changes while the page is looked at. */
export const now = signal(Date.now());

/** Keeps `now` current. */
export function startClock(): void {
  const tick = () => {
    now.value = Date.now();
    setTimeout(tick, MINUTE - (Date.now() % MINUTE) + 50);
  };
  tick();
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") now.value = Date.now();
  });
}

export interface TimeWords {
  now: string;
  /** With {n}. */
  minutes: (n: number) => string;
  yesterday: string;
}

/**
 * How long ago, in a few letters: minutes in the first hour, the time of today, the weekday of the
 * last week, then the date. A moment ahead of this clock is "now": somebody's clock is wrong.
 */
export function shortTime(time: number, at: number, tag: string, words: TimeWords): string {
  const ago = at - time;
  if (ago < MINUTE) return words.now;
  if (ago < 60 * MINUTE) return words.minutes(Math.floor(ago / MINUTE));
  const days = daysBetween(time, at);
  if (days === 0) return format(tag, { timeStyle: "short" }, time);
  if (days === 1) return words.yesterday;
  if (days < 7) return format(tag, { weekday: "short" }, time);
  if (ago < 300 * DAY) return format(tag, { day: "numeric", month: "short" }, time);
  return format(tag, { day: "numeric", month: "numeric", year: "2-digit" }, time);
}

/** The date and time in full. */
export function longTime(time: number, tag: string): string {
  return format(tag, { dateStyle: "long", timeStyle: "short" }, time);
}

/** Midnights between two moments, by the clock of this place. */
function daysBetween(from: number, to: number): number {
  const midnight = (time: number) => new Date(time).setHours(0, 0, 0, 0);
  return Math.round((midnight(to) - midnight(from)) / DAY);
}

const formats = new Map<string, Intl.DateTimeFormat>();

function format(tag: string, options: Intl.DateTimeFormatOptions, time: number): string {
  const key = tag + JSON.stringify(options);
  const made = formats.get(key) ?? new Intl.DateTimeFormat(tag, options);
  formats.set(key, made);
  return made.format(time);
}
