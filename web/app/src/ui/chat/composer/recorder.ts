// Records a voice message.

import { signal } from "@preact/signals";

import { words } from "../../../i18n";
import { holdsUnsent } from "../../../unsent";
import { toast } from "../../kit";
import { pause as pauseSound } from "../media/playback";

/** `ended`: it stopped by itself, and what was recorded until then waits. */
export type Recording = "idle" | "starting" | "held" | "locked" | "paused" | "ended";

/** Types in the order in which other clients play them. */
const TYPES: readonly [string, string][] = [
  ["audio/ogg;codecs=opus", "ogg"],
  ["audio/mp4", "m4a"],
  ["audio/webm;codecs=opus", "webm"],
];
/** Shorter than this is a slip of the finger. */
const SHORTEST_MS = 700;
/** It stops by itself after so long. */
const LONGEST_MS = 30 * 60_000;
export const LEVELS = 48;

const recorders = new Map<string, Recorder>();
const lengths = new WeakMap<Blob, number>();

/** How long something plays, in milliseconds, if it was recorded here. */
export function lengthOf(file: Blob): number | null {
  return lengths.get(file) ?? null;
}

/** The recorder of a conversation. */
export function recorderOf(address: string): Recorder {
  const known = recorders.get(address) ?? new Recorder();
  recorders.set(address, known);
  return known;
}

holdsUnsent({
  holds: () => [...recorders.values()].some((one) => one.state.peek() !== "idle"),
  drop: () => recorders.forEach((one) => one.cancel()),
});

export class Recorder {
  readonly state = signal<Recording>("idle");
  readonly milliseconds = signal(0);
  /** How loud it was lately, from 0 to 1, the newest last. */
  readonly levels = signal<readonly number[]>([]);

  /** What was recorded before the microphone went away. */
  readonly rest = signal<File | null>(null);

  /** How far the finger that holds the button has gone, from 0 to 1: up to where it lets go, back to where it ends. */
  readonly slid = signal({ up: 0, back: 0 });

  /** Gets what was recorded. */
  onDone: (file: File) => void = () => {};

  #stream: MediaStream | null = null;
  #recorder: MediaRecorder | null = null;
  #context: AudioContext | null = null;
  #chunks: Blob[] = [];
  /** What becomes of it when it stops; without one it stopped by itself. */
  #end: "send" | "drop" | null = null;
  #tick: ReturnType<typeof setInterval> | undefined;
  #last = 0;
  #wanted: Recording = "idle";

