import { ptr } from "bun:ffi";
import { type Errno, OUT_HEADER, type Struct } from "./abi.ts";

/** What a request came to: the payload's length in bytes, or an error. */
export type Outcome = number | Errno;

/** The largest page of the machines we run on; a payload that begins on one saves up to 10 %. */
const PAGE = 65536;
const HIGH_WORD = 2 ** 32;

function setField(
  view: DataView,
  at: number,
  kind: Struct["fields"][number]["kind"],
  value: number,
) {
  switch (kind) {
    case "u16":
      return view.setUint16(at, value, true);
    case "u32":
      return view.setUint32(at, value, true);
    case "i32":
      return view.setInt32(at, value, true);
    case "i64":
      return view.setBigInt64(at, BigInt(value), true);
    case "u64":
      view.setUint32(at, value % HIGH_WORD, true);
      return view.setUint32(at + 4, Math.floor(value / HIGH_WORD), true);
  }
}

/** Header and payload of one reply, contiguous, the payload on a page boundary. */
export class ReplyBuffer {
  readonly bytes: Uint8Array;
  /** Where in `bytes` a reply begins. */
  readonly start: number;
  readonly payload: Uint8Array;
  #room: Uint8Array;
  readonly #header: DataView;
  readonly #view: DataView;

  constructor(payloadBytes: number) {
    this.bytes = new Uint8Array(payloadBytes + 2 * PAGE);
    // An array of this size is allocated outside the collector's heap and never moves.
    const payloadAt = PAGE - (ptr(this.bytes) % PAGE);
    this.start = payloadAt - OUT_HEADER.size;
    this.payload = this.bytes.subarray(payloadAt, payloadAt + payloadBytes);
    this.#room = this.payload;
    this.#header = new DataView(this.bytes.buffer, this.start, OUT_HEADER.size);
    this.#view = new DataView(this.bytes.buffer, payloadAt, payloadBytes);
  }

  /** The payload's first bytes; not a new view where it is the same size again, as reads mostly are. */
  room(length: number): Uint8Array {
    if (this.#room.length !== length) this.#room = this.payload.subarray(0, length);
    return this.#room;
  }

  /** Writes `struct` at `at` of the payload, fields not named as zeros; returns its end. */
  put<F extends string>(struct: Struct<F>, values: Partial<Record<F, number>>, at = 0): number {
    for (const { name, kind, at: offset } of struct.fields) {
      setField(this.#view, at + offset, kind, values[name] ?? 0);
    }
    return at + struct.size;
  }

  /** Writes the header over the payload; returns the bytes to write from `start`. */
  finish(unique: bigint, outcome: Outcome): number {
    const failed = typeof outcome !== "number";
    // FUS-REPLY-LENGTH, FUS-REPLY-ERROR: an error has no payload, and is negative.
    const length = OUT_HEADER.size + (failed ? 0 : outcome);
    this.#header.setUint32(0, length, true);
    this.#header.setInt32(4, failed ? -outcome.number : 0, true);
    this.#header.setBigUint64(8, unique, true);
    return length;
  }
}
