// What the core cannot do itself in a browser: a WebSocket, clocks, files. Events go in and effects
// come out (web/core/src/worker.rs); the core's step is on disk before its effects are carried out.
//
// Events that wait together are one step with one commit: a page of an archive costs a few commits
// and not a hundred. When the store refuses a step, the core is dropped and another is opened from
// the store after a while; requests that were open then end with the reason.

import { Core, qr_code, qr_scan } from "clownfish-core";

import { MOST_BYTES, claim, forget, keep, read, settle } from "./files";
import type { FromWorker, Question } from "./protocol";
import { Connection } from "./socket";
import { Transfers } from "./transfer";
import type { Command, Notice, Outcome } from "./types";
import type { Device, Effect, Event, Sealed } from "./worker-types";

/** Events of one step: the page must not wait for longer. */
const MOST_EVENTS = 200;
/** Milliseconds before the store is tried again, at first and at most. */
const FIRST_WAIT = 1_000;
const LONGEST_WAIT = 60_000;
/** A clock that jumps further shows that the machine slept. */
const LOOK = 10_000;
const SLEPT = 30_000;
/** The longest time a timer can be set for. */
const LONGEST_TIMER = 2 ** 31 - 1;

export class Driver {
  readonly #key: Uint8Array<ArrayBuffer>;
  readonly #device: Device;
  readonly #tell: (message: FromWorker) => void;
  readonly #wiped: () => void;
  readonly #transfers = new Transfers((event) => this.#onTransfer(event));
  readonly #turn = new MessageChannel();
  /** Requests without an outcome yet, with the name of the file that is given with one. */
  readonly #requests = new Map<number, string | null>();
  /** What requests wait for that come after one with a file. */
  #order: Promise<void> | null = null;
  /** Files that are being fetched. */
  readonly #fetching = new Map<number, string>();
  #core: Core | null = null;
  #inbox: Event[] = [];
  #scheduled = false;
  #connection: Connection | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #again: ReturnType<typeof setTimeout> | undefined;
  #looking: ReturnType<typeof setInterval> | undefined;
  #failures = 0;
  #stopped = false;

  /** `wiped` is called when the account was signed out and the store is empty. */
  constructor(
    key: Uint8Array<ArrayBuffer>,
    device: Device,
    tell: (message: FromWorker) => void,
    wiped: () => void,
  ) {
    this.#key = key;
    this.#device = device;
    this.#tell = tell;
    this.#wiped = wiped;
    this.#turn.port1.onmessage = () => this.#drain();
  }

