import { ImageBackupError } from "../bytes/errors.ts";
import { examineImage } from "../formats.ts";
import type { Examination, ExamineOptions } from "../image/examination.ts";
import type { ByteSource, ByteStream } from "../source/source.ts";
import { judgeFileSystem, unjudgedFileSystem } from "./file-system-sense.ts";
import { KeptStream } from "./kept-stream.ts";
import { readFormatRules, type SpecRule } from "./spec-pages.ts";
import { isMust, type RuleVerdict, type Verdict } from "./verdict.ts";

export interface ConformOptions {
  /** Leaves out the rules that take reading all data. */
  readonly quick?: boolean;
  /** Places shown of each rule; the others are only counted. */
  readonly maxFindings?: number;
  /** Ids of the rules to judge; all that apply if empty. */
  readonly rules?: readonly string[];
}

/** An image held against the rules of spec/. */
export interface Report {
  readonly image: string;
  /** `partclone 0002`, `ntfsclone 10.1`, …; shorter where the version cannot be known. */
  readonly format: string;
  /** The file system as the image names it. */
  readonly fsType: string | null;
  readonly verdicts: readonly RuleVerdict[];
  /** No MUST rule fails. */
  readonly conforms: boolean;
}

export const MAX_FINDINGS = 20;

/** Only these take reading all data. */
const isDataRule = (id: string) => /-(CHECKSUM|DATA-COMPLETE|DATA-END)$/.test(id);
const breaksMust = ({ rule, verdict }: RuleVerdict) => isMust(rule) && verdict.status === "fail";

/** What there is to say of an image, whichever rules were asked for. */
interface Judged extends Pick<Report, "format" | "fsType" | "verdicts"> {
  /** The rule that forbids to judge others. */
  readonly barrier: string | undefined;
}

/**
 * Judges an image by every rule that applies to it. `source` is the stream's file, `null` if it
 * passes only once. Throws NOT_AN_IMAGE if the file has nothing of an image.
 */
export async function conform(
  stream: ByteStream,
  source: ByteSource | null,
  options: ConformOptions = {},
): Promise<Report> {
  const { rules: chosen = [], maxFindings: mostFindings = MAX_FINDINGS } = options;
  const quick = options.quick === true || !(chosen.length === 0 || chosen.some(isDataRule));
  const judged = await judgeAll(stream, source, { quick, mostFindings });
  const { format, fsType } = judged;
  const verdicts = chosen.length === 0 ? judged.verdicts : verdictsOn(chosen, judged);
  const conforms = !verdicts.some(breaksMust);
  return { image: stream.name, format, fsType, verdicts, conforms };
}

/** `partclone 0002, EXTFS` */
export const titleOf = ({ format, fsType }: Pick<Report, "format" | "fsType">) =>
  [format, fsType].filter(Boolean).join(", ");

function verdictsOn(chosen: readonly string[], judged: Judged): RuleVerdict[] {
  const { verdicts, barrier } = judged;
  // Without the rule that forbids all others, those would look as if nothing had failed.
  const own = verdicts.filter(({ rule: { id } }) => chosen.includes(id) || id === barrier);
  const others = readFormatRules().filter(
    ({ id }) => chosen.includes(id) && !own.some(({ rule }) => rule.id === id),
  );
  const reason = `the image is ${titleOf(judged)}`;
  return [
    ...own,
    ...others.map((rule): RuleVerdict => ({ rule, verdict: { status: "not applicable", reason } })),
  ];
}

async function judgeAll(
  stream: ByteStream,
  source: ByteSource | null,
  options: ExamineOptions,
): Promise<Judged> {
  const kept = new KeptStream(stream);
  // Several threads can read a file that nothing stands before.
  const [inOrder, inAnyOrder] = source ? [stream, source] : [kept, kept.source()];
  const begin = () => {
    if (!source) kept.keep();
  };
  let examination: Examination;
  try {
    examination = await examineImage(inOrder, { ...options, begin });
  } catch (error) {
    const judged = error instanceof ImageBackupError ? refusedVerdicts(error, stream.name) : null;
    if (!judged) throw error;
    return judged;
  }
  if (!source && options.quick) await kept.fill();
  const sense = await senseOf(examination, inAnyOrder);
  const verdicts = formatRules().flatMap((rule) => {
    const verdict = ruleVerdict(rule, examination, sense);
    return verdict ? [{ rule, verdict }] : [];
  });
  const { format, fsType, refused } = examination;
  return { format, fsType, verdicts, barrier: refused?.rule };
}

const prefixes: Readonly<Record<string, string>> = {
  "partclone 0001": "PC1-",
  "partclone 0002": "PC2-",
  ntfsclone: "NTC-",
};
const SENSE_PREFIX = "FSS-";

/** In the order of judging: the image first, then what is in it. */
const formatRules = () => {
  const isSense = ({ id }: SpecRule) => id.startsWith(SENSE_PREFIX);
  return readFormatRules().toSorted((a, b) => Number(isSense(a)) - Number(isSense(b)));
};

/** The prefix of a format's rules; ntfsclone's has versions that share theirs. */
const prefixOf = (format: string) => prefixes[format] ?? prefixes[format.split(" ")[0] ?? ""];

async function senseOf({ fsType, refused, imageOver }: Examination, source: ByteSource) {
  const image = imageOver(source);
  const reason = `${refused?.rule} fails: no block can be placed`;
  return image ? judgeFileSystem(image) : unjudgedFileSystem(fsType, reason);
}

/** What is said of one rule; `null` if it is one of another format or file system. */
function ruleVerdict(
  { id }: SpecRule,
  examination: Examination,
  sense: ReadonlyMap<string, Verdict>,
): Verdict | null {
  if (id.startsWith(SENSE_PREFIX)) return sense.get(id) ?? null;
  const { format, findings, totals, asked, unjudged, refused } = examination;
  if (!id.startsWith(prefixOf(format) ?? " ")) return null;
  const total = totals.get(id) ?? 0;
  if (total > 0) {
    const own = findings.filter(({ rule }) => rule === id);
    const failures = own.map(({ message, imageOffset, reading }) => ({
      found: message,
      imageOffset,
      reading,
    }));
    return { status: "fail", failures, total };
  }
  const why = unjudged.get(id);
  if (why) return why;
  if (asked.has(id)) return { status: "pass" };
  if (!refused) throw new Error(`nothing checks ${id}`);
  return { status: "not judged", reason: `${refused.rule} fails` };
}

/** An image whose header cannot be read breaks one rule, and no other can be judged. */
function refusedVerdicts(error: ImageBackupError, name: string): Judged | null {
  const { rule: broken, message, imageOffset = 0 } = error;
  const prefix = broken?.slice(0, broken.indexOf("-") + 1);
  const format = Object.keys(prefixes).find((name) => prefixes[name] === prefix);
  if (broken === undefined || prefix === undefined || format === undefined) return null;
  // The message is meant to stand alone: the report names the image and the rule anyway.
  const found = message.replace(`${name}: `, "").replace(` (${broken})`, "");
  const failures = [{ found, imageOffset, reading: "refused" as const }];
  const verdictOf = (id: string): Verdict =>
    id === broken
      ? { status: "fail", failures, total: 1 }
      : { status: "not judged", reason: `${broken} fails` };
  const own = formatRules().filter(({ id }) => id.startsWith(prefix));
  return {
    barrier: broken,
    format: broken.endsWith("-VERSION") ? "partclone" : format,
    fsType: null,
    verdicts: own.map((rule): RuleVerdict => ({ rule, verdict: verdictOf(rule.id) })),
  };
}
