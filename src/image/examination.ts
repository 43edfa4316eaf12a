import type { ByteSource } from "../source/source.ts";
import type { Image } from "./image.ts";
import type { Finding } from "./rules.ts";

export interface ExamineOptions {
  /** Leaves out the rules that take reading all data. */
  readonly quick: boolean;
  /** Findings of one rule that are kept; the others are only counted. */
  readonly mostFindings: number;
  /** The data comes next; the stream is at its first byte. */
  begin?(): void;
}

/** Why a rule has no verdict. */
export interface Unjudged {
  readonly status: "not applicable" | "not judged";
  readonly reason: string;
}

/** An image held against every rule of its format. */
export interface Examination {
  /** `partclone 0002`, `ntfsclone 10.1`, … */
  readonly format: string;
  /** The file system as the image names it. */
  readonly fsType: string;
  readonly findings: readonly Finding[];
  /** How many findings each rule has, those that were not kept too. */
  readonly totals: ReadonlyMap<string, number>;
  /** Ids of the rules that were put to the image: those without a finding hold. */
  readonly asked: ReadonlySet<string>;
  readonly unjudged: ReadonlyMap<string, Unjudged>;
  /** The finding after which nothing further can be judged. */
  readonly refused: Finding | null;
  /** The partition, if its data can be placed; `source` must hold the same bytes. */
  imageOver(source: ByteSource): Image | null;
}

/**
 * The rules that can be put to an image, in their order: once a refusing finding is met, up to the
 * next of the `barriers`, behind which nothing means anything without it.
 */
export function askable(
  order: readonly string[],
  barriers: ReadonlySet<string>,
  findings: readonly Finding[],
): Set<string> {
  const refusing = new Set(
    findings.filter(({ reading }) => reading === "refused").map(({ rule }) => rule),
  );
  const asked = new Set<string>();
  let isRefused = false;
  for (const id of order) {
    asked.add(id);
    isRefused ||= refusing.has(id);
    if (isRefused && barriers.has(id)) break;
  }
  return asked;
}

/** Keeps so many findings of each rule and counts the rest: a hostile image can have billions. */
export function findingKeeper(mostFindings: number) {
  const findings: Finding[] = [];
  const totals = new Map<string, number>();
  const add = (finding: Finding) => {
    const count = (totals.get(finding.rule) ?? 0) + 1;
    totals.set(finding.rule, count);
    if (count <= mostFindings) findings.push(finding);
  };
  return { findings, totals, add };
}

/** Most bytes of a magic that may differ in an image that is only damaged there. */
const MOST_DAMAGE = 4;

/** Are the first bytes the magic, but for a few? */
export function isNearly(head: Uint8Array, magic: string): boolean {
  const differing = [...magic].filter((letter, at) => letter.charCodeAt(0) !== head[at]);
  return head.length >= magic.length && differing.length <= MOST_DAMAGE;
}
