// Files on their way: uploads (XEP-0363) and downloads, encrypted in passing (XEP-0454).

import { MOST_BYTES, decrypt, encrypt, keep, read, sha256 } from "./files";
import type { Effect, Event } from "./worker-types";

type Upload = Extract<Effect, { do: "upload" }>;
type Download = Extract<Effect, { do: "download" }>;

/**
 * Where the policy of this page let nothing be fetched from, or sent to. The browser tells a worker of that
 * beside the failure, which looks as if nobody were there.
 */
const forbidden = new Set<string>();
/** Milliseconds in which it does. */
const TOLD = 200;
const MOST_FORBIDDEN = 100;

globalThis.addEventListener?.("securitypolicyviolation", (event) => {
  const { blockedURI, effectiveDirective } = event as SecurityPolicyViolationEvent;
  if (effectiveDirective !== "connect-src" || !/^https?:/.test(blockedURI)) return;
  if (forbidden.size < MOST_FORBIDDEN) forbidden.add(new URL(blockedURI).origin);
});

/** Why there was no answer from there. */
export async function unreachable(url: string, told = TOLD): Promise<Error> {
  const { origin, host } = new URL(url);
  const until = performance.now() + told;
  while (!forbidden.has(origin) && performance.now() < until) await new Promise((next) => setTimeout(next, 10));
  if (!forbidden.has(origin)) return new Error("the server of the files cannot be reached");
  return new Error(`files at ${host} are not allowed here; whoever runs the server can allow them (files_from)`);
}

/** Bytes of the file, and SHA-256 of what is on the server. */
interface Done {
  size: number;
  sha256: string;
}

const TAG_BYTES = 16;
/** Milliseconds a server may say nothing. */
const SILENCE = 60_000;
/** Milliseconds between two notices of progress. */
const PROGRESS = 200;

/** Transfers at work, by their number. */
export class Transfers {
  readonly #running = new Map<number, AbortController>();
  readonly #tell: (event: Event) => void;

  /** `tell` hears of progress, and of the end of every transfer that was not cancelled. */
  constructor(tell: (event: Event) => void) {
    this.#tell = tell;
  }

  start(effect: Upload | Download): void {
    const { transfer } = effect;
    const control = new AbortController();
    this.#running.set(transfer, control);
    const progress = seldom((done) => {
      if (!control.signal.aborted) this.#tell({ is: "progress", transfer, done });
    });
    const work =
      effect.do === "upload"
        ? upload(effect, control.signal, progress)
        : download(effect, control.signal, progress);
    void work.then(
      (done) => this.#end(transfer, control, { is: "finished", transfer, ...done }),
      (error) => this.#end(transfer, control, { is: "failed", transfer, reason: words(error) }),
    );
  }

  cancel(transfer: number): void {
    this.#running.get(transfer)?.abort();
    this.#running.delete(transfer);
  }

  cancelAll(): void {
    for (const transfer of [...this.#running.keys()]) this.cancel(transfer);
  }

  #end(transfer: number, control: AbortController, event: Event): void {
    if (control.signal.aborted) return;
    this.#running.delete(transfer);
    this.#tell(event);
  }
}

async function upload(
  effect: Upload,
  signal: AbortSignal,
  progress: (done: number) => void,
): Promise<Done> {
  const file = await read(effect.file);
  if (file === null) throw new Error("the file is not here any more");
  const size = file.byteLength;
  const body = effect.cipher ? await encrypt(effect.cipher, file) : file;
  signal.throwIfAborted();
  const url = reachable(effect.url, new URL(self.location.origin));
  const status = await put(url, effect.headers, body, signal, (sent) =>
    progress(Math.min(sent, size)),
  );
  if (![200, 201, 204].includes(status)) {
    throw new Error(`the server does not take the file: ${status}`);
  }
  return { size, sha256: await sha256(body) };
}

/** `fetch` does not tell how far an upload is. */
function put(
  url: string,
  headers: [string, string][],
  body: ArrayBuffer,
  signal: AbortSignal,
  progress: (sent: number) => void,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("PUT", url);
    for (const [name, value] of headers) {
      // Cookies are the browser's affair.
      if (name.toLowerCase() !== "cookie") request.setRequestHeader(name, value);
    }
    const stop = () => request.abort();
    signal.addEventListener("abort", stop);
    const watch = watchdog(() => request.abort());
    request.upload.onprogress = (event) => {
      watch.alive();
      progress(event.loaded);
    };
    request.onload = () => resolve(request.status);
    request.onerror = () => void unreachable(url).then(reject);
    request.onabort = () => reject(new Error("the server does not answer"));
    request.onloadend = () => {
      watch.stop();
      signal.removeEventListener("abort", stop);
    };
    request.send(body);
  });
}

