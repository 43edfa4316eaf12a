import type { Break } from "./break.ts";
import { fileSystemBreaks } from "./breaks-file-systems.ts";
import { ntfscloneBreaks } from "./breaks-ntfsclone.ts";
import { v1Breaks } from "./breaks-v1.ts";
import { v2Breaks } from "./breaks-v2.ts";
import { build } from "./build.ts";
import { example } from "./examples.ts";
import type { Fixture } from "./fixture.ts";

/** Rule id to the one way of breaking that rule: the images spec/ calls rejected. */
export const breaks: Readonly<Record<string, Break>> = {
  ...v1Breaks,
  ...v2Breaks,
  ...ntfscloneBreaks,
  ...fileSystemBreaks,
};

export interface BrokenImage {
  readonly rule: string;
  /** The sound fixture, for its partition and layout. */
  readonly fixture: Fixture;
  readonly image: Uint8Array;
}

/** Nothing but the rule is broken: an example of the formats does not hold the file system it names. */
function ofNoFileSystem(fixture: Fixture): Fixture {
  const { params, name } = fixture;
  const holdsOne = params.format === "ntfsclone" || "volume" in params;
  return holdsOne ? fixture : build({ ...params, fsType: "raw" }, name);
}

/** The image that breaks a rule and no other, or `null` for an id that has no break. */
export function brokenImage(rule: string): BrokenImage | null {
  const found = Object.hasOwn(breaks, rule) ? breaks[rule] : undefined;
  if (found === undefined) return null;
  const fixture = ofNoFileSystem(example(found.base));
  return { rule, fixture, image: found.apply(fixture) };
}
