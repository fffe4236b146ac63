const UNITS: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ["month", 30 * 86_400_000],
  ["week", 7 * 86_400_000],
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
];

/** How long ago, in words: "2 hours ago", "yesterday"; the date after a year. */
export function ago(time: number, now: number, tag: string): string {
  const past = Math.max(0, now - time);
  if (past > 365 * 86_400_000) return new Intl.DateTimeFormat(tag, { dateStyle: "long" }).format(time);
  const format = new Intl.RelativeTimeFormat(tag, { numeric: "auto" });
  for (const [unit, length] of UNITS) {
    if (past >= length) return format.format(-Math.floor(past / length), unit);
  }
  return format.format(0, "second");
}
