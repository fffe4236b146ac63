// Where the rows of a long list are: their heights, measured or guessed, and the sums of them. Both
// a change of a height and a look-up take the logarithm of the number of rows (a Fenwick tree).

export class Heights {
  #ids: number[] = [];
  #heights: number[] = [];
  #measured = new Map<number, number>();
  /** `#sums[i]` is the sum of the `i & -i` heights that end at row `i - 1`. */
  #sums: Float64Array = new Float64Array(1);

  get count(): number {
    return this.#ids.length;
  }

  /** Replaces the rows. Rows that were there keep their heights, the others get a guess. */
  set(ids: readonly number[], guess: (index: number) => number): void {
    const old = this.#ids;
    const length = ids.length;
    const shared = Math.min(old.length, length);
    let head = 0;
    while (head < shared && old[head] === ids[head]) head++;
    if (head === length && head === old.length) return;
    let tail = 0;
    while (tail < shared - head && old[old.length - 1 - tail] === ids[length - 1 - tail]) tail++;
    const middle: number[] = [];
    for (let index = head; index < length - tail; index++) {
      middle.push(this.#measured.get(ids[index] ?? -1) ?? guess(index));
    }
    const heights = this.#heights;
    this.#heights = heights.slice(0, head).concat(middle, heights.slice(heights.length - tail));
    this.#ids = ids.slice();
    this.#build();
  }

  /** A row was measured; by how much it differs from what was thought. */
  measure(index: number, height: number): number {
    const id = this.#ids[index];
    const old = this.#heights[index];
    if (id === undefined || old === undefined) return 0;
    this.#measured.set(id, height);
    const difference = height - old;
    if (difference === 0) return 0;
    this.#heights[index] = height;
    for (let at = index + 1; at < this.#sums.length; at += at & -at) {
      this.#sums[at] = (this.#sums[at] ?? 0) + difference;
    }
    return difference;
  }

  /** The height of a row. */
  height(index: number): number {
    return this.#heights[index] ?? 0;
  }

  /** How far the top of a row is from the top of the first. */
  offset(index: number): number {
    let sum = 0;
    for (let at = Math.min(index, this.count); at > 0; at -= at & -at) sum += this.#sums[at] ?? 0;
    return sum;
  }

  get total(): number {
    return this.offset(this.count);
  }

  /** The row at a height; the first or the last one outside of the list, -1 when it is empty. */
  at(y: number): number {
    if (this.count === 0) return -1;
    let position = 0;
    let left = y;
    let step = 1;
    while (step * 2 <= this.count) step *= 2;
    for (; step > 0; step >>= 1) {
      const next = position + step;
      const sum = this.#sums[next];
      if (next <= this.count && sum !== undefined && sum <= left) {
        position = next;
        left -= sum;
      }
    }
    return Math.max(0, Math.min(position, this.count - 1));
  }

  /** The row of an id; looks near `near` first. -1 if it is not there. */
  index(id: number, near = 0): number {
    if (this.#ids[near] === id) return near;
    return this.#ids.indexOf(id);
  }

  id(index: number): number | undefined {
    return this.#ids[index];
  }

  #build(): void {
    const count = this.#heights.length;
    const sums = new Float64Array(count + 1);
    for (let at = 1; at <= count; at++) {
      const sum = (sums[at] ?? 0) + (this.#heights[at - 1] ?? 0);
      sums[at] = sum;
      const parent = at + (at & -at);
      if (parent <= count) sums[parent] = (sums[parent] ?? 0) + sum;
    }
    this.#sums = sums;
  }
}

/** Rows from `start` up to but without `end`. */
export interface Range {
  start: number;
  end: number;
}

/** What to draw: the rows in sight and some beyond, at most `most` of them. */
export function rangeAt(
  heights: Heights,
  top: number,
  view: number,
  beyond: number,
  most = 120,
): Range {
  if (heights.count === 0) return { start: 0, end: 0 };
  const first = heights.at(top);
  const start = Math.max(0, Math.max(heights.at(top - beyond), first - Math.floor(most / 3)));
  const end = Math.min(heights.at(top + view + beyond) + 1, start + most);
  return { start, end };
}

/** Something that is kept where it is on screen while all around it changes. */
export interface Anchor {
  id: number;
  /** Where it was in the list: looked at first. */
  near: number;
  /** How far its top is below the upper edge of what is in sight; negative above it. */
  top: number;
}

/** The anchor for what is in sight: the first row whose top is in sight, or the one that fills it. */
export function anchorAt(heights: Heights, top: number, view: number): Anchor | null {
  let index = heights.at(top);
  const id = heights.id(index);
  if (id === undefined) return null;
  let offset = heights.offset(index);
  if (offset < top && offset + heights.height(index) < top + view && index + 1 < heights.count) {
    offset += heights.height(index);
    index++;
  }
  return { id: heights.id(index) ?? id, near: index, top: offset - top };
}

/** Where to scroll to so that an anchor is where it was; `null` if its row is gone. */
export function scrolledTo(heights: Heights, anchor: Anchor): number | null {
  const index = heights.index(anchor.id, anchor.near);
  return index < 0 ? null : heights.offset(index) - anchor.top;
}
