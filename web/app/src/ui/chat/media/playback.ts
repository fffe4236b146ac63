// The sound that plays: one at a time, and of the page, not of the row that began it. It goes on while that row
// is out of sight and while another conversation is read.

import { batch, signal } from "@preact/signals";

import type { Core } from "../../../core/api";
import { still } from "../../kit/media";
import { take, type Local } from "./urls";

export const SPEEDS = [1, 1.5, 2] as const;
/** Sounds whose place is remembered. */
const MOST_LEFT = 100;

export interface Sound {
  core: Core;
  /** The conversation and the message in which it is. */
  address: string;
  message: number;
  /** What the core calls its file. */
  name: string;
  type: string;
  local: Local;
  who: string;
  what: string;
}

/** The sound that was begun and not ended; it may pause. */
export const playing = signal<Sound | null>(null);
export const plays = signal(false);
/** Where it is, in seconds. */
export const at = signal(0);
/** How long it is, as far as the browser knows: 0 otherwise. */
export const length = signal(0);
export const speed = signal<number>(1);
/** Messages with sounds that cannot be played. */
export const broken = signal<ReadonlySet<number>>(new Set());
/** Something on the screen shows it, so that nothing else needs to. */
export const inSight = signal(false);

/** Where sounds were left that were not heard to their end. */
const left = signal<ReadonlyMap<number, number>>(new Map());
const places = new Set<Element>();
let audio: HTMLAudioElement | null = null;
let release = () => {};

/** Plays a sound, or pauses it. */
export function toggle(sound: Sound): void {
  if (playing.peek()?.message !== sound.message) return begin(sound);
  if (plays.peek()) pause();
  else if (audio) start(audio, sound.message);
}

export function pause(): void {
  audio?.pause();
}

/** Ends it; the next time it goes on from where it was. */
export function stop(): void {
  const sound = playing.peek();
  if (!sound) return;
  const [ended, seconds] = [audio, at.peek()];
  audio = null;
  ended?.pause();
  ended?.removeAttribute("src");
  ended?.load();
  release();
  batch(() => {
    playing.value = null;
    plays.value = false;
    leave(sound.message, seconds);
  });
}

/** Ends it, and forgets everything that was played: the account is another one, or gone. */
export function silence(): void {
  stop();
  left.value = new Map();
  broken.value = new Set();
}

/** Where a sound is, or was left. Read while drawing. */
export function whereIs(message: number): number {
  return playing.value?.message === message ? at.value : (left.value.get(message) ?? 0);
}

/** Goes to another place of a sound. */
export function seek(message: number, seconds: number): void {
  if (playing.peek()?.message !== message) return leave(message, seconds);
  if (audio) audio.currentTime = seconds;
  at.value = seconds;
}

/** The next speed, of everything that plays. */
export function faster(): void {
  speed.value = SPEEDS[(SPEEDS.indexOf(speed.peek() as 1) + 1) % SPEEDS.length] ?? 1;
  if (audio) audio.playbackRate = speed.peek();
}

/** Notes whether a part of the page that shows the sound can be seen. */
export function seen(place: Element, there: boolean): void {
  if (there) places.add(place);
  else places.delete(place);
  inSight.value = places.size > 0;
}

function begin(sound: Sound): void {
  stop();
  const element = new Audio();
  audio = element;
  [, release] = take(sound.core, sound.name, sound.type);
  const from = left.peek().get(sound.message) ?? 0;
  batch(() => {
    playing.value = sound;
    at.value = from;
    length.value = 0;
  });
  listen(element, sound);
  element.src = sound.local.url;
  element.defaultPlaybackRate = speed.peek();
  if (from > 0) element.currentTime = from;
  start(element, sound.message);
}

function listen(element: HTMLAudioElement, sound: Sound): void {
  const mine = (then: () => void) => () => {
    if (audio === element) then();
  };
  element.onplay = mine(() => {
    plays.value = true;
    if (!still.peek()) requestAnimationFrame(follow);
  });
  element.onpause = mine(() => (plays.value = false));
  element.ontimeupdate = mine(() => (at.value = element.currentTime));
  element.ondurationchange = mine(() => {
    if (Number.isFinite(element.duration)) length.value = element.duration;
  });
  element.onended = mine(() => {
    at.value = 0;
    stop();
  });
  element.onerror = mine(() => fail(sound.message));
}

function start(element: HTMLAudioElement, message: number): void {
  element.play().catch((error: unknown) => {
    // One that was paused or ended before it began is as good as before.
    const unplayable = error instanceof DOMException && error.name === "NotSupportedError";
    if (audio === element && unplayable) fail(message);
  });
}

function fail(message: number): void {
  broken.value = new Set(broken.peek()).add(message);
  stop();
}

/** Moves with the sound from picture to picture; where less motion is wanted, it goes in the steps of the player. */
function follow(): void {
  if (!audio || !plays.peek() || still.peek()) return;
  at.value = audio.currentTime;
  requestAnimationFrame(follow);
}

function leave(message: number, seconds: number): void {
  const known = new Map(left.peek());
  known.delete(message);
  if (seconds > 0) known.set(message, seconds);
  for (const oldest of known.keys()) {
    if (known.size <= MOST_LEFT) break;
    known.delete(oldest);
  }
  left.value = known;
}
