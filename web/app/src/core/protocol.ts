// What the page (client.ts) and its worker (worker.ts) say to each other.

import type { Squares } from "./api";
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
  | { is: "start"; device: Device }
  | { is: "request"; number: number; command: Command }
  | { is: "question"; number: number; question: Question }
  /** Another network, or the page came back after a while. */
  | { is: "wake" }
  /** Take leave of the server, close the store, and say `stopped`. */
  | { is: "stop" }
  /** Remove everything that is kept here, and say `stopped`. */
  | { is: "erase" };

/** From the worker. */
export type FromWorker =
  | { is: "started" }
  | { is: "notices"; notices: Notice[] }
  | { is: "answer"; number: number; answer: unknown }
  | { is: "refused"; number: number; reason: string }
  /** Everything was removed, because the account was signed out. */
  | { is: "wiped" }
  /** It has let go of everything and does nothing more. */
  | { is: "stopped" }
  /** It cannot go on. `lasting`: another try would end in the same way. */
  | { is: "failed"; reason: string; lasting: boolean };
