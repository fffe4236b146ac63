// What kinds of files there are, and how each is shown. Types that can carry a program (SVG, HTML)
// are never drawn: they are files to save.

import type { File } from "../../../core/types";

export type Kind = "picture" | "video" | "audio" | "other";

const PICTURES = ["image/jpeg", "image/png", "image/apng", "image/gif", "image/webp", "image/avif", "image/bmp"];
const VIDEOS = ["video/mp4", "video/webm", "video/ogg", "video/quicktime"];
const SOUNDS = [
  "audio/mpeg",
  "audio/mp4",
  "audio/aac",
  "audio/ogg",
  "audio/opus",
  "audio/webm",
  "audio/wav",
  "audio/x-wav",
  "audio/flac",
  "audio/x-m4a",
  "audio/m4a",
];

/** By the ends of names, for files whose type nobody said. */
const ENDS: Record<string, string> = {
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  png: "image/png",
  gif: "image/gif",
  webp: "image/webp",
  avif: "image/avif",
  mp4: "video/mp4",
  m4v: "video/mp4",
  webm: "video/webm",
  mov: "video/quicktime",
  mp3: "audio/mpeg",
  m4a: "audio/mp4",
  aac: "audio/aac",
  ogg: "audio/ogg",
  oga: "audio/ogg",
  opus: "audio/ogg",
  wav: "audio/wav",
  flac: "audio/flac",
};

/** The type of a file, without parameters; from its name when it says none. */
export function typeOf(file: { name: string; mediaType: string | null }): string {
  const said = file.mediaType?.split(";", 1)[0]?.trim().toLowerCase();
  if (said && said !== "application/octet-stream") return said;
  const end = /\.([a-z0-9]{1,5})$/i.exec(file.name)?.[1]?.toLowerCase() ?? "";
  return ENDS[end] ?? "application/octet-stream";
}

export function kindOf(file: { name: string; mediaType: string | null }): Kind {
  const type = typeOf(file);
  if (PICTURES.includes(type)) return "picture";
  if (VIDEOS.includes(type)) return "video";
  if (SOUNDS.includes(type)) return "audio";
  return "other";
}

/** Pictures that can have several frames; what an APNG is called says nothing. */
const MOVING = ["image/png", "image/apng", "image/webp", "image/avif"];

/** Whether a picture may move by itself, and shall not: a GIF never, others not where less motion is wanted. */
export function moves(type: string, still: boolean): boolean {
  return type === "image/gif" || (still && MOVING.includes(type));
}

/** Pictures and sounds up to this size come without being asked for. */
export const AUTOMATIC = 1_000_000;

/** What the browser says of the network, where it says something (Network Information API). */
export interface Network {
  type?: string;
  saveData?: boolean;
}

/** The network, as far as this browser tells. */
export function network(): Network | undefined {
  return (navigator as Navigator & { connection?: Network }).connection;
}

/** Whether it is told what kind of network this is: most browsers say nothing. */
export function isTold(network: Network | undefined): boolean {
  return network?.type !== undefined;
}

/**
 * Whether a file comes without being asked for, as somebody chose it. What is of strangers never does; nor does
 * anything where it depends on a network of which nothing is known.
 */
export function comesByItself(
  file: File,
  where: "always" | "unmetered" | "never",
  network: Network | undefined,
  strangers: boolean,
): boolean {
  if (strangers || file.size === null || file.size > AUTOMATIC) return false;
  if (!["picture", "audio"].includes(kindOf(file))) return false;
  if (where === "unmetered") return isTold(network) && network?.type !== "cellular" && network?.saveData !== true;
  return where === "always";
}

/** A size as people say it, in the numbers of a language. */
export function sized(bytes: number, language: string): string {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"] as const;
  let value = Math.max(0, bytes);
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return new Intl.NumberFormat(language, {
    style: "unit",
    unit: units[unit] ?? "byte",
    unitDisplay: unit === 0 ? "long" : "short",
    maximumFractionDigits: unit > 1 && value < 10 ? 1 : 0,
  }).format(value);
}

/** How many seconds a file plays, as whoever sent it says; of what plays nothing it is not said. */
export function told(file: { name: string; mediaType: string | null; length: number | null }): number | null {
  const plays = ["audio", "video"].includes(kindOf(file));
  return plays && file.length !== null ? file.length / 1000 : null;
}

/** Minutes and seconds of something that plays. */
export function clock(seconds: number): string {
  const whole = Number.isFinite(seconds) ? Math.max(0, Math.floor(seconds)) : 0;
  const rest = String(whole % 60).padStart(2, "0");
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}:${rest}`;
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}:${rest}`;
}

/** The short end of a name, drawn on the card of a file. */
export function ending(name: string): string {
  const end = /\.([\p{L}0-9]{1,5})$/u.exec(name)?.[1];
  return end ? end.toUpperCase() : "";
}

/** A name with its end kept apart, so that only the middle of a long one is left out. */
export function parted(name: string): { start: string; end: string } {
  const keep = Math.min(10, Math.floor(name.length / 2));
  return { start: name.slice(0, name.length - keep), end: name.slice(name.length - keep) };
}

/** The sides of the place a picture gets, of its own sides or a guess. */
export function box(width: number, height: number, room: number): { width: number; height: number } {
  const largest = Math.min(room, 330);
  if (!(width > 0 && height > 0)) return { width: largest, height: Math.round(largest * 0.75) };
  const ratio = Math.min(2.2, Math.max(0.6, width / height));
  const wide = Math.min(largest, Math.max(160, width));
  const high = wide / ratio;
  if (high <= 360) return { width: Math.round(wide), height: Math.round(high) };
  return { width: Math.round(360 * ratio), height: 360 };
}

/** Loudness of a sound in `bars` steps from 0 to 1, the loudest of each step. */
export function peaks(samples: Float32Array, bars: number): number[] {
  const step = Math.max(1, Math.floor(samples.length / bars));
  const found: number[] = [];
  let loudest = 0;
  for (let bar = 0; bar < bars; bar++) {
    let peak = 0;
    for (let at = bar * step; at < Math.min(samples.length, (bar + 1) * step); at += 8) {
      peak = Math.max(peak, Math.abs(samples[at] ?? 0));
    }
    found.push(peak);
    loudest = Math.max(loudest, peak);
  }
  return found.map((peak) => (loudest > 0 ? peak / loudest : 0));
}

/** The sides of a picture made smaller, so that no side is longer than `most`. */
export function within(width: number, height: number, most: number): { width: number; height: number } {
  const factor = Math.min(1, most / Math.max(width, height, 1));
  return {
    width: Math.max(1, Math.round(width * factor)),
    height: Math.max(1, Math.round(height * factor)),
  };
}

/** A name with another end. */
export function renamed(name: string, end: string): string {
  return `${name.replace(/\.[a-z0-9]{1,5}$/i, "") || "picture"}.${end}`;
}

/** A name without the characters that turn text round or steer a terminal: `gpj.exe` must not look
 * like `exe.jpg`. */
export function legible(name: string): string {
  const clean = name.replace(/[\p{Cc}\p{Zl}\p{Zp}\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/gu, "");
  return clean.trim() === "" ? "?" : clean;
}
