// What is drawn of a sound: how long it is, and its loudness over time, for which it is decoded whole. A sound
// that is nearly silent takes a few bytes for each minute and megabytes once it is decoded, so it is asked how
// long it is before that. What it says of itself may be wrong: one that took the page down is not tried again.

import { peaks } from "../logic/files";

export const BARS = 42;
/** Larger or longer ones are not decoded only to draw them. */
const MOST_BYTES = 4_000_000;
const MOST_SECONDS = 15 * 60;
/** The rate at which it is decoded: nobody listens to that. */
const RATE = 16_000;
/** Milliseconds in which a sound says how long it is. */
const PATIENCE = 10_000;
const MOST_KNOWN = 500;
/** Sounds whose decoding was begun and not finished. */
const TRIED = "clownfish.sounds";
const MOST_TRIED = 50;

/** What is known of a sound; without bars it is only played. */
export interface Heard {
  bars: number[] | null;
  /** 0 when nobody knows. */
  seconds: number;
}

/** What asks a browser about a sound. */
export interface Ears {
  /** How long it says it is; `NaN` when it does not say. */
  measure(url: string): Promise<number>;
  decode(blob: Blob): Promise<Heard>;
}

const known = new Map<string, Promise<Heard>>();
/** One is decoded after the other. */
let turn: Promise<unknown> = Promise.resolve();
let decoding: string | null = null;
// Who leaves meanwhile was not taken down.
addEventListener("pagehide", () => end());

/** Listens to a sound, once. */
export function heardOf(name: string, file: { blob: Blob; url: string }, ears: Ears = BROWSER): Promise<Heard> {
  const found = known.get(name);
  if (found) return found;
  const coming = listen(name, file, ears);
  if (known.size > MOST_KNOWN) known.clear();
  known.set(name, coming);
  return coming;
}

async function listen(name: string, { blob, url }: { blob: Blob; url: string }, ears: Ears): Promise<Heard> {
  const seconds = await ears.measure(url).catch(() => NaN);
  const only: Heard = { bars: null, seconds: Number.isFinite(seconds) ? seconds : 0 };
  if (!(seconds <= MOST_SECONDS) || blob.size > MOST_BYTES || tried().includes(name)) return only;
  const heard = turn.then(async () => {
    decoding = name;
    note([...tried(), name]);
    const decoded = await ears.decode(blob).catch(() => only);
    end();
    return decoded;
  });
  turn = heard;
  return heard;
}

function end(): void {
  if (decoding !== null) note(tried().filter((one) => one !== decoding));
  decoding = null;
}

function tried(): string[] {
  try {
    const all: unknown = JSON.parse(localStorage.getItem(TRIED) ?? "[]");
    return Array.isArray(all) ? all.filter((one) => typeof one === "string") : [];
  } catch {
    return [];
  }
}

function note(names: string[]): void {
  try {
    if (names.length === 0) localStorage.removeItem(TRIED);
    else localStorage.setItem(TRIED, JSON.stringify(names.slice(-MOST_TRIED)));
  } catch {
    // Nothing can be kept here.
  }
}

const BROWSER: Ears = {
  measure: (url) =>
    new Promise((resolve) => {
      const audio = new Audio();
      const done = (seconds: number) => {
        clearTimeout(late);
        audio.onloadedmetadata = audio.ondurationchange = audio.onseeked = audio.onerror = null;
        audio.removeAttribute("src");
        resolve(seconds);
      };
      const late = setTimeout(() => done(NaN), PATIENCE);
      const look = () => Number.isFinite(audio.duration) && done(audio.duration);
      audio.preload = "metadata";
      audio.onloadedmetadata = () => {
        // Some recorders do not write it down: it is known to who was at the end.
        if (!look()) audio.currentTime = Number.MAX_SAFE_INTEGER;
      };
      audio.ondurationchange = look;
      audio.onseeked = () => look() || done(audio.currentTime);
      audio.onerror = () => done(NaN);
      audio.src = url;
    }),
  decode: async (blob) => {
    const decoder = new OfflineAudioContext(1, 1, RATE);
    const sound = await decoder.decodeAudioData(await blob.arrayBuffer());
    return { bars: peaks(sound.getChannelData(0), BARS), seconds: sound.duration };
  },
};
