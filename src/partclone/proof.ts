import { closeSync, openSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { FileSource } from "../source/file.ts";
import type { ByteStream } from "../source/source.ts";
import { SourceStream } from "../source/stream.ts";
import { checksumOf } from "./checksums.ts";
import type { Geometry } from "./description.ts";
import { OTHER_THREADS, takeThread, WORTH_THREADS } from "./proof-threads.ts";
import { CHUNK, type Strip, stripOffset, walkSomeStrips } from "./strips.ts";

/** The strips of an image file, to be proved by all threads that are sent this. */
export interface Proof {
  readonly name: string;
  readonly fd: number;
  readonly size: number;
  readonly geometry: Geometry;
  /** Strips that a thread takes at once. */
  readonly stripsAtOnce: number;
  readonly parts: number;
  /** The next part to be taken, in shared memory. */
  readonly next: Int32Array;
}

/** What became of one part's strips. */
export interface ProvedPart {
  readonly part: number;
  readonly good: number;
  readonly bad: readonly Strip[];
}

/** What a thread says of a part; one that it could not read is read again by who asked for it. */
export type PartMessage = ProvedPart | { readonly part: number; readonly failed: true };

/** Bytes of a part: enough that a disk's head is seldom sent to and fro. */
const PART = 16 * 2 ** 20;
/** A strip can have five bytes, and each that is bad is kept until it is told. */
const MOST_STRIPS = 2 ** 15;

/**
 * The proof of a stream's strips by several threads; `null` where they can only be proved one after
 * the other: of a pipe, by a checksum that runs on, of an image that is cut or too small.
 */
export function parallelProof(stream: ByteStream, geometry: Geometry): Proof | null {
  const { dataStart, dataEnd, checksum, reseed, usedBlocks, blocksPerChecksum } = geometry;
  const file = stream instanceof SourceStream ? stream.source : null;
  if (!(file instanceof FileSource) || file.size < dataEnd) return null;
  if (checksum === "NONE" || !(reseed || checksum === "CRC32")) return null;
  if (dataEnd - dataStart < WORTH_THREADS || stream.position !== dataStart) return null;
  const strips = Math.ceil(usedBlocks / blocksPerChecksum);
  const stride = stripOffset(geometry, 1) - dataStart;
  const stripsAtOnce = Math.min(MOST_STRIPS, Math.max(1, Math.floor(PART / stride)));
  const parts = Math.ceil(strips / stripsAtOnce);
  if (parts < 2) return null;
  const next = new Int32Array(new SharedArrayBuffer(4));
  const { name, fd, size } = file;
  return { name, fd, size, geometry, stripsAtOnce, parts, next };
}

/** The next part that nobody has taken yet; `null` if there is none. */
export function takePart({ next, parts }: Proof): number | null {
  const part = Atomics.add(next, 0, 1);
  return part < parts ? part : null;
}

/** Proves one part, by a read of the file after the other. */
export type Prover = (part: number) => ProvedPart;

/** What a thread proves its parts with: one checksum and one chunk of memory for all of them. */
export async function proverOf(proof: Proof, { name, now }: FileSource): Promise<Prover> {
  const { geometry, stripsAtOnce } = proof;
  const checksum = await checksumOf(geometry);
  if (!checksum || !now) throw new Error(`${name}: nothing to prove, or no file`);
  const reads = { geometry, checksum, source: now, chunk: new Uint8Array(CHUNK) };
  return (part) => {
    const first = part * stripsAtOnce;
    let good = 0;
    const bad: Strip[] = [];
    const onStrip = (strip: Strip) => {
      if (strip.verdict === "good") good++;
      else bad.push(strip);
    };
    walkSomeStrips(reads, onStrip, { first, end: first + stripsAtOnce });
    return { part, good, bad };
  };
}

/** Proves all parts, in this thread and in others; `onPart` is told of them in their order. */
export async function proveParts(
  proof: Proof,
  onPart: (proved: ProvedPart) => void,
): Promise<void> {
  const source = new FileSource(proof.name, proof.fd, proof.size, false);
  const order = inOrder(onPart);
  const failed: number[] = [];
  const threads = startThreads(proof, (message) => {
    if ("failed" in message) failed.push(message.part);
    else order.add(message);
  });
  try {
    // Loaded here while the threads load theirs.
    const prove = await proverOf(proof, source);
    const next = () => failed.pop() ?? takePart(proof);
    while (order.done < proof.parts) {
      const part = next();
      if (part !== null) order.add(prove(part));
      else await Promise.race([threads.message(), threads.broken]);
      // Lets in what the others say, and signals.
      await setImmediate();
    }
  } finally {
    threads.end();
  }
}

function inOrder(onPart: (proved: ProvedPart) => void) {
  const waiting = new Map<number, ProvedPart>();
  return {
    /** Parts that `onPart` was told of. */
    done: 0,
    add(proved: ProvedPart): void {
      waiting.set(proved.part, proved);
      for (let each = waiting.get(this.done); each; each = waiting.get(this.done)) {
        waiting.delete(this.done);
        this.done++;
        onPart(each);
      }
    },
  };
}

function startThreads(proof: Proof, onMessage: (message: PartMessage) => void) {
  const { promise: broken, reject } = Promise.withResolvers<never>();
  // Whoever waits for a message is told; nobody has to be.
  broken.catch(() => {});
  let told = Promise.withResolvers<void>();
  const count = Math.min(OTHER_THREADS, proof.parts - 1);
  let running = 0;
  // If one cannot be started, those before it end.
  using started = new DisposableStack();
  for (let i = 0; i < count; i++) {
    const fd = openedAgain(proof.fd);
    if (fd === null) break;
    started.defer(() => closeSync(fd));
    const thread = takeThread();
    started.defer(() => void thread.terminate());
    thread.on("message", (message: PartMessage) => {
      onMessage(message);
      told.resolve();
      told = Promise.withResolvers();
    });
    thread.on("error", reject);
    running++;
    thread.on("exit", () => {
      if (--running === 0) reject(new Error("the threads that prove have ended"));
    });
    thread.postMessage({ ...proof, fd } satisfies Proof);
  }
  // At the end nobody reads any more; or something failed, and what they read is not asked for.
  const threads = started.move();
  return { broken, message: () => told.promise, end: () => threads.dispose() };
}

/**
 * The kernel reads ahead for each descriptor, and two readers of one disturb that. `null`: there is
 * no /proc, or too much is open; then fewer threads do it.
 */
function openedAgain(fd: number): number | null {
  try {
    return openSync(`/proc/self/fd/${fd}`, "r");
  } catch {
    return null;
  }
}
