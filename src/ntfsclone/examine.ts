import {
  askable,
  type Examination,
  type ExamineOptions,
  findingKeeper,
  type Unjudged,
} from "../image/examination.ts";
import { judge } from "../image/rules.ts";
import type { ByteSource, ByteStream } from "../source/source.ts";
import { clusterLength } from "./commands.ts";
import { type Description, describe } from "./description.ts";
import { headerRules } from "./header-rules.ts";
import { NtfscloneImage } from "./image.ts";
import { formatName, MAJOR_VERSION } from "./layout.ts";
import { streamRules } from "./stream-rules.ts";

const ids = (rules: readonly { readonly id: string }[]) => rules.map(({ id }) => id);

/** What following the commands tells: the walk ends at the first that is broken. */
const commandRules = [
  "NTC-COMMAND",
  "NTC-GAP-NOT-ZERO",
  "NTC-POSITION",
  "NTC-DATA-COMPLETE",
] as const;

/** Every rule, in the order in which the file is read. */
const order = [
  "NTC-MAGIC",
  "NTC-HEADER-COMPLETE",
  ...ids(headerRules),
  ...commandRules,
  ...ids(streamRules),
];
const barriers: ReadonlySet<string> = new Set(ids(headerRules.slice(-1)));

/** Whose facts are only known at the image's true end. */
const endRules = ["NTC-DATA-END", "NTC-IN-USE", "NTC-BACKUP-BOOT"] as const;

/** The format has no checksums: a quick examination leaves nothing out. */
export async function examine(stream: ByteStream, options: ExamineOptions): Promise<Examination> {
  options.begin?.();
  const description = await describe(stream);
  const { header, layout } = description;
  const { findings, totals, add } = findingKeeper(options.mostFindings);
  description.findings.forEach(add);
  // The size of a pipe shows only at its end.
  if (layout && stream.size === null) {
    await stream.skip(Infinity);
    const atEnd = { ...layout.facts, fileSize: stream.position };
    judge(streamRules, atEnd)
      .filter(({ rule }) => rule === "NTC-DATA-END")
      .forEach(add);
  }
  return {
    format: formatName(header),
    fsType: "NTFS",
    findings,
    totals,
    asked: askable(order, barriers, findings),
    unjudged: new Map([...brokenOff(description), ...idleRules(description)]),
    refused: layout ? null : description.refused,
    imageOver: (source: ByteSource) => (layout ? NtfscloneImage.from(source, description) : null),
  };
}

/** Behind a command that cannot be followed nothing is known of the others. */
function brokenOff({ findings }: Description): [rule: string, why: Unjudged][] {
  const broken = commandRules.find((id) => findings.some(({ rule }) => rule === id));
  if (broken === undefined) return [];
  const reason = `${broken} fails: the commands behind it cannot be followed`;
  // A file that ends too early has shown all its commands.
  const others = broken === "NTC-DATA-COMPLETE" ? [] : commandRules.filter((id) => id !== broken);
  return [...others, ...endRules].map((rule) => [rule, { status: "not judged", reason }]);
}

function idleRules({ header, layout }: Description): [rule: string, why: Unjudged][] {
  const { majorVersion, minorVersion } = header;
  const isOld = majorVersion < MAJOR_VERSION;
  const noRoom = layout && clusterLength(layout.clusters, layout.clusters.clusterCount) === 0;
  const idle: Readonly<Record<string, string | false | null>> = {
    "NTC-DATA-OFFSET": isOld && "before version 10 no offset is stored",
    "NTC-BACKUP-BOOT":
      isOld || minorVersion === 0
        ? "only images from version 10.1 on hold the backup boot sector"
        : noRoom && "the device has no byte past its last cluster",
  };
  return Object.entries(idle).flatMap(([rule, reason]) =>
    reason ? [[rule, { status: "not applicable" as const, reason }]] : [],
  );
}
