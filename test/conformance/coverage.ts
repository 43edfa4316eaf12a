import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { readFormatRules, type SpecRule } from "../../src/conformance/spec-pages.ts";

const root = join(import.meta.dirname, "..", "..");

/** What stands for a rule in code, examples and real tools. */
export interface Coverage {
  readonly id: string;
  /** `file:line` of the code that tells when it is broken. */
  readonly code: readonly string[];
  readonly accepted: string;
  readonly rejected: string;
  readonly judge: string;
}

/** An id where it is a value: not in a comment, nor only in a message. */
const ID = /"((?:PC1|PC2|NTC|FSS)-[A-Z0-9-]+)"/g;
/** These serve both formats of partclone, and build the id. */
const GENERIC = /`PC\$\{[\w.]*generation\}-([A-Z-]+)`/g;
/** Where rules are listed to tell when they cannot be judged, or whether they matter to a reader. */
const LISTS = /\/examine\.ts$|cli\/check\.ts$|conformance\/conform\.ts$/;

function linesThatName(file: string): [id: string, place: string][] {
  const lines = readFileSync(join(root, file), "utf8").split("\n");
  return lines.flatMap((line, index) => {
    const place = `${file}:${index + 1}`;
    if (LISTS.test(file)) return [];
    const named = [...line.matchAll(ID)].map(([, id = ""]) => id);
    const built = [...line.matchAll(GENERIC)].flatMap(([, name]) => [`PC1-${name}`, `PC2-${name}`]);
    return [...named, ...built].map((id): [string, string] => [id, place]);
  });
}

/** Every rule about images, with what covers it. */
export function coverage(): readonly Coverage[] {
  const files = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" });
  const places = files
    .filter((name) => name.endsWith(".ts"))
    .toSorted()
    .flatMap((name) => linesThatName(join("src", name)));
  const codeOf = ({ id }: SpecRule) => places.filter(([named]) => named === id).map(([, at]) => at);
  return readFormatRules().map((rule) => ({
    id: rule.id,
    code: codeOf(rule),
    accepted: rule.fields.get("accepted") ?? "",
    rejected: rule.fields.get("rejected") ?? "",
    judge: rule.fields.get("judge") ?? "",
  }));
}

if (import.meta.main) {
  const rows = coverage();
  for (const { id, code, accepted, rejected, judge } of rows) {
    console.log(id);
    console.log(`  checked by  ${code.join(", ") || "NOTHING"}`);
    console.log(`  accepted    ${accepted}`);
    console.log(`  rejected    ${rejected}`);
    console.log(`  real tools  ${judge}`);
  }
  const bare = rows.filter(({ code }) => code.length === 0);
  console.log(`${rows.length} rules, ${bare.length} of them without code`);
  process.exitCode = bare.length === 0 ? 0 : 1;
}
