// The moving part of the list of messages: what is drawn of it, and where it stands. Only rows near
// what is in sight are in the page. Whatever changes, the list stands on the end if the reader was
// there, and else on the row that the reader looks at.

import { signal, type ReadonlySignal } from "@preact/signals";

import { anchorAt, Heights, rangeAt, scrolledTo, type Anchor, type Range } from "../logic/heights";

/** Pixels beyond what is in sight that are drawn, and that have to be there. The difference is what
 * comes at once: little, so that no frame has much to do. */
const DRAWN = 850;
const NEEDED = 600;
/** So little is drawn beyond while somebody races through the list; the rest follows in steps, so
 * that no frame has all of it to do. */
const HASTY = 120;
const MORE = 250;
const CALM_MS = 90;
const NEXT_MS = 30;
/** So long it may take to glide to the end. */
const GLIDE_MS = 700;
/** So near to the end counts as being there. */
const NEAR = 40;

/** The elements of the list: what scrolls, what is before the rows, the room of the rows that are not
 * drawn, and what is behind the rows. */
export interface Parts {
  box: HTMLElement;
  head: HTMLElement;
  above: HTMLElement;
  below: HTMLElement;
  foot: HTMLElement;
}

/** The first and the last row that can be seen. */
export interface Sight {
  first: number;
  last: number;
  /** Pixels between the top of what is in sight and the top of the first row. */
  above: number;
}

/** Where the list goes until somebody scrolls: a row and where in sight it has to be. */
interface Goal {
  id: number;
  near: number;
  to: "middle" | "top";
}

