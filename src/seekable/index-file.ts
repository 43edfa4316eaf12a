import { fstatSync, ftruncateSync, readSync, writeSync } from "node:fs";
import { free } from "../bytes/free.ts";
import { viewOf } from "../bytes/view.ts";
import type { Checkpoint } from "./codec.ts";

/** A checkpoint without its state, which stays in the file until its segment is read. */
export interface Entry {
  readonly outOffset: number;
  readonly inOffset: number;
  readonly inBit: number;
  /** Byte offset in the index file of the state, and its length. */
  readonly stateAt: number;
  readonly stateLength: number;
}

/** The state that an index file keeps is not what was written; the index is of no use any more. */
export class BadIndex extends Error {}

/** The hash of what follows, out offset, in offset, bit (or END), length and hash of the state. */
const RECORD_SIZE = 40;
const FIELD = { outOffset: 8, inOffset: 16, inBit: 24, stateLength: 28, stateHash: 32 } as const;
/** Instead of a bit, where the out offset is the size of all data, and the in offset 1: proved. */
const END = 255;
/** More states than these are not looked at before they are needed. */
const MOST_PROVED = 32 * 2 ** 20;
const LENGTH_SIZE = 4;

export interface Records {
  readonly entries: readonly Entry[];
  /** Uncompressed bytes; `null`: the pass has not come to the end. */
  readonly outSize: number | null;
  /** All bytes were proved by the compressed data's own checksums. */
  readonly isProved: boolean;
}

/**
 * An index on disk, which grows by a record for each checkpoint: a pass that was broken off leaves
 * one that can be gone on with. First its key, which tells what data it is of.
 */
export class IndexFile {
  readonly fd: number;
  #end: number;

  constructor(fd: number, end: number) {
    this.fd = fd;
    this.#end = end;
  }

  static create(fd: number, key: string): IndexFile {
    const text = new TextEncoder().encode(key);
    const head = new Uint8Array(LENGTH_SIZE + text.length);
    viewOf(head).setUint32(0, text.length, true);
    head.set(text, LENGTH_SIZE);
    writeAll(fd, head, 0);
    return new IndexFile(fd, head.length);
  }

  /**
   * The index that was written under `key`, and its records as far as they are whole; what is
   * behind them will be written over. `null`: the file is something else.
   */
  static open(fd: number, key: string): { file: IndexFile; records: Records } | null {
    const text = new TextEncoder().encode(key);
    const head = readUpTo(fd, LENGTH_SIZE + text.length, 0);
    if (head.length < LENGTH_SIZE || viewOf(head).getUint32(0, true) !== text.length) return null;
    if (Buffer.compare(head.subarray(LENGTH_SIZE), text) !== 0) return null;
    const { records, end } = readRecords(fd, head.length);
    return { file: new IndexFile(fd, end), records };
  }

  add({ outOffset, inOffset, inBit, state }: Checkpoint): Entry {
    const at = this.#append(outOffset, inOffset, inBit, state);
    const stateAt = at + RECORD_SIZE;
    return { outOffset, inOffset, inBit, stateAt, stateLength: state.length };
  }

  finish(outSize: number, isProved: boolean): void {
    this.#append(outSize, +isProved, END, new Uint8Array());
  }

  /** Where the next record goes. */
  get end(): number {
    return this.#end;
  }

  #append(outOffset: number, inOffset: number, inBit: number, state: Uint8Array): number {
    const at = this.#end;
    const record = new Uint8Array(RECORD_SIZE + state.length);
    const fields = viewOf(record);
    fields.setFloat64(FIELD.outOffset, outOffset, true);
    fields.setFloat64(FIELD.inOffset, inOffset, true);
    fields.setUint32(FIELD.inBit, inBit, true);
    fields.setUint32(FIELD.stateLength, state.length, true);
    fields.setBigUint64(FIELD.stateHash, Bun.hash.xxHash3(state), true);
    fields.setBigUint64(0, hashOf(record), true);
    record.set(state, RECORD_SIZE);
    // What a broken off pass left behind must not be taken for more records.
    ftruncateSync(this.fd, at);
    writeAll(this.fd, record, at);
    this.#end += record.length;
    free(record);
    return at;
  }
}

/** The checkpoint with its state. Throws BadIndex. */
export function checkpointOf(fd: number, entry: Entry): Checkpoint {
  const { outOffset, inOffset, inBit } = entry;
  const state = stateOf(fd, entry);
  if (!state) throw new BadIndex("the index is damaged");
  return { outOffset, inOffset, inBit, state };
}

/** `null`: it is not what was written. */
function stateOf(fd: number, { stateAt, stateLength }: Entry): Uint8Array | null {
  const record = readUpTo(fd, RECORD_SIZE + stateLength, stateAt - RECORD_SIZE);
  const state = record.subarray(RECORD_SIZE);
  return state.length === stateLength && isRight(record, state) ? state : null;
}

function readRecords(fd: number, start: number): { records: Records; end: number } {
  const { size } = fstatSync(fd);
  const entries: Entry[] = [];
  let outSize: number | null = null;
  let isProved = false;
  let at = start;
  while (outSize === null && at + RECORD_SIZE <= size) {
    const record = readUpTo(fd, RECORD_SIZE, at);
    const fields = viewOf(record);
    if (record.length < RECORD_SIZE || fields.getBigUint64(0, true) !== hashOf(record)) break;
    const stateLength = fields.getUint32(FIELD.stateLength, true);
    const stateAt = at + RECORD_SIZE;
    if (stateAt + stateLength > size) break;
    const isNear = at < MOST_PROVED;
    if (isNear && !isRight(record, readUpTo(fd, stateLength, stateAt))) break;
    const outOffset = fields.getFloat64(FIELD.outOffset, true);
    const inOffset = fields.getFloat64(FIELD.inOffset, true);
    const inBit = fields.getUint32(FIELD.inBit, true);
    if (inBit === END) {
      outSize = outOffset;
      isProved = inOffset === 1;
    } else entries.push({ outOffset, inOffset, inBit, stateAt, stateLength });
    at = stateAt + stateLength;
  }
  const end = outSize === null ? dropDamaged(fd, entries, at) : at;
  return { records: { entries, outSize, isProved }, end };
}

/** A pass goes on from the last state, which must be right, however late it is; returns its end. */
function dropDamaged(fd: number, entries: Entry[], end: number): number {
  let at = end;
  for (let last = entries.at(-1); last && !stateOf(fd, last); last = entries.at(-1)) {
    at = last.stateAt - RECORD_SIZE;
    entries.pop();
  }
  return at;
}

const hashOf = (record: Uint8Array): bigint => Bun.hash.xxHash3(record.subarray(8, RECORD_SIZE));

const isRight = (record: Uint8Array, state: Uint8Array): boolean =>
  Bun.hash.xxHash3(state) === viewOf(record).getBigUint64(FIELD.stateHash, true);

function readUpTo(fd: number, length: number, at: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const count = readSync(fd, bytes, done, length - done, at + done);
    if (count === 0) break;
    done += count;
  }
  return bytes.subarray(0, done);
}

function writeAll(fd: number, bytes: Uint8Array, at: number): void {
  let done = 0;
  while (done < bytes.length) {
    done += writeSync(fd, bytes, done, bytes.length - done, at + done);
  }
}
