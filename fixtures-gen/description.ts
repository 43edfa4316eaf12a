import { closeSync, ftruncateSync, mkdirSync, openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { Fixture } from "./fixture.ts";

/** Zeros of at least this size become holes of the partition's file. */
const HOLE_SIZE = 4096;

/** What is written about one image, beside its fixture. */
export interface Output {
  /** The files' name without its ending. */
  readonly name: string;
  readonly fixture: Fixture;
  /** The image's bytes: the fixture's own, or a broken copy. */
  readonly image: Uint8Array;
  /** For the description: the seed it was drawn with, or the rule it breaks. */
  readonly origin: Readonly<Record<string, unknown>>;
}

function sha256(bytes: Uint8Array): string {
  return new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
}

function writeSparse(path: string, bytes: Uint8Array): void {
  const file = openSync(path, "w");
  try {
    ftruncateSync(file, bytes.length);
    for (let at = 0; at < bytes.length; at += HOLE_SIZE) {
      const piece = bytes.subarray(at, at + HOLE_SIZE);
      if (piece.some((byte) => byte !== 0)) writeSync(file, piece, 0, piece.length, at);
    }
  } finally {
    closeSync(file);
  }
}

/** Run lengths of equal values: `[[1, 5], [0, 3]]` is five present blocks, then three absent ones. */
function runsOf(present: Uint8Array): readonly (readonly [value: number, count: number])[] {
  const runs: [number, number][] = [];
  for (const value of present) {
    const open = runs.at(-1);
    if (open?.[0] === value) open[1]++;
    else runs.push([value, 1]);
  }
  return runs;
}

function describe({ name, fixture, image, origin }: Output): Record<string, unknown> {
  const { format, deviceSize, blockSize, blockCount, breaks, judges, params } = fixture;
  const file = (ending: string, bytes: Uint8Array) => ({
    file: `${name}.${ending}`,
    size: bytes.length,
    sha256: sha256(bytes),
  });
  return {
    name: fixture.name,
    ...origin,
    format,
    image: file("img", image),
    partition: file("partition", fixture.partition),
    deviceSize,
    blockSize,
    blockCount,
    breaks,
    judges,
    params,
    present: runsOf(fixture.present),
    stored: fixture.stored,
    strips: fixture.strips,
  };
}

/** Writes NAME.img, NAME.partition (sparse) and NAME.json. */
export function writeOutput(directory: string, output: Output): void {
  mkdirSync(directory, { recursive: true });
  const path = (ending: string) => join(directory, `${output.name}.${ending}`);
  writeFileSync(path("img"), output.image);
  writeSparse(path("partition"), output.fixture.partition);
  writeFileSync(path("json"), `${JSON.stringify(describe(output), null, 2)}\n`);
}
