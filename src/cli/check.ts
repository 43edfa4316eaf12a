import { printable, printableJson } from "../bytes/printable.ts";
import { counted, grouped, humanSize } from "../bytes/sizes.ts";
import { checkImage, dumpImage } from "../formats.ts";
import type { Checked, Dump } from "../image/check.ts";
import { dumpObject, dumpText } from "../image/dump.ts";
import { noProgress, type Progress, showProgress } from "../image/progress.ts";
import { type Finding, refusal } from "../image/rules.ts";
import { openStream } from "../source/open-stream.ts";
import type { Messages } from "./messages.ts";

export interface InspectOptions {
  readonly imagePath: string;
  /** Print the dump. */
  readonly verbose: boolean;
  /** Print it as JSON. */
  readonly json: boolean;
  /** Prove every checksum. */
  readonly crcCheck: boolean;
  readonly quiet: boolean;
  /** Blocks under one count of partclone's rank index, which the dump tells. */
  readonly indexSize?: number;
}

/**
 * Rules that sound images of real tools break: said, but no reason to distrust an image. All other
 * findings make a check fail.
 */
export const harmless: ReadonlySet<string> = new Set([
  "PC1-USED-COUNT",
  "PC1-BYTE-MAP-VALUES",
  "PC1-CHECKSUM-WIDTH",
  "PC2-USED-SUPERBLOCK",
  "PC2-USED-BITMAP",
  "PC2-STRAY-BITS",
  "PC2-BYTE-MAP-VALUES",
  "NTC-IN-USE",
  "NTC-BOOT-SECTOR",
  "NTC-BACKUP-BOOT",
  "NTC-ORDER",
]);

/** Dumps the header, proves the checksums, or both in one pass. Returns whether all is right. */
export async function inspectImage(options: InspectOptions, messages: Messages): Promise<boolean> {
  await using stream = await openStream(options.imagePath);
  const print = (dump: Dump) => {
    if (options.verbose) process.stdout.write(`${dumpOutput(dump, options.json)}\n`);
  };
  if (!options.crcCheck) {
    const dump = await dumpImage(stream, options.indexSize);
    print(dump);
    if (dump.refused) throw refusal(stream.name, dump.refused);
    // The dump is what was asked for, and there it is: what else is wrong is no failure of it.
    for (const finding of dump.findings) report(finding, stream.name, messages.warn);
    return true;
  }
  let progress: Progress = noProgress;
  try {
    const checked = await checkImage(stream, {
      indexSize: options.indexSize,
      described: print,
      begin(totalBytes) {
        progress = options.quiet ? noProgress : showProgress(stream.name, totalBytes);
      },
      advance: (imageOffset) => progress.update(imageOffset),
      finding(finding) {
        const isHarmless = harmless.has(finding.rule);
        progress.clear();
        report(finding, stream.name, isHarmless ? messages.warn : messages.error);
      },
    });
    progress.stop();
    if (!options.json) {
      const line = summary(checked, printable(stream.name), stream.position);
      process.stdout.write(`${line}\n`);
    }
    return isSound(checked);
  } finally {
    progress.stop();
  }
}

function dumpOutput({ title, details }: Dump, json: boolean): string {
  return json
    ? printableJson(JSON.stringify(dumpObject(details), null, 2))
    : dumpText(title, details);
}

/** Says what is wrong, unless sound images of real tools have it too. */
export function report(
  { rule, message, reading }: Finding,
  name: string,
  say: (line: string) => void,
): void {
  if (reading === "unaffected" && harmless.has(rule)) return;
  say(`${name}: ${message} (${rule})`);
}

export const isSound = ({ findings }: Checked) => findings.every(({ rule }) => harmless.has(rule));

/** One line for people; `bytes`: of the image that were read. */
export function summary(checked: Checked, name: string, bytes: number): string {
  const { good, bad, unknown } = checked.strips;
  const strips = good + bad + unknown;
  const read = `${humanSize(bytes)} read`;
  const proved = `${read}, proved by ${checked.proof}`;
  if (isSound(checked)) {
    const right = `: ${counted(strips, "strip")} ${strips === 1 ? "is" : "are"} right`;
    return `${name}: sound${strips > 0 ? right : ""} (${proved})`;
  }
  const verb = bad === 1 ? "is" : "are";
  const counts = strips === 0 ? "" : `: ${grouped(bad)} of ${grouped(strips)} strips ${verb} bad`;
  const lost = unknown === 0 ? "" : `, ${grouped(unknown)} cannot be judged`;
  return `${name}: NOT SOUND${counts}${lost} (${proved})`;
}
