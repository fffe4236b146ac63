// What the page (client.ts) and its worker (worker.ts) say to each other.

import type { FailedWhy, Squares } from "./api";
import type { Command, Notice } from "./types";
import type { Device } from "./worker-types";

/** Questions that the worker answers by themselves, with what they are answered with. */
export interface Questions {
  picture: { ask: { avatar: string }; answer: Blob | null };
  give: { ask: { file: Blob }; answer: string };
  file: { ask: { local: string; mediaType: string | null }; answer: Blob | null };
  qr: { ask: { text: string }; answer: Squares };
  scan: { ask: { width: number; height: number; rgba: ArrayBuffer }; answer: string[] };
}

export type Question = {
  [Kind in keyof Questions]: { kind: Kind } & Questions[Kind]["ask"];
}[keyof Questions];

/** To the worker. */
export type ToWorker =
  /** `core` is where the WebAssembly is, and its SHA-256; `erase` begins with nothing of what is kept. */
  | { is: "start"; device: Device; core: { url: string; hash: string }; erase: boolean }
  | { is: "request"; number: number; command: Command }
  | { is: "question"; number: number; question: Question }
  /** Another network, or the page came back after a while. */
  | { is: "wake" }
  /** Take leave of the server, close the store, and say `stopped`. */
  | { is: "stop" };

/** From the worker. */
export type FromWorker =
  /** The store is open; also when it was opened again. What the page had open must be opened again. */
  | { is: "started" }
  | { is: "notices"; notices: Notice[] }
  | { is: "answer"; number: number; answer: unknown }
  | { is: "refused"; number: number; reason: string }
  /** Everything was removed, because the account was signed out. */
  | { is: "wiped" }
  /** It has let go of everything and does nothing more. */
  | { is: "stopped" }
  /** It cannot go on. Another try helps only when it crashed. */
  | { is: "failed"; why: FailedWhy; reason: string };