  /** Starts; `held` as long as a finger rests on the button. */
  async start(how: "held" | "locked"): Promise<void> {
    if (this.state.peek() !== "idle") return;
    const say = words().chat;
    if (typeof MediaRecorder === "undefined" || !navigator.mediaDevices) {
      toast({ text: say.recordUnable, problem: true });
      return;
    }
    pauseSound(); // It would be heard in the recording.
    this.state.value = "starting";
    this.#wanted = how;
    let stream: MediaStream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: true, noiseSuppression: true } });
    } catch (error) {
      this.state.value = "idle";
      const missing = error instanceof DOMException && error.name === "NotFoundError";
      toast({ text: missing ? say.recordMissing : say.recordBlocked, problem: true });
      return;
    }
    if ((this.#wanted as Recording) === "idle") {
      for (const track of stream.getTracks()) track.stop();
      this.state.value = "idle";
      return;
    }
    try {
      this.#run(stream);
    } catch {
      for (const track of stream.getTracks()) track.stop();
      this.#clear();
      toast({ text: say.recordUnable, problem: true });
    }
  }

  /** Goes on without the finger. */
  lock(): void {
    this.#wanted = "locked";
    if (this.state.peek() === "held") this.state.value = "locked";
  }

  pause(): void {
    if (this.#recorder?.state !== "recording") return;
    this.#recorder.pause();
    this.state.value = "paused";
  }

  resume(): void {
    if (this.#recorder?.state !== "paused") return;
    pauseSound();
    this.#last = performance.now();
    this.#recorder.resume();
    this.state.value = "locked";
  }

  /** Ends, and gives what was recorded. */
  send(): void {
    const rest = this.rest.peek();
    if (rest) {
      this.#clear();
      return this.onDone(rest);
    }
    if (!this.#recorder) return this.cancel();
    if (this.milliseconds.peek() < SHORTEST_MS) {
      this.cancel();
      toast(words().chat.recordShort);
      return;
    }
    this.#stop("send");
  }

  /** Nobody looks at it any more: it waits, if there is something. */
  leave(): void {
    if (this.state.peek() === "starting") this.cancel();
    else this.pause();
  }

  /** Ends, and throws it away. */
  cancel(): void {
    this.#wanted = "idle";
    if (this.#recorder) this.#stop("drop");
    else if (this.state.peek() !== "starting") this.#clear();
  }

  #stop(end: "send" | "drop"): void {
    this.#end = end;
    // One that stopped by itself a moment ago tells so when this is over.
    if (this.#recorder?.state !== "inactive") this.#recorder?.stop();
  }

  #run(stream: MediaStream): void {
    const [type = "", end = "webm"] = TYPES.find(([one]) => MediaRecorder.isTypeSupported(one)) ?? [];
    const recorder = new MediaRecorder(stream, { ...(type && { mimeType: type }), audioBitsPerSecond: 32_000 });
    this.#stream = stream;
    this.#recorder = recorder;
    this.#chunks = [];
    this.#end = null;
    recorder.ondataavailable = ({ data }) => this.#chunks.push(data);
    recorder.onstop = () => this.#onStop(recorder.mimeType || type, end);
    this.milliseconds.value = 0;
    this.#last = performance.now();
    this.state.value = this.#wanted;
    recorder.start(1_000);
    this.#listen(stream);
  }

  /** Also when nobody asked: a headset was unplugged, a call took the microphone, the permission is gone. */
  #onStop(type: string, end: string): void {
    const asked = this.#end;
    const empty = this.#chunks.every((chunk) => chunk.size === 0);
    const file = asked === "drop" || empty ? null : this.#file(type, end);
    if (asked !== null || file === null) {
      this.#clear();
      if (file) this.onDone(file);
      else if (asked !== "drop") toast({ text: words().chat.recordLost, problem: true });
      return;
    }
    this.#release();
    this.rest.value = file;
    this.state.value = "ended";
    toast({ text: words().chat.recordEnded, problem: true });
  }

  #file(type: string, end: string): File {
    const stamp = new Date().toISOString().slice(0, 19).replace(/[:T]/g, "-");
    const plain = type.split(";", 1)[0] ?? type;
    const file = new File(this.#chunks, `voice-message-${stamp}.${end}`, { type: plain });
    lengths.set(file, Math.round(this.milliseconds.peek()));
    return file;
  }

  /** Follows the time and the loudness. */
  #listen(stream: MediaStream): void {
    const loudness = this.#meter(stream);
    this.#tick = setInterval(() => {
      if (this.#recorder?.state !== "recording") return;
      const now = performance.now();
      this.milliseconds.value += now - this.#last;
      this.#last = now;
      this.levels.value = [...this.levels.peek(), loudness()].slice(-LEVELS);
      if (this.milliseconds.peek() > LONGEST_MS) this.pause();
    }, 80);
  }

  /** How loud it is now, from 0 to 1. What cannot be measured is recorded all the same. */
  #meter(stream: MediaStream): () => number {
    try {
      const context = new AudioContext();
      this.#context = context;
      const analyser = context.createAnalyser();
      analyser.fftSize = 1024;
      context.createMediaStreamSource(stream).connect(analyser);
      const samples = new Float32Array(analyser.fftSize);
      return () => {
        analyser.getFloatTimeDomainData(samples);
        let sum = 0;
        for (const sample of samples) sum += sample * sample;
        return Math.min(1, Math.sqrt(sum / samples.length) * 4);
      };
    } catch {
      return () => 0;
    }
  }

  /** Lets go of the microphone. */
  #release(): void {
    clearInterval(this.#tick);
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    void this.#context?.close().catch(() => undefined);
    this.#stream = null;
    this.#recorder = null;
    this.#context = null;
    this.#chunks = [];
  }

  #clear(): void {
    this.#release();
    this.rest.value = null;
    this.levels.value = [];
    this.slid.value = { up: 0, back: 0 };
    this.state.value = "idle";
  }
}
