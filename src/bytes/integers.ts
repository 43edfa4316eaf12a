/**
 * Is this 64-bit field exact as a number? Offsets are up to 2^53; a field beyond it belongs to no
 * file of today, and is refused instead of rounded.
 */
export function isExact(value: bigint): boolean {
  return value >= 0n && value <= BigInt(Number.MAX_SAFE_INTEGER);
}
