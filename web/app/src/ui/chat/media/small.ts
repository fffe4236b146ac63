// Small pictures, for where many stand side by side. The original of each is read once, one after the
// other, and let go when it is drawn: a thousand of them at once are more than a telephone has room for.

import type { Core } from "../../../core/api";
import { drawable } from "../../kit/sides";

/** Pixels of the longer side. */
const SIDE = 320;
/** So many are kept for somebody who scrolls back, as long as they look: a few megabytes. */
const MOST = 500;

interface Wanted {
  core: Core;
  local: string;
  type: string;
  then: (small: Blob | null) => void;
  /** Somebody still waits for it. */
  wanted: boolean;
}

/** Makes an original small; `null` when it cannot be drawn. */
export type Draw = (original: Blob) => Promise<Blob | null>;

export class Smalls {
  /** The one that was used last is the last one. */
  readonly #kept = new Map<string, Blob>();
  readonly #waiting: Wanted[] = [];
  readonly #draw: Draw;
  #busy = false;
  /** Counts how often all of them were forgotten. */
  #turn = 0;

  constructor(draw: Draw) {
    this.#draw = draw;
  }

  /** Asks for one; the function says that nobody waits any more. */
  ask(core: Core, local: string, type: string, then: (small: Blob | null) => void): () => void {
    const one = { core, local, type, then, wanted: true };
    this.#waiting.push(one);
    void this.#work();
    return () => {
      one.wanted = false;
    };
  }

  /** Forgets all: nobody looks any more, and what they are of may be deleted, or its account be gone. */
  clear(): void {
    this.#kept.clear();
    this.#turn += 1;
  }

  /** How many are kept. */
  get size(): number {
    return this.#kept.size;
  }

  async #work(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    // What came into sight last is what somebody looks at.
    for (let one = this.#waiting.pop(); one; one = this.#waiting.pop()) {
      if (!one.wanted) continue;
      const turn = this.#turn;
      const small = this.#kept.get(one.local) ?? (await this.#made(one).catch(() => null));
      if (small && turn === this.#turn) this.#keep(one.local, small);
      if (one.wanted) one.then(small);
    }
    this.#busy = false;
  }

  async #made({ core, local, type }: Wanted): Promise<Blob | null> {
    const original = await core.file(local, type);
    return original && (await drawable(original)) ? this.#draw(original) : null;
  }

  #keep(local: string, small: Blob): void {
    this.#kept.delete(local);
    this.#kept.set(local, small);
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= MOST) break;
      this.#kept.delete(oldest);
    }
  }
}

/** Those of this page. */
export const smalls = new Smalls(draw);

/** The first of those that move. */
async function draw(original: Blob): Promise<Blob | null> {
  const bitmap = await createImageBitmap(original);
  const scale = Math.min(1, SIDE / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  const context = canvas.getContext("2d");
  if (context) context.imageSmoothingQuality = "high";
  context?.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return context && new Promise((done) => canvas.toBlob(done, "image/webp", 0.8));
}
