// Records a voice message.

import { signal } from "@preact/signals";

import { words } from "../../../i18n";
import { holdsUnsent } from "../../../unsent";
import { toast } from "../../kit";

export type Recording = "idle" | "starting" | "held" | "locked" | "paused";

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

  /** Gets what was recorded. */
  onDone: (file: File) => void = () => {};

  #stream: MediaStream | null = null;
  #recorder: MediaRecorder | null = null;
  #context: AudioContext | null = null;
  #chunks: Blob[] = [];
  #keep = false;
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
    this.#run(stream);
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
    this.#last = performance.now();
    this.#recorder.resume();
    this.state.value = "locked";
  }

  /** Ends, and gives what was recorded. */
  send(): void {
    if (!this.#recorder) return this.cancel();
    if (this.milliseconds.peek() < SHORTEST_MS) {
      this.cancel();
      toast(words().chat.recordShort);
      return;
    }
    this.#keep = true;
    this.#recorder.stop();
  }

  /** Nobody looks at it any more: it waits, if there is something. */
  leave(): void {
    if (this.state.peek() === "starting") this.cancel();
    else this.pause();
  }

  /** Ends, and throws it away. */
  cancel(): void {
    this.#wanted = "idle";
    this.#keep = false;
    if (this.#recorder && this.#recorder.state !== "inactive") this.#recorder.stop();
    else if (this.state.peek() !== "starting") this.#end();
  }

  #run(stream: MediaStream): void {
    const [type = "", end = "webm"] = TYPES.find(([one]) => MediaRecorder.isTypeSupported(one)) ?? [];
    const recorder = new MediaRecorder(stream, { ...(type && { mimeType: type }), audioBitsPerSecond: 32_000 });
    this.#stream = stream;
    this.#recorder = recorder;
    this.#chunks = [];
    this.#keep = false;
    recorder.ondataavailable = ({ data }) => this.#chunks.push(data);
    recorder.onstop = () => {
      const file = this.#keep ? this.#file(recorder.mimeType || type, end) : null;
      this.#end();
      if (file) this.onDone(file);
    };
    this.milliseconds.value = 0;
    this.#last = performance.now();
    this.state.value = this.#wanted;
    recorder.start(1_000);
    this.#listen(stream);
  }

  #file(type: string, end: string): File {
    const stamp = new Date().toISOString().slice(0, 19).replace(/[:T]/g, "-");
    const plain = type.split(";", 1)[0] ?? type;
    return new File(this.#chunks, `voice-message-${stamp}.${end}`, { type: plain });
  }

  /** Follows the time and the loudness. */
  #listen(stream: MediaStream): void {
    const context = new AudioContext();
    const analyser = context.createAnalyser();
    analyser.fftSize = 1024;
    context.createMediaStreamSource(stream).connect(analyser);
    this.#context = context;
    const samples = new Float32Array(analyser.fftSize);
    this.#tick = setInterval(() => {
      if (this.#recorder?.state !== "recording") return;
      const now = performance.now();
      this.milliseconds.value += now - this.#last;
      this.#last = now;
      analyser.getFloatTimeDomainData(samples);
      let sum = 0;
      for (const sample of samples) sum += sample * sample;
      const level = Math.min(1, Math.sqrt(sum / samples.length) * 4);
      this.levels.value = [...this.levels.peek(), level].slice(-LEVELS);
      if (this.milliseconds.peek() > LONGEST_MS) this.pause();
    }, 80);
  }

  #end(): void {
    clearInterval(this.#tick);
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    void this.#context?.close();
    this.#stream = null;
    this.#recorder = null;
    this.#context = null;
    this.#chunks = [];
    this.levels.value = [];
    this.state.value = "idle";
  }
}
