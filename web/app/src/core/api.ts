// The core of the client, as the page sees it: an account at work in a worker (worker.ts), or the
// sample of dev/sample.ts.

import type { ReadonlySignal } from "@preact/signals";

import type { Command, Notice, Outcome } from "./types";

/** A picture of black and white squares, row by row. */
export interface Squares {
  /** Squares on a side. */
  size: number;
  /** One byte for each square: 1 is dark. */
  dark: Uint8Array;
}

export interface Core {
  /** Asks for something; ends with how that ended. Never rejects. */
  request(command: Command): Promise<Outcome>;
  /** Tells everything that changes, in order; what is there already comes first. */
  listen(listener: (notice: Notice) => void): void;
  /** The bytes of a picture that an account or a contact names. */
  picture(avatar: string): Promise<Blob | null>;
  /** Keeps a file for `sendFile`; its name there. */
  give(file: Blob): Promise<string>;
  /** A file that is here, as `File.local` names it. */
  file(local: string, mediaType: string | null): Promise<Blob | null>;
  /** A text as a QR code. */
  qr(text: string): Promise<Squares>;
  /** The texts of the QR codes in a picture. */
  scan(picture: ImageData): Promise<string[]>;
}

/** Whether the core is at work in this tab. */
export type CoreState =
  | { is: "starting" }
  | { is: "working" }
  /** Another tab has the account. */
  | { is: "elsewhere" }
  /** It cannot work here, or stopped and cannot start again; `words` are English. */
  | { is: "failed"; why: FailedWhy; words: string };

/**
 * Sorted by what helps: another browser; loading the page again with a network (`load`); whoever runs the
 * server, when the core that came is not the one of this version (`altered`); loading again once another window has let go (`busy`); room on the disk, or other settings of the browser (`storage`);
 * beginning anew, because what is kept here cannot be read (`damaged`); loading the page again.
 */
export type FailedWhy = "unsupported" | "load" | "altered" | "busy" | "storage" | "damaged" | "crashed";

/** A core, and whether it is at work. */
export interface CoreHost extends Core {
  readonly state: ReadonlySignal<CoreState>;
  /** Asks the tab that has the account to let go, and starts here. */
  useHere(): void;
  /** After a failure, if what is kept is `damaged`: deletes all that is kept here and starts anew, signed out. */
  erase(): void;
}
