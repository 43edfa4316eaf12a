/**
 * Clusters stored one after the other, as three parallel arrays that threads share: nothing per
 * cluster is an object. Sorted by `starts`, no two overlap.
 */
export interface Extents {
  /** Position of the extent's first cluster. */
  readonly starts: Float64Array;
  /** Clusters in the extent. */
  readonly counts: Float64Array;
  /** Byte offset in the image file of the first cluster's data. */
  readonly imageOffsets: Float64Array;
}

const FIELDS = 3;

/** Collects clusters in the image's order. `stride`: bytes from one cluster's data to the next's. */
export class ExtentBuilder {
  readonly #stride: number;
  /** start, count, image offset of each extent, one after the other. */
  #fields = new Float64Array(FIELDS * 1024);
  #used = 0;
  #ascending = true;
  /** Where the extent that is growing ends: in the partition, and in the image. */
  #end = 0;
  #imageEnd = -1;

  constructor(stride: number) {
    this.#stride = stride;
  }

  add(position: number, imageOffset: number): void {
    if (position === this.#end && imageOffset === this.#imageEnd) {
      const at = this.#used - FIELDS + 1;
      this.#fields[at] = (this.#fields[at] ?? 0) + 1;
    } else {
      this.#append(position, imageOffset);
    }
    this.#end = position + 1;
    this.#imageEnd = imageOffset + this.#stride;
  }

  #append(position: number, imageOffset: number): void {
    if (position < this.#end) this.#ascending = false;
    if (this.#used + FIELDS > this.#fields.length) {
      const grown = new Float64Array(this.#fields.length * 2);
      grown.set(this.#fields);
      this.#fields = grown;
    }
    this.#fields.set([position, 1, imageOffset], this.#used);
    this.#used += FIELDS;
  }

  finish(): Extents {
    const fields = this.#fields.subarray(0, this.#used);
    return columns(this.#ascending ? fields : withoutOverlaps(fields, this.#stride));
  }
}

/**
 * A metadata image walks the files, so its clusters come in any order, and one that is stored twice
 * is what the later says (NTC-ORDER). One sweep over the sorted extents: at any position the latest
 * of the extents that cover it wins.
 */
function withoutOverlaps(fields: Float64Array, stride: number): Float64Array {
  const count = fields.length / FIELDS;
  const start = (index: number) => fields[index * FIELDS] ?? 0;
  const end = (index: number) => start(index) + (fields[index * FIELDS + 1] ?? 0);
  const order = Array.from({ length: count }, (_, index) => index);
  order.sort((a, b) => start(a) - start(b) || a - b);

  const swept: number[] = [];
  const covering = new LatestFirst();
  let next = 0;
  let at = 0;
  while (next < count || covering.top !== undefined) {
    const opening = order[next];
    if (covering.top === undefined && opening !== undefined) at = Math.max(at, start(opening));
    for (let index = opening; index !== undefined && start(index) <= at; index = order[next]) {
      covering.push(index);
      next++;
    }
    while (covering.top !== undefined && end(covering.top) <= at) covering.pop();
    const latest = covering.top;
    if (latest === undefined) continue;
    const following = order[next];
    const until = Math.min(end(latest), following === undefined ? Infinity : start(following));
    const imageOffset = (fields[latest * FIELDS + 2] ?? 0) + (at - start(latest)) * stride;
    addSwept(swept, at, until - at, imageOffset, stride);
    at = until;
  }
  return Float64Array.from(swept);
}

/** Appends a part, or lengthens the last one if the part goes on where it ends. */
function addSwept(
  swept: number[],
  start: number,
  count: number,
  imageOffset: number,
  stride: number,
): void {
  const last = swept.length - FIELDS;
  const lastCount = swept[last + 1] ?? 0;
  const goesOn =
    last >= 0 &&
    (swept[last] ?? 0) + lastCount === start &&
    (swept[last + 2] ?? 0) + lastCount * stride === imageOffset;
  if (goesOn) swept[last + 1] = lastCount + count;
  else swept.push(start, count, imageOffset);
}

/** A binary heap of extent numbers, the latest on top. */
class LatestFirst {
  readonly #heap: number[] = [];

  get top(): number | undefined {
    return this.#heap[0];
  }

  push(value: number): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(value);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent] ?? 0;
      if (above >= value) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = value;
  }

  pop(): void {
    const heap = this.#heap;
    const value = heap.pop();
    if (value === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if ((heap[child + 1] ?? -1) > (heap[child] ?? -1)) child++;
      const below = heap[child] ?? -1;
      if (below <= value) break;
      heap[at] = below;
      at = child;
    }
    heap[at] = value;
  }
}

function columns(fields: Float64Array): Extents {
  const count = fields.length / FIELDS;
  const column = (field: number) => {
    const values = new Float64Array(new SharedArrayBuffer(count * 8));
    for (let index = 0; index < count; index++) values[index] = fields[index * FIELDS + field] ?? 0;
    return values;
  };
  return { starts: column(0), counts: column(1), imageOffsets: column(2) };
}

/** Number of the last extent that begins at or before `position`; -1 if none does. */
export function lastStartingBy(starts: Float64Array, position: number): number {
  let low = 0;
  let high = starts.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((starts[middle] ?? 0) <= position) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