async function download(
  effect: Download,
  signal: AbortSignal,
  progress: (done: number) => void,
): Promise<Done> {
  const most = Math.min(effect.most, MOST_BYTES);
  const silence = new AbortController();
  const watch = watchdog(() => silence.abort(new Error("the server stopped sending")));
  try {
    const url = reachable(effect.url, new URL(self.location.origin));
    const answer = await fetch(url, {
      signal: AbortSignal.any([signal, silence.signal]),
      credentials: "omit",
      referrerPolicy: "no-referrer",
    }).catch(async (error: unknown) => {
      throw error instanceof TypeError ? await unreachable(url) : error;
    });
    if (answer.status === 404 || answer.status === 410) {
      throw new Error("the file is no longer on the server");
    }
    if (!answer.ok) throw new Error(`the server does not give the file: ${answer.status}`);
    const told = Number(answer.headers.get("content-length") ?? 0);
    const body = await collect(answer, told, most + TAG_BYTES, (done) => {
      watch.alive();
      progress(done);
    });
    watch.stop();
    const file = effect.cipher ? await opened(effect.cipher, body) : body;
    const size = file.byteLength;
    if (size > most) throw tooLarge(most);
    const digest = await sha256(body);
    signal.throwIfAborted();
    await keep(effect.into, file);
    return { size, sha256: digest };
  } finally {
    watch.stop();
  }
}

async function opened(
  cipher: NonNullable<Download["cipher"]>,
  body: ArrayBuffer,
): Promise<ArrayBuffer> {
  try {
    return await decrypt(cipher, body);
  } catch {
    throw new Error("the file is damaged, or was exchanged: it does not fit its key");
  }
}

/** The whole body, unless it is larger than `most`. */
async function collect(
  answer: Response,
  told: number,
  most: number,
  progress: (done: number) => void,
): Promise<ArrayBuffer> {
  if (told > most) throw tooLarge(most);
  const reader = answer.body?.getReader();
  const pieces: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const piece = await reader?.read();
    if (!piece?.value) break;
    size += piece.value.byteLength;
    if (size > most) {
      void reader?.cancel();
      throw tooLarge(most);
    }
    pieces.push(piece.value);
    progress(size);
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.byteLength;
  }
  return whole.buffer;
}

/**
 * Where a file is for this page. In a trial the page comes over plain HTTP from this machine, and
 * links of files name the address with TLS, for other programs; a browser would not take its
 * certificate. It is the same server.
 */
export function reachable(url: string, page: URL): string {
  const file = new URL(url);
  const here = page.protocol === "http:" && file.hostname === page.hostname;
  return here ? new URL(file.pathname + file.search, page).href : file.href;
}

/** Calls `end` when nothing was alive for too long. */
function watchdog(end: () => void): { alive(): void; stop(): void } {
  let timer = setTimeout(end, SILENCE);
  return {
    alive() {
      clearTimeout(timer);
      timer = setTimeout(end, SILENCE);
    },
    stop() {
      clearTimeout(timer);
    },
  };
}

/** Not more often than somebody looks. */
function seldom(tell: (done: number) => void): (done: number) => void {
  let last = 0;
  return (done) => {
    const now = performance.now();
    if (now - last < PROGRESS) return;
    last = now;
    tell(done);
  };
}

function tooLarge(most: number): Error {
  if (most < MOST_BYTES) return new Error("the file is larger than it was said to be");
  return new Error(`the file is larger than ${MOST_BYTES / (1024 * 1024)} MiB`);
}

function words(error: unknown): string {
  if (error instanceof TypeError) return "the server of the files cannot be reached";
  if (error instanceof DOMException && error.name === "QuotaExceededError") {
    return "there is no space left for the file";
  }
  return error instanceof Error ? error.message : String(error);
}
