import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ImageBackupError } from "../../src/bytes/errors.ts";
import { examineImage, layOutImage } from "../../src/formats.ts";
import { BlockIO } from "../../src/image/block-io.ts";
import { SourceStream } from "../../src/source/stream.ts";
import { memorySource } from "../memory-source.ts";

/** `crashes`: ended by a signal; `hangs`: ended by us. */
export type Answer = "reads" | "refuses" | "crashes" | "hangs";

export interface OurAnswer {
  readonly answer: "reads" | "refuses";
  /** Ids of the rules that the image breaks. */
  readonly broken: ReadonlySet<string>;
  readonly deviceSize: number | null;
  /** The partition, where it is read and not large. */
  readonly partition: Uint8Array | null;
}

/** What is read with these broken is not what was saved, or not all of it. */
const DAMAGE = /-(CHECKSUM|DATA-COMPLETE|COMMAND|GAP-NOT-ZERO)$/;
const LARGEST_COMPARED = 64 * 2 ** 20;

/** Can all of the image be read, and is all that was proved right? */
export async function ourAnswer(image: Uint8Array): Promise<OurAnswer> {
  const source = memorySource(image);
  const refused = (broken: string[]): OurAnswer => {
    return { answer: "refuses", broken: new Set(broken), deviceSize: null, partition: null };
  };
  try {
    const options = { quick: false, mostFindings: 1 };
    const { findings, refused: why } = await examineImage(new SourceStream(source), options);
    const broken = new Set(findings.map(({ rule }) => rule));
    if (why) return refused([...broken]);
    const { image: laidOut } = await layOutImage(source);
    const { deviceSize } = laidOut;
    if ([...broken].some((id) => DAMAGE.test(id))) {
      return { answer: "refuses", broken, deviceSize, partition: null };
    }
    if (deviceSize > LARGEST_COMPARED)
      return { answer: "reads", broken, deviceSize, partition: null };
    const partition = new Uint8Array(deviceSize);
    await new BlockIO(laidOut).read(partition, 0);
    return { answer: "reads", broken, deviceSize, partition };
  } catch (error) {
    if (!(error instanceof ImageBackupError)) throw error;
    return refused(error.rule ? [error.rule] : []);
  }
}

export const tools = ["chkimg", "restore", "ntfsclone"] as const;
export type Tool = (typeof tools)[number];

export interface TheirAnswer {
  readonly answer: Answer;
  /** The restored partition, where there is one and it is not large. */
  readonly partition: Uint8Array | null;
  readonly output: string;
}

/** partclone refuses within 3 seconds, which it sleeps. */
const TIMEOUT = 20_000;
/** Damaged headers can ask for any amount; what the tools need for these images is little. */
const MOST_MEMORY = 8 * 2 ** 30;

/**
 * `refresh` 0 keeps partclone.chkimg from waiting for the thread that shows its progress, but lets
 * that thread write without end while an image is being refused; partclone.restore has `-q`.
 */
function argvOf(tool: Tool, image: string, restored: string, refresh: 0 | 1): readonly string[] {
  const flags = ["-f", `${refresh}`, "-B", "-L", "/dev/null", "-s", image];
  switch (tool) {
    case "chkimg":
      return ["partclone.chkimg", ...flags];
    case "restore":
      return ["partclone.restore", "-q", ...flags, "-W", "-O", restored];
    case "ntfsclone":
      return ["ntfsclone", "--restore-image", "--overwrite", restored, image];
  }
}

/** What a real tool says to an image; `expected` only decides how it is called. */
export async function theirAnswer(
  tool: Tool,
  image: Uint8Array,
  directory: string,
  expected: Answer,
): Promise<TheirAnswer> {
  mkdirSync(directory);
  try {
    const [imagePath, restored] = [join(directory, "image"), join(directory, "restored")];
    writeFileSync(imagePath, image);
    const argv = argvOf(tool, imagePath, restored, expected === "reads" ? 0 : 1);
    const child = Bun.spawn(["prlimit", `--as=${MOST_MEMORY}`, ...argv], {
      stdout: "ignore",
      stderr: "pipe",
      timeout: TIMEOUT,
      killSignal: "SIGKILL",
    });
    const [stderr] = await Promise.all([lastOf(child.stderr), child.exited]);
    const { exitCode, signalCode } = child;
    const crashed = signalCode === "SIGKILL" ? "hangs" : "crashes";
    const answer = exitCode === null ? crashed : exitCode === 0 ? "reads" : "refuses";
    return { answer, partition: answer === "reads" ? partitionAt(restored) : null, output: stderr };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** The end of what a tool printed: it may be very much. */
async function lastOf(stream: ReadableStream<Uint8Array>): Promise<string> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of stream) text = (text + decoder.decode(chunk)).slice(-2000);
  return text;
}

function partitionAt(path: string): Uint8Array | null {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats && stats.size <= LARGEST_COMPARED ? readFileSync(path) : null;
}
