import { ImageBackupError } from "../bytes/errors.ts";

/** A rule of spec/ that an image breaks. */
export interface Finding {
  /** The rule's id. */
  readonly rule: string;
  /** What is wrong, and what the reader does about it. */
  readonly message: string;
  /** Byte offset in the image file. */
  readonly imageOffset: number;
  readonly reading: Reading;
}

/**
 * What a reader does with an image that breaks a rule: its data cannot be laid out and must not be
 * read; it is read, with a message; it is read as if nothing were wrong.
 */
export type Reading = "refused" | "warned" | "unaffected";

/** What stands before the data, as the file has it, and what the rules say of it. */
export type Described<Header, Layout> = {
  readonly header: Header;
  readonly findings: readonly Finding[];
} & (
  | { readonly layout: Layout }
  /** The data cannot be laid out. */
  | { readonly layout: null; readonly refused: Finding }
);

/** One rule as a row of a table: how to see that it is broken, and what follows for reading. */
export interface Rule<Facts> {
  readonly id: string;
  /** As the rule's page in spec/ says. */
  readonly reading: Reading;
  /** Byte offset in the image file of what the rule speaks of. */
  readonly at: number | ((facts: Facts) => number);
  /** The message if the rule is broken, `null` if it holds. */
  readonly broken: (facts: Facts) => string | null;
}

/** What the facts say against the rules, in the rules' order. */
export function judge<Facts>(rules: readonly Rule<Facts>[], facts: Facts): Finding[] {
  return rules.flatMap((rule) => {
    const message = rule.broken(facts);
    if (message === null) return [];
    const imageOffset = typeof rule.at === "function" ? rule.at(facts) : rule.at;
    return [{ rule: rule.id, message, imageOffset, reading: rule.reading }];
  });
}

/** The finding that forbids reading the image, if there is one. */
export function refusing(findings: readonly Finding[]): Finding | undefined {
  return findings.find(({ reading }) => reading === "refused");
}

export function refusal(name: string, finding: Finding): ImageBackupError {
  const { rule, imageOffset, message } = finding;
  return new ImageBackupError("CORRUPT", `${name}: ${message} (${rule})`, { rule, imageOffset });
}
