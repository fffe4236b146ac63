// The core for the page: a worker of this tab, as long as this tab has the account (leader.ts).
//
// Requests wait for the worker to start. When it breaks, or another tab takes the account, those
// that it was given end with a failure, and a new worker goes on from the store. A request to send
// ends as soon as the message is in the store; one that was refused is not there. What ends as
// `restarted` may have been done before nobody could say so: the store tells. Windows are opened again.

import { batch, signal } from "@preact/signals";

import { CORE, CORE_HASH, WORKER } from "../build";
import { script } from "../trusted";
import type { CoreHost, CoreState, FailedWhy, Squares } from "./api";
import { describe } from "./device";
import { Leader } from "./leader";
import { Picture } from "./picture";
import type { FromWorker, Question, Questions, ToWorker } from "./protocol";
import type { Command, Notice, Outcome } from "./types";

/** Starts in a row that may fail, and milliseconds before the next one. */
const MOST_STARTS = 6;
const FIRST_WAIT = 500;
const LONGEST_WAIT = 15_000;
/** A worker that lasted so long was a good one. */
const STABLE = 60_000;
/** Milliseconds a worker has to close its store. */
const PATIENCE = 3_000;
/** A page that was out of sight for so long may have lost its connection without notice. */
const AWAY = 20_000;
/** Requests that may wait for a worker. */
const MOST_WAITING = 1_000;

/** Starts the core of this tab. */
export function startCore(): CoreHost {
  return new Client();
}

interface Asked {
  resolve(answer: unknown): void;
  reject(error: Error): void;
}

class Client implements CoreHost {
  readonly state = signal<CoreState>({ is: "starting" });
  readonly #picture = new Picture();
  readonly #listeners: ((notice: Notice) => void)[] = [];
  readonly #requests = new Map<number, (outcome: Outcome) => void>();
  /** Corrections that were kept, and may fail yet. */
  readonly #corrections = new Set<number>();
  readonly #questions = new Map<number, Asked>();
  /** What waits for a worker that has started. */
  #waiting: ToWorker[] = [];
  /** Windows the page has open, the first to be opened first. */
  readonly #windows = new Set<string>();
  #active: boolean | null = null;
  #number = 0;
  #leader: Leader | null = null;
  #worker: Worker | null = null;
  /** It takes requests. */
  #started = false;
  #startedAt = 0;
  #starts = 0;
  #again: ReturnType<typeof setTimeout> | undefined;
  #onStopped: (() => void) | null = null;
  /** Another tab wants the account, and this one takes leave. */
  #leaving = false;

