import { viewOf } from "../../bytes/view.ts";
import { corrupt } from "../damage.ts";
import type { InputWindow } from "../input-window.ts";

/** RFC 1952, 2.3: a member's header. */
const MAGIC = 0x8b1f;
const DEFLATE = 8;
const FIXED_SIZE = 10;
export const TRAILER_SIZE = 8;
const HAS_HEADER_CRC = 0x02;
const HAS_EXTRA = 0x04;
const HAS_NAME = 0x08;
const HAS_COMMENT = 0x10;
const RESERVED = 0xe0;
/** A name or comment is looked for in steps of this size. */
const TEXT_STEP = 4096;

/**
 * Goes to the first byte behind the next member's header; returns where the header begins, or
 * `null` at the end of the data. Zeros may be there, as `gzip` allows them.
 */
export async function enterMember(input: InputWindow): Promise<number | null> {
  const at = input.position;
  const head = await input.peek(FIXED_SIZE);
  if (head.every((byte) => byte === 0)) {
    await skipZeros(input);
    if (input.position === input.end) return null;
    throw foreign(input);
  }
  const fields = viewOf(head);
  if (head.length < 2 || fields.getUint16(0, true) !== MAGIC) throw foreign(input);
  if (head.length < FIXED_SIZE) throw truncated(input);
  const flags = fields.getUint8(3);
  if (fields.getUint8(2) !== DEFLATE || (flags & RESERVED) !== 0) {
    throw corrupt(input.source, "gzip", at, "a header is invalid");
  }
  input.skip(FIXED_SIZE);
  if ((flags & HAS_EXTRA) !== 0) {
    const length = viewOf(await exactly(input, 2)).getUint16(0, true);
    await exactly(input, 2 + length);
    input.skip(2 + length);
  }
  if ((flags & HAS_NAME) !== 0) await skipText(input);
  if ((flags & HAS_COMMENT) !== 0) await skipText(input);
  if ((flags & HAS_HEADER_CRC) !== 0) {
    await exactly(input, 2);
    input.skip(2);
  }
  return at;
}

async function skipZeros(input: InputWindow): Promise<void> {
  for (;;) {
    const bytes = await input.peek(TEXT_STEP);
    const zeros = bytes.findIndex((byte) => byte !== 0);
    if (zeros === 0 || bytes.length === 0) return;
    input.skip(zeros < 0 ? bytes.length : zeros);
  }
}

function foreign(input: InputWindow) {
  const reason = "something that is not gzip follows the last member";
  return corrupt(input.source, "gzip", input.position, reason);
}

async function skipText(input: InputWindow): Promise<void> {
  for (;;) {
    const bytes = await input.peek(TEXT_STEP);
    if (bytes.length === 0) throw truncated(input);
    const end = bytes.indexOf(0);
    input.skip(end < 0 ? bytes.length : end + 1);
    if (end >= 0) return;
  }
}

/** The next bytes without moving on. */
export async function exactly(input: InputWindow, count: number): Promise<Uint8Array> {
  const bytes = await input.peek(count);
  if (bytes.length < count) throw truncated(input);
  return bytes;
}

export function truncated(input: InputWindow) {
  return corrupt(input.source, "gzip", input.position, "the file ends early");
}
