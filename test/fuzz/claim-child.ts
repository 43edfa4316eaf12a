/** A program that does with each claim what can be done, and says what that cost. */
import { readFileSync } from "node:fs";
import { ImageBackupError } from "../../src/bytes/errors.ts";
import { checkImage, dumpImage, examineImage, layOutImage } from "../../src/formats.ts";
import { partitionFile } from "../../src/fuse/partition-file.ts";
import { BlockIO } from "../../src/image/block-io.ts";
import type { Image } from "../../src/image/image.ts";
import { openImage } from "../../src/open-image.ts";
import { SourceStream } from "../../src/source/stream.ts";
import { memorySource } from "../memory-source.ts";
import { claims } from "./claims.ts";

export interface Cost {
  readonly name: string;
  readonly outcome: string;
  readonly milliseconds: number;
  /** The most memory this process had until then. */
  readonly peakBytes: number;
}

/** Not ru_maxrss, which a new process takes over from the one that started it. */
function peakResident(): number {
  const [, kibibytes = ""] =
    /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
  return Number(kibibytes) * 1024;
}

const STATUS = { mode: 0o444n, uid: 0n, gid: 0n, atimeNs: 0n, mtimeNs: 0n, ctimeNs: 0n };

async function codeOf(work: () => unknown): Promise<string> {
  try {
    await work();
    return "opened";
  } catch (error) {
    if (error instanceof ImageBackupError) return error.code;
    throw error;
  }
}

/** The first, the last and some middle bytes, and where the holes are. */
async function look(image: Image): Promise<void> {
  const io = new BlockIO(image);
  const file = partitionFile(image, "p", STATUS);
  for (const at of [0, Math.floor(file.size / 3), Math.max(0, file.size - 4096)]) {
    await codeOf(() => io.read(new Uint8Array(4096), at));
    file.nextData(at);
    file.nextHole(at);
  }
}

async function tryAll(bytes: Uint8Array): Promise<string> {
  const source = memorySource(bytes);
  const stream = () => new SourceStream(source);
  await codeOf(() => dumpImage(stream()));
  await codeOf(() => checkImage(stream()));
  await codeOf(() => examineImage(stream(), { quick: false, mostFindings: 3 }));
  await codeOf(async () => {
    await using image = await openImage(source);
    await codeOf(() => image.bitmap.length < 2 ** 20);
    await image.blockReader({ onBlock() {} });
  });
  await codeOf(async () => look((await layOutImage(source, { verify: true })).image));
  return codeOf(async () => look((await layOutImage(source)).image));
}

for (const [name, { image }] of Object.entries(claims)) {
  const start = performance.now();
  const outcome = await tryAll(image);
  const milliseconds = performance.now() - start;
  const peakBytes = peakResident();
  console.log(JSON.stringify({ name, outcome, milliseconds, peakBytes } satisfies Cost));
}