export class Scroller {
  readonly heights = new Heights();
  /** Rows will come behind the last one: its end is not the end. */
  more = false;
  readonly #version = signal(0);
  readonly #atEnd = signal(true);
  readonly #sight = signal<Sight>({ first: -1, last: -1, above: 0 });
  readonly #scrolling = signal(false);
  #box: HTMLElement | null = null;
  #head: HTMLElement | null = null;
  #above: HTMLElement | null = null;
  #below: HTMLElement | null = null;
  #foot: HTMLElement | null = null;
  #rows = new Map<Element, number>();
  #observer: ResizeObserver;
  #range: Range = { start: 0, end: 0 };
  #stick = true;
  #anchor: Anchor | null = null;
  #goal: Goal | null = null;
  /** What stands before the first row and behind the last one. */
  #lead = 0;
  #tail = 0;
  #top = 0;
  #view = 800;
  #set = -1;
  #still: ReturnType<typeof setTimeout> | undefined;
  #beyond = DRAWN;
  /** The browser moves the list to the end by itself; nothing interferes until it is there. */
  #gliding: ReturnType<typeof setTimeout> | undefined;
  #calm: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    this.#observer = new ResizeObserver((entries) => this.#measured(entries));
  }

  /** Another when other rows have to be drawn. */
  get version(): ReadonlySignal<number> {
    return this.#version;
  }

  /** Whether the reader is at the end. */
  get atEnd(): ReadonlySignal<boolean> {
    return this.#atEnd;
  }

  get sight(): ReadonlySignal<Sight> {
    return this.#sight;
  }

  /** Somebody scrolls, or did just now. */
  get scrolling(): ReadonlySignal<boolean> {
    return this.#scrolling;
  }

  /** How much room there is, from the top to the bottom. */
  get view(): number {
    return this.#view;
  }

  attach({ box, head, above, below, foot }: Parts): () => void {
    this.#box = box;
    this.#head = head;
    this.#above = above;
    this.#below = below;
    this.#foot = foot;
    this.#view = box.clientHeight;
    this.#lead = head.offsetHeight;
    this.#tail = foot.offsetHeight;
    for (const part of [box, head, foot]) this.#observer.observe(part);
    box.addEventListener("scroll", this.#scrolled, { passive: true });
    box.addEventListener("wheel", this.#taken, { passive: true });
    box.addEventListener("touchstart", this.#taken, { passive: true });
    this.pin();
    return () => {
      box.removeEventListener("scroll", this.#scrolled);
      box.removeEventListener("wheel", this.#taken);
      box.removeEventListener("touchstart", this.#taken);
      clearTimeout(this.#gliding);
      this.#observer.disconnect();
      clearTimeout(this.#still);
      clearTimeout(this.#calm);
      this.#box = null;
    };
  }

  /** A row is in the page; the function that says it is gone. */
  observe(row: Element, id: number): () => void {
    this.#rows.set(row, id);
    this.#observer.observe(row);
    return () => {
      this.#rows.delete(row);
      this.#observer.unobserve(row);
    };
  }

  /** The rows to draw now. */
  range(): Range {
    const top = this.#gliding ? this.#top : (this.#wanted() ?? this.#top);
    this.#range = rangeAt(this.heights, top - this.#lead, this.#view, this.#beyond);
    return this.#range;
  }

  /** Puts the list where it has to stand. Called whenever what is drawn has changed. */
  pin(): void {
    const box = this.#box;
    if (!box || !this.#above || !this.#below) return;
    const { start, end } = this.#range;
    this.#above.style.height = `${this.heights.offset(start)}px`;
    this.#below.style.height = `${Math.max(0, this.heights.total - this.heights.offset(end))}px`;
    const wanted = this.#gliding ? null : this.#wanted();
    // To ask or to move the box makes the browser lay everything out: only when it has to be.
    if (wanted !== null && Math.abs(wanted - this.#top) >= 0.5) {
      box.scrollTop = wanted;
      this.#set = this.#top = box.scrollTop;
    }
    if (this.#goal) this.#anchor = anchorAt(this.heights, this.#top - this.#lead, this.#view);
    this.#look();
  }

  /** Stands on the end from now on. */
  toEnd(smooth: boolean): void {
    const box = this.#box;
    if (!box) return;
    this.#goal = this.#anchor = null;
    this.#stick = true;
    const end = box.scrollHeight - this.#view;
    if (smooth && end - this.#top > 1 && end - this.#top < 3 * this.#view) {
      clearTimeout(this.#gliding);
      this.#gliding = setTimeout(() => this.#arrive(), GLIDE_MS);
      box.scrollTo({ top: end, behavior: "smooth" });
    } else {
      this.#arrive();
    }
  }

  /** Shows a row. */
  show(id: number, to: "middle" | "top"): void {
    const near = this.heights.index(id);
    if (near < 0) return;
    this.#goal = { id, near, to };
    this.#stick = false;
    this.#arrive();
  }

  /** Shows a row if it is not wholly in sight, with as little movement as possible. */
  reveal(id: number): void {
    const box = this.#box;
    const index = this.heights.index(id, this.#range.start);
    if (!box || index < 0) return;
    const top = this.#lead + this.heights.offset(index);
    const bottom = top + this.heights.height(index);
    const margin = 48;
    let to = this.#top;
    if (bottom > to + this.#view) to = bottom - this.#view + 8;
    if (top < to + margin) to = top - margin;
    if (to === this.#top) return;
    this.#goal = null;
    this.#stick = false;
    this.#anchor = anchorAt(this.heights, to - this.#lead, this.#view);
    this.#draw();
  }

  /** Where the reader is, to come back to it; `null` at the end. */
  leave(): Anchor | null {
    return this.#stick ? null : this.#anchor;
  }

  /** Comes back to where the reader was, if that is there. */
  restore(anchor: Anchor): void {
    if (this.heights.index(anchor.id) < 0) return;
    this.#stick = false;
    this.#anchor = anchor;
  }

  #arrive(): void {
    clearTimeout(this.#gliding);
    this.#gliding = undefined;
    this.#draw();
  }

  /** Somebody takes the list in hand while it glides. */
  #taken = (): void => {
    if (!this.#gliding) return;
    clearTimeout(this.#gliding);
    this.#gliding = undefined;
    this.#stick = this.#isEnd();
    this.#anchor = anchorAt(this.heights, this.#top - this.#lead, this.#view);
  };

  #draw(): void {
    this.#version.value++;
    this.pin();
  }

  /** Where to scroll to; `null` to stay. */
  #wanted(): number | null {
    const end = Math.max(0, this.#lead + this.heights.total + this.#tail - this.#view);
    if (this.#goal) {
      const index = this.heights.index(this.#goal.id, this.#goal.near);
      if (index >= 0) {
        this.#goal.near = index;
        const top = this.#lead + this.heights.offset(index);
        const room = this.#view - this.heights.height(index);
        const above = this.#goal.to === "top" ? 56 : Math.max(56, room / 2);
        return Math.max(0, Math.min(top - above, end));
      }
      this.#goal = null;
    }
    if (this.#stick) return end;
    if (!this.#anchor) return null;
    const found = scrolledTo(this.heights, this.#anchor);
    return found === null ? null : Math.max(0, found + this.#lead);
  }

  #scrolled = (): void => {
    const box = this.#box;
    if (!box) return;
    const top = box.scrollTop;
    if (Math.abs(top - this.#set) < 1) return; // That was `pin`.
    this.#set = -1;
    if (Math.abs(top - this.#top) > this.#view) this.#hurry();
    this.#top = top;
    if (this.#gliding) {
      this.#look();
      this.#fill();
      return;
    }
    this.#goal = null;
    this.#stick = this.#isEnd();
    this.#anchor = anchorAt(this.heights, top - this.#lead, this.#view);
    this.#scrolling.value = true;
    clearTimeout(this.#still);
    this.#still = setTimeout(() => (this.#scrolling.value = false), 900);
    this.#look();
    this.#fill();
  };

  /** Draws little as long as what is drawn is gone again at once. */
  #hurry(): void {
    this.#beyond = HASTY;
    clearTimeout(this.#calm);
    this.#calm = setTimeout(this.#relax, CALM_MS);
  }

  /** Draws a little more, until everything that has to be there is. */
  #relax = (): void => {
    this.#beyond = Math.min(DRAWN, this.#beyond + MORE);
    this.#version.value++;
    if (this.#beyond < DRAWN) this.#calm = setTimeout(this.#relax, NEXT_MS);
  };

  /** Draws other rows if those that are there do not reach. */
  #fill(): void {
    const beyond = this.#beyond < DRAWN ? 0 : NEEDED;
    const need = rangeAt(this.heights, this.#top - this.#lead, this.#view, beyond);
    if (need.start < this.#range.start || need.end > this.#range.end) this.#version.value++;
  }

  #measured(entries: ResizeObserverEntry[]): void {
    // Everything is laid out now: what the browser did to the position by itself is known for free.
    if (this.#box) this.#top = this.#box.scrollTop;
    let changed = false;
    for (const { target, borderBoxSize } of entries) {
      const height = borderBoxSize[0]?.blockSize ?? 0;
      if (target === this.#box) {
        changed ||= this.#view !== this.#box.clientHeight;
        this.#view = this.#box.clientHeight;
      } else if (target === this.#head) {
        changed ||= this.#lead !== height;
        this.#lead = height;
      } else if (target === this.#foot) {
        changed ||= this.#tail !== height;
        this.#tail = height;
      } else {
        const id = this.#rows.get(target);
        if (id === undefined || height === 0) continue;
        const index = this.#indexOf(id);
        if (index >= 0 && this.heights.measure(index, height) !== 0) changed = true;
      }
    }
    if (!changed) return;
    this.pin();
    this.#fill();
  }

  #indexOf(id: number): number {
    for (let at = this.#range.start; at < this.#range.end; at++) {
      if (this.heights.id(at) === id) return at;
    }
    return -1;
  }

  /** Notes what is in sight. */
  #look(): void {
    const top = this.#top - this.#lead;
    const first = this.heights.at(Math.max(0, top));
    let last = this.heights.at(top + this.#view);
    // A row of which only the upper edge is in sight was not seen.
    const seen = Math.min(this.heights.height(last), 64);
    if (this.heights.offset(last) + seen > top + this.#view + 4) last--;
    const above = first < 0 ? 0 : this.heights.offset(first) - top;
    const now = this.#sight.peek();
    if (now.first !== first || now.last !== last || now.above !== above) {
      this.#sight.value = { first, last, above };
    }
    this.#atEnd.value = this.#isEnd();
  }

  #isEnd(): boolean {
    return !this.more && this.#top + this.#view >= this.#lead + this.heights.total + this.#tail - NEAR;
  }
}