  /** Opens the store and connects, if there is a login. Throws what the store says. */
  start(): void {
    this.#core = new Core(this.#key, JSON.stringify(this.#device));
    self.addEventListener("online", this.#wake);
    let last = Date.now();
    this.#looking = setInterval(() => {
      const now = Date.now();
      if (now - last > LOOK + SLEPT) this.wake();
      last = now;
    }, LOOK);
    this.#tell({ is: "started" });
    this.#push({ is: "start" });
  }

  request(number: number, command: Command): void {
    if (this.#core === null) {
      this.#tell({ is: "notices", notices: [refused(number, "there is a problem with the storage")] });
      return;
    }
    const file = command.do === "sendFile" ? command.file : null;
    this.#requests.set(number, file);
    const ask = () => {
      // The store may have failed meanwhile: then it has ended.
      if (this.#requests.has(number)) this.#push({ is: "asked", request: { number, command } });
    };
    if (file === null && this.#order === null) return ask();
    // It is no longer among those that nobody has before a message has it. Requests keep their order.
    const before = this.#order ?? Promise.resolve();
    const settled = before.then(() => (file === null ? undefined : settle(file)));
    const order = settled.catch(() => undefined).then(ask);
    this.#order = order;
    void order.then(() => {
      if (this.#order === order) this.#order = null;
    });
  }

  wake(): void {
    this.#push({ is: "networkChanged" });
  }

  readonly #wake = () => this.wake();

  /** Takes leave of the server and closes the store. */
  async stop(): Promise<void> {
    // What was asked for before is done, with a connection or without.
    while (this.#order !== null) await this.#order;
    if (this.#connection !== null) this.#push({ is: "leave" });
    while (this.#core !== null && this.#inbox.length > 0) this.#drain();
    this.#close();
    this.#key.fill(0);
  }

  async answer(question: Question): Promise<unknown> {
    switch (question.kind) {
      case "picture": {
        const bytes = this.#core?.picture(question.avatar);
        // Browsers see by the bytes which kind of picture it is.
        return bytes ? new Blob([bytes as Uint8Array<ArrayBuffer>]) : null;
      }
      case "give": {
        const { file } = question;
        if (file.size > MOST_BYTES) {
          throw new Error(`files of up to ${MOST_BYTES / (1024 * 1024)} MiB can be sent`);
        }
        const sealed = this.#sealed(this.#core?.give());
        if (sealed === null) throw new Error("there is a problem with the storage");
        await claim(sealed.name);
        await keep(sealed, await file.arrayBuffer());
        return sealed.name;
      }
      case "file": {
        const sealed = this.#sealed(this.#core?.file(question.local));
        const bytes = sealed === null ? null : await read(sealed);
        return bytes && new Blob([bytes], { type: question.mediaType ?? "" });
      }
      case "qr": {
        const dark = qr_code(question.text);
        if (!dark) throw new Error("the text is too long for a code");
        return { size: Math.sqrt(dark.length), dark };
      }
      case "scan":
        return qr_scan(question.width, question.height, new Uint8Array(question.rgba));
    }
  }

  #sealed(json: string | undefined): Sealed | null {
    return json === undefined ? null : JSON.parse(json);
  }

  #push(event: Event): void {
    if (this.#core === null) return;
    this.#inbox.push(event);
    this.#schedule();
  }

  /** After what waits for this worker already: more messages of the socket, perhaps. */
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#turn.port2.postMessage(null);
  }

  #drain(): void {
    this.#scheduled = false;
    const core = this.#core;
    if (core === null || this.#inbox.length === 0) return;
    const events = this.#inbox.splice(0, MOST_EVENTS);
    let effects: Effect[];
    try {
      effects = JSON.parse(core.handle(Date.now(), performance.now(), JSON.stringify(events)));
    } catch (error) {
      return this.#failed(error);
    }
    this.#failures = 0;
    this.#carryOut(effects);
    if (this.#inbox.length > 0) this.#schedule();
    this.#setTimer();
  }

  #carryOut(effects: Effect[]): void {
    const notices: Notice[] = [];
    let wiped = false;
    for (const effect of effects) {
      switch (effect.do) {
        case "tell":
          if (effect.notice.is === "done") this.#ended(effect.notice.number, effect.notice.outcome);
          notices.push(effect.notice);
          break;
        case "connect":
          this.#connect();
          break;
        case "send":
          this.#connection?.send(effect.text);
          break;
        case "close":
          this.#disconnect();
          this.#push({ is: "disconnected", reason: null });
          break;
        case "upload":
          this.#transfers.start(effect);
          break;
        case "download": {
          const { name } = effect.into;
          this.#fetching.set(effect.transfer, name);
          void claim(name).finally(() => this.#transfers.start(effect)).catch(() => undefined);
          break;
        }
        case "cancelTransfer":
          this.#transfers.cancel(effect.transfer);
          break;
        case "forget":
          // What cannot be removed now goes when everything does.
          void forget(effect.file).catch(() => undefined);
          break;
        case "wiped":
          wiped = true;
          break;
      }
    }
    if (notices.length > 0) this.#tell({ is: "notices", notices });
    if (wiped) {
      this.#close();
      this.#wiped();
    }
  }

  /** What was given for a message that is not kept is nobody's. */
  #ended(number: number, outcome: Outcome): void {
    const file = this.#requests.get(number);
    this.#requests.delete(number);
    if (file && outcome.is === "failed") void forget(file).catch(() => undefined);
  }

  /**
   * A file that was fetched is no longer among those that nobody has before the core hears of it: it is
   * better to keep one too many than to remove one that a message has.
   */
  #onTransfer(event: Event): void {
    const ended = event.is === "finished" || event.is === "failed";
    const file = ended ? this.#fetching.get(event.transfer) : undefined;
    if (!ended || file === undefined) return this.#push(event);
    this.#fetching.delete(event.transfer);
    void settle(file).catch(() => undefined).then(() => this.#push(event));
  }

  #connect(): void {
    this.#disconnect();
    const connection = new Connection({
      opened: (secure) => this.#push({ is: "connected", secure }),
      received: (text) => this.#push({ is: "received", text }),
      closed: (reason) => {
        this.#connection = null;
        this.#push({ is: "disconnected", reason });
      },
    });
    this.#connection = connection;
  }

  #disconnect(): void {
    this.#connection?.close();
    this.#connection = null;
  }

  #setTimer(): void {
    clearTimeout(this.#timer);
    const deadline = this.#core?.deadline();
    if (deadline === undefined) return;
    const wait = Math.min(Math.max(0, deadline - performance.now()), LONGEST_TIMER);
    // Rounded up: a step before its time would do nothing.
    this.#timer = setTimeout(() => this.#push({ is: "tick" }), Math.ceil(wait));
  }

  /** The step did not happen. Everything begins anew, from the last whole step. */
  #failed(error: unknown): void {
    if (!(error instanceof Error) || error instanceof WebAssembly.RuntimeError) throw error;
    const reason = error.message;
    this.#letGo();
    const notices = [...this.#requests.keys()].map((number) => refused(number, reason));
    // Those that a message has are not among them any more.
    for (const file of this.#requests.values()) if (file) void forget(file).catch(() => undefined);
    this.#requests.clear();
    this.#tell({ is: "notices", notices });
    this.#wait(reason);
  }

  #wait(reason: string): void {
    this.#tell({ is: "notices", notices: [{ is: "storage", reason }] });
    const wait = Math.min(FIRST_WAIT * 2 ** Math.min(this.#failures, 6), LONGEST_WAIT);
    this.#failures += 1;
    this.#again = setTimeout(() => {
      if (this.#stopped) return;
      try {
        this.#core = new Core(this.#key, JSON.stringify(this.#device));
      } catch (error) {
        if (!(error instanceof Error) || error instanceof WebAssembly.RuntimeError) throw error;
        return this.#wait(error.message);
      }
      this.#tell({ is: "started" });
      this.#push({ is: "start" });
    }, wait);
  }

  #letGo(): void {
    const core = this.#core;
    this.#core = null;
    this.#inbox = [];
    this.#disconnect();
    this.#transfers.cancelAll();
    clearTimeout(this.#timer);
    core?.free();
  }

  #close(): void {
    this.#stopped = true;
    self.removeEventListener("online", this.#wake);
    clearInterval(this.#looking);
    clearTimeout(this.#again);
    this.#turn.port1.close();
    this.#letGo();
  }
}

/** The end of a request whose fate is not known. */
function refused(number: number, words: string): Notice {
  const outcome: Outcome = { is: "failed", problem: { kind: "storage", words } };
  return { is: "done", number, outcome };
}
