import { join } from "node:path";
import { type Case, makeCases } from "./cases.ts";
import { type OurAnswer, ourAnswer, type TheirAnswer, type Tool, theirAnswer } from "./readers.ts";

/** How one tool's answer differs from ours. */
export interface Difference {
  readonly case: Case;
  readonly tool: Tool;
  readonly ours: OurAnswer;
  readonly theirs: TheirAnswer;
  /** `other bytes`: both read the image, to different partitions. */
  readonly kind: TheirAnswer["answer"] | "other bytes";
}

export interface Comparison {
  readonly images: number;
  readonly answers: number;
  readonly differences: readonly Difference[];
}

const toolsFor = ({ fixture }: Case): readonly Tool[] =>
  fixture.format === "ntfsclone" ? ["ntfsclone"] : ["chkimg", "restore"];

/**
 * Is the restored file the partition? It may end earlier, in zeros that were not written: partclone
 * -W ends a file of format 0001, and one whose last block is stored, where the blocks end.
 */
function isSamePartition(ours: Uint8Array, theirs: Uint8Array): boolean {
  const common = Math.min(ours.length, theirs.length);
  const isZero = (bytes: Uint8Array) => bytes.every((byte) => byte === 0);
  return (
    Buffer.compare(ours.subarray(0, common), theirs.subarray(0, common)) === 0 &&
    isZero(ours.subarray(common)) &&
    theirs.length <= ours.length
  );
}

async function differenceOf(
  each: Case,
  ours: OurAnswer,
  tool: Tool,
  directory: string,
): Promise<Difference | null> {
  const theirs = await theirAnswer(tool, each.image, directory, ours.answer);
  if (theirs.answer !== ours.answer) {
    return { case: each, tool, ours, theirs, kind: theirs.answer };
  }
  if (tool === "chkimg" || !ours.partition || !theirs.partition) return null;
  const isSame = isSamePartition(ours.partition, theirs.partition);
  return isSame ? null : { case: each, tool, ours, theirs, kind: "other bytes" };
}

/** Asks all readers about all cases, many at the same time: the tools sleep most of it. */
export async function compareAll(
  seed: number,
  count: number,
  scratch: string,
  parallel: number,
): Promise<Comparison> {
  const cases = makeCases(seed, count);
  /** By the cases' numbers, so that the same run gives the same page. */
  const differences: Difference[][] = [];
  let images = 0;
  let answers = 0;
  const work = async () => {
    for (const each of cases) {
      const number = images++;
      const found: Difference[] = [];
      differences[number] = found;
      const ours = await ourAnswer(each.image);
      for (const tool of toolsFor(each)) {
        answers++;
        const directory = join(scratch, `${number}-${tool}`);
        const difference = await differenceOf(each, ours, tool, directory);
        if (difference) found.push(difference);
      }
    }
  };
  await Promise.all(Array.from({ length: parallel }, work));
  return { images, answers, differences: differences.flat() };
}
