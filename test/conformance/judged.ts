import { type ConformOptions, conform, type Report } from "../../src/conformance/conform.ts";
import { SourceStream } from "../../src/source/stream.ts";
import { memorySource } from "../memory-source.ts";

/** The report on an image in memory. */
export function reportOn(image: Uint8Array, options: ConformOptions = {}): Promise<Report> {
  const source = memorySource(image);
  return conform(new SourceStream(source), source, options);
}

/** Ids of the rules that a report says are broken. */
export function brokenIn({ verdicts }: Report): string[] {
  return verdicts.filter(({ verdict }) => verdict.status === "fail").map(({ rule }) => rule.id);
}
