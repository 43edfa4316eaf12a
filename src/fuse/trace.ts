import type { Outcome } from "./reply.ts";
import { decode, type Malformed, nameOf, type Request } from "./request.ts";

/** Fields worth a look; the others are handles and padding that we never set. */
const SHOWN: ReadonlySet<string> = new Set([
  "offset",
  "size",
  "whence",
  "flags",
  "mask",
  "major",
  "minor",
  "maxReadahead",
]);

function result(outcome: Outcome | null): string {
  if (outcome === null) return "no reply";
  return typeof outcome === "number" ? `${outcome} bytes` : outcome.name;
}

/** One line on a request and what came of it, for `--debug_fuse`. */
export function describe(request: Request | Malformed, outcome: Outcome | null): string {
  if (request.kind === "malformed") return `malformed: ${request.why} -> ${result(outcome)}`;
  const { unique, operation, node } = request;
  const fields = operation.body === null ? [] : Object.entries(decode(operation.body, request));
  const details = fields.filter(([key]) => SHOWN.has(key)).map(([key, value]) => `${key}=${value}`);
  if (operation.named) details.push(JSON.stringify(Buffer.from(nameOf(request)).toString()));
  const head = `#${unique} ${operation.name} node=${node}`;
  return `${[head, ...details].join(" ")} -> ${result(outcome)}`;
}
