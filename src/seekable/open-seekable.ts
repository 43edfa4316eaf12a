import {
  reviveStored,
  type SharedStored,
  type StoredSource,
  shareStored,
  statusOf,
} from "../source/stored.ts";
import type { SeekableCodec } from "./codec.ts";
import { checkpointOf } from "./index-file.ts";
import { type IndexMessage, startIndexing } from "./index-thread.ts";
import { indexKey, openIndex, type SavedIndex, unsettledMs } from "./saved-index.ts";
import { SeekableSource } from "./seekable-source.ts";
import { Segments } from "./segments.ts";

export interface SeekableOptions {
  /** A directory of the user's own for the index; `null`: it is made each time. */
  readonly indexDirectory: string | null;
  /** One line for people. */
  log(line: string): void;
}

/**
 * Compressed data that can be read in any order from now on: a thread follows them to their end, if
 * that was not done before. Owns `source`. Throws SYSTEM where no index can be written.
 */
export async function openSeekable(
  source: StoredSource,
  codec: SeekableCodec,
  { indexDirectory, log }: SeekableOptions,
): Promise<SeekableSource> {
  const stored = shareStored(source, statusOf(source));
  // Who serves a mount must answer others while a disk hangs.
  const compressed = reviveStored(stored, "aside");
  const key = await indexKey(source, codec);
  const saved = openIndex(unsettledMs(source) === 0 ? indexDirectory : null, key);
  const segments = new Segments(saved.file.fd, source.size, saved.records);
  const stop = segments.outSize === null ? follow(stored, codec, saved, segments, log) : null;
  return new SeekableSource({
    compressed,
    codec,
    segments,
    indexPath: saved.path,
    log,
    discard: () => saved.remove(),
    async close() {
      await stop?.();
      saved.close();
      await compressed[Symbol.asyncDispose]();
      await source[Symbol.asyncDispose]();
    },
  });
}

/** Starts the pass where an earlier one came to. */
function follow(
  stored: SharedStored,
  { name, spacing }: SeekableCodec,
  saved: SavedIndex,
  segments: Segments,
  log: (line: string) => void,
): () => Promise<void> {
  const { fd, end } = saved.file;
  const last = saved.records.entries.at(-1);
  const from = last ? checkpointOf(fd, last) : null;
  const onMessage = (message: IndexMessage) => {
    if (message.type === "entry") segments.add(message.entry);
    else if (message.type === "end") {
      saved.keep();
      segments.end(message.outSize, message.isProved);
    } else {
      saved.remove();
      log(message.message);
      segments.fail(message);
    }
  };
  return startIndexing({ stored, codec: name, spacing, from, fd, end }, onMessage);
}
