import type { Fixture, FixtureParams } from "./fixture.ts";
import { buildNtfsclone } from "./ntfsclone.ts";
import { buildPartcloneV1 } from "./partclone-v1.ts";
import { buildPartcloneV2 } from "./partclone-v2.ts";

/** The fixture of any params: same params, same bytes. */
export function build(params: FixtureParams, name?: string): Fixture {
  switch (params.format) {
    case "partclone-v1":
      return buildPartcloneV1(params, name);
    case "partclone-v2":
      return buildPartcloneV2(params, name);
    case "ntfsclone":
      return buildNtfsclone(params, name);
  }
}
