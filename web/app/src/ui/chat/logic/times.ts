// Times as people write them, in the language of the page. Making a format is slow, so they are kept.

import { language, region } from "../../../i18n";

const formats = new Map<string, Intl.DateTimeFormat>();

function format(name: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const tag = region();
  const key = `${tag} ${name}`;
  let found = formats.get(key);
  if (!found) {
    found = new Intl.DateTimeFormat(tag, options);
    formats.set(key, found);
  }
  return found;
}

/** 14:05 */
export function minute(time: number): string {
  return format("minute", { timeStyle: "short" }).format(time);
}

/** Everything, for details. */
export function exact(time: number): string {
  return format("exact", { dateStyle: "full", timeStyle: "medium" }).format(time);
}

/** A date and a time, short. */
export function brief(time: number): string {
  return format("brief", { dateStyle: "medium", timeStyle: "short" }).format(time);
}

/** A day: "today", "yesterday", a weekday, or a date. */
export function day(time: number, now: number): string {
  const days = Math.round((startOf(now) - startOf(time)) / 86_400_000);
  if (days === 0 || days === 1) {
    const relative = new Intl.RelativeTimeFormat(language.value, { numeric: "auto" });
    return capital(relative.format(-days, "day"));
  }
  if (days > 1 && days < 7) return format("weekday", { weekday: "long" }).format(time);
  const sameYear = new Date(time).getFullYear() === new Date(now).getFullYear();
  return sameYear
    ? format("date", { weekday: "short", day: "numeric", month: "long" }).format(time)
    : format("year", { day: "numeric", month: "long", year: "numeric" }).format(time);
}

function startOf(time: number): number {
  const date = new Date(time);
  return new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
}

function capital(text: string): string {
  return text.charAt(0).toLocaleUpperCase(language.value) + text.slice(1);
}
