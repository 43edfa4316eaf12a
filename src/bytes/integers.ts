import { ImageBackupError } from "./errors.ts";

/**
 * The one gate from 64-bit fields to numbers. Offsets are exact up to 2^53; a field beyond it
 * belongs to no file of today, and is refused instead of rounded.
 */
export function exactNumber(value: bigint, field: string, rule: string): number {
  if (!isExact(value)) {
    throw new ImageBackupError(
      "UNSUPPORTED",
      `${field} is ${value}: more than 2^53, which no partition reaches; the header is damaged (${rule})`,
      { rule },
    );
  }
  return Number(value);
}

export function isExact(value: bigint): boolean {
  return value >= 0n && value <= BigInt(Number.MAX_SAFE_INTEGER);
}
