import type { Unjudged } from "../image/examination.ts";
import type { Reading } from "../image/rules.ts";
import type { SpecRule } from "./spec-pages.ts";

/** One place where an image breaks a rule. */
export interface Failure {
  /** What was found there. */
  readonly found: string;
  /** Byte offset in the image file. */
  readonly imageOffset?: number;
  /** Byte offset in the partition, for rules about its file system. */
  readonly deviceOffset?: number;
  readonly reading: Reading;
}

export interface Broken {
  readonly status: "fail";
  readonly failures: readonly Failure[];
  /** Counts the failures that were not kept, too. */
  readonly total: number;
}

export type Verdict = { readonly status: "pass" } | Broken | Unjudged;

export interface RuleVerdict {
  readonly rule: SpecRule;
  readonly verdict: Verdict;
}

/** What readers do with an image that breaks a rule of this kind. */
export const readers: Readonly<Record<Reading, string>> = {
  refused: "readers refuse the image: its data cannot be placed",
  warned: "readers read the image, with a warning",
  unaffected: "readers read the image as if nothing were wrong",
};

export const isMust = ({ fields }: SpecRule) => fields.get("level") === "MUST";
