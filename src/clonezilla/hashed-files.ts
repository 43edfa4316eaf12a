import { openFile } from "../source/file.ts";
import type { ByteStream } from "../source/source.ts";
import { ChunkStream } from "../source/stream.ts";
import type { ListedHash } from "./checksum-lists.ts";
import type { FileHash } from "./hashes.ts";

const CHUNK = 2 ** 18;

/** A file, and what the lists say of it. */
export interface HashedFile {
  readonly path: string;
  readonly listed: readonly ListedHash[];
}

/** What became of a file. */
export interface HashedResult extends HashedFile {
  /** Names of the lists whose hash differs. */
  readonly wrong: readonly string[];
}

/** Files that are read once, one after the other, and hashed on the way. */
export interface HashedFiles {
  /** Their bytes; `name`: for messages. */
  stream(name: string, ending?: string): ByteStream;
  /** Reads what nobody has read yet. Throws SYSTEM where a file cannot be read. */
  finish(): Promise<readonly HashedResult[]>;
}

/** `advance`: told how many bytes came in. */
export function hashedFiles(
  files: readonly HashedFile[],
  advance: (bytes: number) => void,
): HashedFiles {
  const results: HashedResult[] = [];
  const chunks = chunksOf(files, (result) => results.push(result));
  let failure: { readonly error: unknown } | null = null;
  const next = async () => {
    if (failure) throw failure.error;
    try {
      const { done, value } = await chunks.next();
      if (done) return null;
      advance(value.length);
      return value;
    } catch (error) {
      failure = { error };
      throw error;
    }
  };
  async function* rest() {
    for (let chunk = await next(); chunk; chunk = await next()) yield chunk;
  }
  return {
    // Its end must not end the reading: the hashes want the rest.
    stream: (name, ending) => Object.assign(new ChunkStream(name, rest()), { ending }),
    async finish() {
      while (await next());
      return results;
    },
  };
}

async function* chunksOf(
  files: readonly HashedFile[],
  hashed: (result: HashedResult) => void,
): AsyncGenerator<Uint8Array> {
  for (const file of files) {
    const hashes = await Promise.all(file.listed.map(({ algorithm }) => algorithm.create()));
    await using source = openFile(file.path);
    for (let at = 0; at < source.size; ) {
      const chunk = new Uint8Array(Math.min(CHUNK, source.size - at));
      await source.read(chunk, at);
      for (const hash of hashes) hash.update(chunk);
      yield chunk;
      at += chunk.length;
    }
    hashed({ ...file, wrong: wrongOf(file, hashes) });
  }
}

const wrongOf = ({ listed }: HashedFile, hashes: readonly FileHash[]): string[] =>
  listed.flatMap(({ algorithm, digest }, index) =>
    hashes[index]?.digest() === digest ? [] : [algorithm.list],
  );
