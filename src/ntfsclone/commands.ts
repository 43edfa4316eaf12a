import type { Finding, Reading } from "../image/rules.ts";
import type { ByteStream } from "../source/source.ts";
import { commands, GAP_BYTES } from "./layout.ts";

const CHUNK = 2 ** 20;

/** The partition as the command stream sees it. */
export interface Clusters {
  readonly clusterSize: number;
  /** Positions run from 0 to this one inclusive: the last is the backup boot sector's. */
  readonly clusterCount: number;
  readonly deviceSize: number;
  readonly littleEndian: boolean;
}

export interface Visitor {
  gap(count: number): void;
  /** `length` bytes of the cluster at `position` are at `imageOffset`. */
  cluster(position: number, length: number, imageOffset: number): void;
  /** Should the cluster's data be read, too? */
  wants(position: number): boolean;
  /** The data, before `cluster` is called; valid until the next call. */
  data(position: number, bytes: Uint8Array): void | Promise<void>;
}

export interface WalkEnd {
  /** The position after the last command. */
  readonly position: number;
  /** What ended the walk before its time. */
  readonly broken: Finding | null;
  /** Byte offset in the image file after the last whole command. */
  readonly imageOffset: number;
}

/** Bytes of the cluster at `position`: the device may end within the last one. */
export function clusterLength({ clusterSize, deviceSize }: Clusters, position: number): number {
  return Math.max(0, Math.min(clusterSize, deviceSize - position * clusterSize));
}

/**
 * Follows the commands to the end of the image: the end of the file at the position after the last
 * cluster, or the cluster stored there, which is the backup boot sector. The stream must be at the
 * first command.
 */
export async function walkCommands(
  stream: ByteStream,
  clusters: Clusters,
  visitor: Visitor,
): Promise<WalkEnd> {
  const { clusterCount } = clusters;
  const window = new Window(stream);
  let position = 0;
  let imageOffset = stream.position;
  const end = (rule?: string, message = "", reading: Reading = "warned") => {
    const broken = rule ? { rule, message, imageOffset, reading } : null;
    return { position, broken, imageOffset };
  };
  const cut = () =>
    end(
      "NTC-DATA-COMPLETE",
      `the image is truncated: it ends at position ${position} of ${clusterCount}; reads of what may be missing fail`,
    );

  for (; position <= clusterCount; imageOffset = window.imageOffset) {
    if (window.left === 0 && !(await window.fill(1))) {
      return position === clusterCount ? end() : cut();
    }
    const command = window.byte();
    if (command === commands.cluster) {
      const length = clusterLength(clusters, position);
      if (visitor.wants(position)) {
        const bytes = await window.read(1, length);
        if (bytes === null) return cut();
        await visitor.data(position, bytes);
      } else if (!(await window.skip(1 + length))) return cut();
      visitor.cluster(position, length, imageOffset + 1);
      position++;
    } else if (command === commands.gap) {
      if (window.left < GAP_BYTES && !(await window.fill(GAP_BYTES))) return cut();
      const count = window.count(clusters.littleEndian);
      if (count === 0n) return end("NTC-GAP-NOT-ZERO", `the gap at position ${position} is 0`);
      const target = BigInt(position) + count;
      if (target < 0n || target > clusterCount) {
        const message = `a gap leads to position ${target} of ${clusterCount}: it or one before it is damaged`;
        return end("NTC-POSITION", message, "refused");
      }
      await window.skip(GAP_BYTES);
      visitor.gap(Number(count));
      position = Number(target);
    } else {
      return end("NTC-COMMAND", `command ${command} at position ${position} is neither 0 nor 1`);
    }
  }
  return end();
}

/** A chunk of the stream in memory, so that a command costs no read of its own. */
class Window {
  readonly #stream: ByteStream;
  readonly #chunk = new Uint8Array(CHUNK);
  readonly #view = new DataView(this.#chunk.buffer);
  #cluster = new Uint8Array(0);
  #from = 0;
  #to = 0;

  constructor(stream: ByteStream) {
    this.#stream = stream;
  }

  get left(): number {
    return this.#to - this.#from;
  }

  get imageOffset(): number {
    return this.#stream.position - this.left;
  }

  byte(): number {
    return this.#chunk[this.#from] ?? 0;
  }

  count(littleEndian: boolean): bigint {
    return this.#view.getBigInt64(this.#from + 1, littleEndian);
  }

  /** Makes `bytes` available, if the stream has them. */
  async fill(bytes: number): Promise<boolean> {
    this.#chunk.copyWithin(0, this.#from, this.#to);
    this.#to -= this.#from;
    this.#from = 0;
    this.#to += await this.#stream.read(this.#chunk.subarray(this.#to));
    return this.#to >= bytes;
  }

  /** The `length` bytes that come after `before` bytes; `null` if the stream ends before them. */
  async read(before: number, length: number): Promise<Uint8Array | null> {
    if (!(await this.skip(before))) return null;
    if (this.#cluster.length < length) this.#cluster = new Uint8Array(length);
    const cluster = this.#cluster.subarray(0, length);
    const known = this.#chunk.subarray(this.#from, Math.min(this.#to, this.#from + length));
    cluster.set(known);
    this.#from += known.length;
    if (known.length === length) return cluster;
    const got = await this.#stream.read(cluster.subarray(known.length));
    return known.length + got === length ? cluster : null;
  }

  async skip(bytes: number): Promise<boolean> {
    const beyond = bytes - this.left;
    if (beyond <= 0) {
      this.#from += bytes;
      return true;
    }
    this.#from = 0;
    this.#to = 0;
    return (await this.#stream.skip(beyond)) === beyond;
  }
}
