import { build } from "./build.ts";
import type { ExampleName } from "./examples.ts";
import type { Fixture, FixtureParams } from "./fixture.ts";

/** One way to break one rule, and only that rule. */
export interface Break {
  /** The sound example it starts from. */
  readonly base: ExampleName;
  apply(fixture: Fixture): Uint8Array;
}

export function copyOf(fixture: Fixture): Uint8Array {
  return fixture.image.slice();
}

/** Inverts the lowest bit of one byte. */
export function flip(fixture: Fixture, imageOffset: number): Uint8Array {
  const image = copyOf(fixture);
  image[imageOffset] = (image[imageOffset] ?? 0) ^ 1;
  return image;
}

export function cutTo(fixture: Fixture, size: number): Uint8Array {
  return fixture.image.slice(0, size);
}

export function append(fixture: Fixture, ...bytes: readonly number[]): Uint8Array {
  return Uint8Array.from([...fixture.image, ...bytes]);
}

/** The image of the same params, some of them changed. */
export function rebuild<P extends FixtureParams>(
  fixture: Fixture,
  changes: Partial<P>,
): Uint8Array {
  return build({ ...fixture.params, ...changes } as FixtureParams).image;
}

/** The last of a list that a break's base is known to fill. */
export function last<T>(list: readonly T[]): T {
  const item = list.at(-1);
  if (item === undefined) throw new RangeError("the base of this break has none");
  return item;
}