  constructor() {
    const missing = unsupported();
    if (missing !== null) {
      this.#fail("unsupported", missing);
      return;
    }
    this.#leader = new Leader({
      arrive: () => {
        this.#starts = 0;
        this.#start();
      },
      leave: () => this.#stop(),
      wait: () => {
        this.state.value = { is: "elsewhere" };
        this.#giveUp("the account is open in another tab");
      },
    });
    watchAway(() => this.#post({ is: "wake" }));
  }

  useHere(): void {
    if (this.state.value.is !== "elsewhere") return;
    this.state.value = { is: "starting" };
    this.#leader?.takeOver();
  }

  erase(): void {
    if (this.state.value.is !== "failed" || this.#leader === null) return;
    this.#starts = 0;
    this.#windows.clear();
    this.#start(true);
  }

  request(command: Command): Promise<Outcome> {
    this.#remember(command);
    return new Promise((resolve) => {
      const number = (this.#number += 1);
      this.#requests.set(number, (outcome) => {
        if (command.do === "correct" && outcome.is === "kept") this.#corrections.add(number);
        resolve(outcome);
      });
      if (!this.#queue({ is: "request", number, command })) {
        this.#done(number, failed("the core of Clownfish is not at work in this tab"));
      }
    });
  }

  listen(listener: (notice: Notice) => void): void {
    batch(() => this.#picture.tell(listener));
    this.#listeners.push(listener);
  }

  picture(avatar: string): Promise<Blob | null> {
    return this.#ask("picture", { avatar });
  }

  give(file: Blob): Promise<string> {
    return this.#ask("give", { file });
  }

  file(local: string, mediaType: string | null): Promise<Blob | null> {
    return this.#ask("file", { local, mediaType });
  }

  qr(text: string): Promise<Squares> {
    return this.#ask("qr", { text });
  }

  scan(picture: ImageData): Promise<string[]> {
    const { width, height, data } = picture;
    return this.#ask("scan", { width, height, rgba: data.slice().buffer });
  }

  #ask<Kind extends keyof Questions>(
    kind: Kind,
    ask: Questions[Kind]["ask"],
  ): Promise<Questions[Kind]["answer"]> {
    const number = (this.#number += 1);
    const answer = new Promise((resolve, reject) => {
      this.#questions.set(number, { resolve, reject });
    });
    const question = { kind, ...ask } as Question;
    if (!this.#queue({ is: "question", number, question })) {
      this.#refuse(number, "the core of Clownfish is not at work in this tab");
    }
    return answer as Promise<Questions[Kind]["answer"]>;
  }

  /** What a new worker must be told, because the core does not keep it. */
  #remember(command: Command): void {
    if (command.do === "open" || command.do === "openAt") this.#windows.add(command.address);
    if (command.do === "close") this.#windows.delete(command.address);
    if (command.do === "setActive") this.#active = command.active;
  }

  /** Gives it to the worker, now or when it has started. */
  #queue(message: ToWorker): boolean {
    if (this.#started) return this.#post(message);
    const may = this.state.value.is === "starting" && this.#waiting.length < MOST_WAITING;
    if (may) this.#waiting.push(message);
    return may;
  }

  #post(message: ToWorker): boolean {
    this.#worker?.postMessage(message);
    return this.#worker !== null;
  }

  #start(erase = false): void {
    this.state.value = { is: "starting" };
    this.#starts += 1;
    this.#started = false;
    const worker = new Worker(script(WORKER), { type: "module", name: "clownfish" });
    this.#worker = worker;
    worker.onmessage = (event: MessageEvent<FromWorker>) => {
      if (worker === this.#worker) this.#onMessage(event.data);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      if (worker === this.#worker) this.#broken(event.message || "its worker did not start");
    };
    const touch = matchMedia("(pointer: coarse)").matches;
    const device = describe(navigator.userAgent, touch, Math.min(screen.width, screen.height));
    this.#post({ is: "start", device, core: { url: CORE, hash: CORE_HASH }, erase });
  }

  #onMessage(message: FromWorker): void {
    switch (message.is) {
      case "started":
        return this.#onStarted();
      case "notices":
        // What is drawn of them is worked out once: a start tells thousands in one message.
        return batch(() => message.notices.forEach((notice) => this.#onNotice(notice)));
      case "answer":
        this.#questions.get(message.number)?.resolve(message.answer);
        this.#questions.delete(message.number);
        return;
      case "refused":
        return this.#refuse(message.number, message.reason);
      case "wiped":
        // It has nothing to close any more, and the next one removes what is left.
        this.#drop();
        this.#windows.clear();
        this.#giveUp("the account was signed out");
        this.#starts = 0;
        return this.#start();
      case "stopped":
        return this.#onStopped?.();
      case "failed":
        if (message.why !== "crashed") {
          this.#drop();
          return this.#fail(message.why, message.reason);
        }
        return this.#broken(message.reason);
    }
  }

  #onStarted(): void {
    this.#startedAt = performance.now();
    const before = this.#waiting;
    this.#waiting = [];
    this.#started = true;
    this.state.value = { is: "working" };
    // The page has them open since before this core: it shows them anew. What waits may open more.
    const asked = new Set(before.flatMap((one) => (one.is === "request" ? opens(one.command) : [])));
    const active = this.#active;
    if (active !== null) void this.request({ do: "setActive", active });
    for (const address of this.#windows) {
      if (!asked.has(address)) void this.request({ do: "open", address });
    }
    before.forEach((message) => this.#post(message));
  }

  #onNotice(notice: Notice): void {
    if (notice.is === "done") {
      this.#done(notice.number, notice.outcome);
      return;
    }
    this.#picture.apply(notice);
    for (const listener of this.#listeners) listener(notice);
  }

  #done(number: number, outcome: Outcome): void {
    const resolve = this.#requests.get(number);
    if (!resolve && this.#corrections.delete(number) && outcome.is === "failed") {
      // What became of a message is said below it; a correction only disappears.
      for (const listener of this.#listeners) listener({ is: "done", number, outcome });
    }
    this.#requests.delete(number);
    resolve?.(outcome);
  }

  #refuse(number: number, reason: string): void {
    this.#questions.get(number)?.reject(new Error(reason));
    this.#questions.delete(number);
  }

  /** The core is in no defined state: another one goes on from the store. */
  #broken(reason: string): void {
    if (this.#leaving) {
      // There is nothing to close any more.
      this.#drop();
      return this.#onStopped?.();
    }
    const stable = this.#started && performance.now() - this.#startedAt > STABLE;
    if (stable) this.#starts = 0;
    this.#drop();
    this.#giveUpGiven(reason);
    if (this.#starts >= MOST_STARTS) return this.#fail("crashed", reason);
    this.state.value = { is: "starting" };
    const wait = Math.min(FIRST_WAIT * 2 ** this.#starts, LONGEST_WAIT);
    this.#again = setTimeout(() => this.#start(), wait);
  }

  #fail(why: FailedWhy, words: string): void {
    this.state.value = { is: "failed", why, words };
    this.#giveUp(words);
  }

  /** Another tab wants the account. */
  async #stop(): Promise<void> {
    this.#leaving = true;
    clearTimeout(this.#again);
    this.state.value = { is: "elsewhere" };
    if (this.#worker !== null && this.#started) {
      const stopped = new Promise<void>((resolve) => {
        this.#onStopped = resolve;
        setTimeout(resolve, PATIENCE);
      });
      this.#post({ is: "stop" });
      await stopped;
      this.#onStopped = null;
    }
    this.#drop();
    this.#giveUp("the account is open in another tab");
    this.#leaving = false;
  }

  #drop(): void {
    clearTimeout(this.#again);
    this.#corrections.clear();
    this.#worker?.terminate();
    this.#worker = null;
    this.#started = false;
  }

  /** Ends what the worker was given. */
  #giveUpGiven(reason: string): void {
    const waiting = new Set(this.#waiting.flatMap((one) => ("number" in one ? [one.number] : [])));
    for (const number of [...this.#requests.keys()]) {
      if (!waiting.has(number)) this.#done(number, failed(reason));
    }
    for (const number of [...this.#questions.keys()]) {
      if (!waiting.has(number)) this.#refuse(number, reason);
    }
  }

  /** Ends everything that was asked. */
  #giveUp(reason: string): void {
    this.#waiting = [];
    this.#giveUpGiven(reason);
  }
}

function opens(command: Command): string[] {
  return command.do === "open" || command.do === "openAt" ? [command.address] : [];
}

function failed(words: string): Outcome {
  return { is: "failed", problem: { kind: "restarted", words } };
}

/** What the browser lacks, in words. */
function unsupported(): string | null {
  if (!globalThis.isSecureContext) return "the page did not come over a secure connection";
  if (!("WebAssembly" in globalThis)) return "the browser runs no WebAssembly";
  if (!navigator.locks) return "the browser cannot share an account between tabs";
  if (!navigator.storage?.getDirectory) return "the browser keeps no private files";
  if (!("indexedDB" in globalThis) || !crypto.subtle) return "the browser keeps no keys";
  return null;
}

/** Calls `back` when the page comes into sight after a while. */
function watchAway(back: () => void): void {
  let since = performance.now();
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") since = performance.now();
    else if (performance.now() - since > AWAY) back();
  });
}
