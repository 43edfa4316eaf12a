import { ALGORITHMS, type HashAlgorithm } from "./hashes.ts";
import { readText } from "./metadata.ts";

/** What a list says of a file. */
export interface ListedHash {
  readonly algorithm: HashAlgorithm;
  readonly digest: string;
}

export interface ChecksumLists {
  readonly byName: ReadonlyMap<string, readonly ListedHash[]>;
  /** What is wrong with the lists themselves, a line each. */
  readonly problems: readonly string[];
}

/** Two lines for each of a hundred thousand files. */
const MOST_BYTES = 2 ** 25;

/** Those of the names that are lists of hashes. */
export const listNames = (names: readonly string[]): string[] =>
  ALGORITHMS.map(({ list }) => list).filter((list) => names.includes(list));

/** Reads the lists of a folder, as md5sum and its like write them. */
export function readChecksumLists(folder: string, names: readonly string[]): ChecksumLists {
  const byName = new Map<string, ListedHash[]>();
  const problems: string[] = [];
  for (const algorithm of ALGORITHMS.filter(({ list }) => names.includes(list))) {
    const { list } = algorithm;
    const lines = (readText(folder, list, MOST_BYTES) ?? "").split("\n");
    const listed = lines.map((line) => parseLine(line, algorithm));
    for (const [index, line] of lines.entries()) {
      const { name, digest } = listed[index] ?? {};
      if (name !== undefined && digest !== undefined) {
        // A list that was there before has a hash of itself, which cannot be right.
        if (name !== list) byName.set(name, [...(byName.get(name) ?? []), { algorithm, digest }]);
      } else if (line !== "") problems.push(`${list}: line ${index + 1} is no hash of a file`);
    }
    if (listed.every((each) => each === null)) problems.push(`${list}: has no hash of any file`);
  }
  return { byName, problems };
}

/** `HASH  NAME`, `HASH *NAME`; with a `\` in front, what is odd in the name is escaped. */
function parseLine(
  line: string,
  { digits }: HashAlgorithm,
): { name: string; digest: string } | null {
  const shape = new RegExp(`^(\\\\?)([0-9a-f]{${digits}}) [ *](.+)$`, "i");
  const [, mark, digest = "", text = ""] = shape.exec(line) ?? [];
  const name = (mark === "\\" ? unescaped(text) : text).replace(/^(?:\.\/)+/, "");
  // Of the folder's own files only: a list must not lead to others.
  return name === "" || name.includes("/") ? null : { name, digest: digest.toLowerCase() };
}

const ESCAPED: Readonly<Record<string, string>> = { n: "\n", r: "\r", "\\": "\\" };

const unescaped = (text: string): string =>
  text.replace(/\\([nr\\])/g, (_, letter: string) => ESCAPED[letter] ?? letter);
