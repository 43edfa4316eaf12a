import type { ByteSource } from "../source/source.ts";
import type { BuildEvent, BuildOptions, Checkpoint } from "./codec.ts";
import { corrupt } from "./damage.ts";
import { joinPieces, numbers, numbersOf, splitPieces } from "./pieces.ts";

/** What is decoded by itself, as the file lists it: an xz block, an lzip member. */
export interface Unit {
  /** Byte offset in the compressed data. */
  readonly at: number;
  /** Bytes as stored. */
  readonly size: number;
  /** Bytes decoded. */
  readonly length: number;
  /** What else the codec must know of it. */
  readonly kind: number;
}

const FIELDS = 4;
/** A unit is decoded as a whole, and in memory while it is read. */
const MAX_LENGTH = 2 ** 26;

export const areSmall = (units: readonly Unit[]): boolean =>
  units.every(({ length }) => length <= MAX_LENGTH);

/** Was the segment listed? Else it was found in a pass, whose states have shorter pieces, too. */
export const isListed = ({ state }: Checkpoint): boolean =>
  splitPieces(state).every(({ length }) => length === FIELDS * 8);

/**
 * As a codec's `build`, without a pass: the file itself lists its units. `hasChecks`: decoding any
 * of them proves its bytes.
 */
export function* indexUnits(
  compressed: ByteSource,
  codec: string,
  units: readonly Unit[],
  hasChecks: boolean,
  { from, spacing }: BuildOptions,
): Generator<BuildEvent> {
  let outSize = 0;
  let isBehind = from === null;
  for (const group of grouped(units, spacing)) {
    const checkpoint = checkpointAt(outSize, group);
    outSize += group.reduce((sum, { length }) => sum + length, 0);
    if (isBehind) yield { type: "checkpoint", checkpoint };
    isBehind ||= isSame(from as Checkpoint, checkpoint);
  }
  if (!isBehind) throw corrupt(compressed, codec, 0, "it is not what was indexed");
  yield { type: "end", outSize, isProved: hasChecks };
}

/** What a checkpoint's segment consists of. */
export function unitsOf({ state }: Checkpoint): Unit[] {
  return splitPieces(state).map((piece) => {
    const [at = 0, size = 0, length = 0, kind = 0] = numbersOf(piece.subarray(0, FIELDS * 8));
    return { at, size, length, kind };
  });
}

/** As many units as fit between two checkpoints, at least one; units without content follow it. */
function* grouped(units: readonly Unit[], spacing: number): Generator<Unit[]> {
  let group: Unit[] = [];
  let size = 0;
  for (const unit of units) {
    if (size > 0 && unit.length > 0 && size + unit.length > spacing) {
      yield group;
      group = [];
      size = 0;
    }
    group.push(unit);
    size += unit.length;
  }
  yield group;
}

function checkpointAt(outOffset: number, group: readonly Unit[]): Checkpoint {
  const fields = group.map(({ at, size, length, kind }) => numbers(at, size, length, kind));
  return { outOffset, inOffset: group[0]?.at ?? 0, inBit: 0, state: joinPieces(fields) };
}

function isSame(a: Checkpoint, b: Checkpoint): boolean {
  return a.outOffset === b.outOffset && Buffer.compare(a.state, b.state) === 0;
}
