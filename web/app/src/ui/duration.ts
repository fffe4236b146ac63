// How long something is yet, in words.

const UNITS = [
  ["day", 86_400],
  ["hour", 3_600],
] as const;
const MINUTE = ["minute", 60] as const;

/** "7 days", "3 hours", "1 minute": the largest unit of which there is one, rounded, never nothing. */
export function duration(seconds: number, tag: string): string {
  const [unit, length] = UNITS.find(([, length]) => seconds >= length) ?? MINUTE;
  const value = Math.max(1, Math.round(seconds / length));
  return new Intl.NumberFormat(tag, { style: "unit", unit, unitDisplay: "long" }).format(value);
}
