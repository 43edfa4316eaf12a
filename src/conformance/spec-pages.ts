/// <reference path="./markdown.d.ts" />
import fileSystems from "../../spec/file-systems.md" with { type: "text" };
import fuse from "../../spec/fuse.md" with { type: "text" };
import ntfsclone from "../../spec/ntfsclone.md" with { type: "text" };
import partclone from "../../spec/partclone.md" with { type: "text" };

/**
 * The pages are part of the package, and of a compiled executable: what they say is what is checked,
 * explained and tested.
 */
const pages = {
  "file-systems.md": fileSystems,
  "fuse.md": fuse,
  "ntfsclone.md": ntfsclone,
  "partclone.md": partclone,
} as const;

/** The rules of the FUSE page are about mounting, not about images. */
const FUSE_PREFIX = "FUS-";

/** One rule of a spec page, as its heading and list say. */
export interface SpecRule {
  readonly page: string;
  readonly line: number;
  readonly id: string;
  readonly title: string;
  /** `level`, `source`, `accepted`, `rejected`, `judge`, `reading`, in the page's words. */
  readonly fields: ReadonlyMap<string, string>;
  readonly statement: string;
}

const HEADING = /^### ([A-Z0-9]+(?:-[A-Z0-9]+)+): (.+)$/;
const FIELD = /^- ([a-z]+): (.+)$/;

interface Section {
  readonly line: number;
  readonly heading: RegExpExecArray;
  readonly body: readonly string[];
}

/** From each rule's heading to the next heading of any level. */
function sectionsOf(text: string): readonly Section[] {
  const lines = text.split("\n");
  return lines.flatMap((line, index) => {
    const heading = HEADING.exec(line);
    if (heading === null) return [];
    const rest = lines.slice(index + 1);
    const end = rest.findIndex((following) => following.startsWith("#"));
    return [{ line: index + 1, heading, body: end < 0 ? rest : rest.slice(0, end) }];
  });
}

function ruleOf(page: string, { line, heading, body }: Section): SpecRule {
  const [, id = "", title = ""] = heading;
  const fields = new Map<string, string>();
  const statement: string[] = [];
  for (const text of body) {
    const [, name, value] = FIELD.exec(text) ?? [];
    if (name === undefined || value === undefined) {
      statement.push(text);
      continue;
    }
    if (fields.has(name)) throw new Error(`${page}: ${id} has two fields "${name}"`);
    fields.set(name, value);
  }
  return { page, line, id, title, fields, statement: statement.join("\n").trim() };
}

/** Every rule of the pages. */
export function readSpecRules(): readonly SpecRule[] {
  return Object.entries(pages).flatMap(([page, text]) =>
    sectionsOf(text).map((section) => ruleOf(page, section)),
  );
}

/** The rules about images: each has an image that keeps it and one that breaks it. */
export function readFormatRules(): readonly SpecRule[] {
  return readSpecRules().filter((rule) => !rule.id.startsWith(FUSE_PREFIX));
}
