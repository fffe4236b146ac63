// Stands for the core in WebAssembly: keeps what it is given, and answers with what the test says.

import type { Effect, Event } from "../src/core/worker-types";

/** What cores were given, the newest last; `null` for the end of one. */
export const given: (Event | null)[] = [];
/** What is to be done about events. */
export const answers: { of: (event: Event) => Effect[] } = { of: () => [] };

export class Core {
  handle(_wall: number, _clock: number, events: string): string {
    const all = JSON.parse(events) as Event[];
    given.push(...all);
    return JSON.stringify(all.flatMap((one) => answers.of(one)));
  }

  deadline(): undefined {}

  free(): void {
    given.push(null);
  }
}

export const qr_code = (): undefined => {};
export const qr_scan = (): string[] => [];
