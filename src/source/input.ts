import { ImageBackupError } from "../bytes/errors.ts";
import type { ByteSource, ByteStream } from "./source.ts";
import { SourceStream } from "./stream.ts";

/**
 * What an image is read from: a path (`-` for standard input; compressed files are recognised), a
 * source, or a stream of an image's bytes.
 */
export type ImageInput = string | ByteSource | ByteStream;

/** The stream to read the image in order, and what reads it in any order. */
export interface OpenedInput extends AsyncDisposable {
  readonly stream: ByteStream;
  readonly source: ByteSource;
  /** False: the stream passes once, and `source` refuses. */
  readonly isSeekable: boolean;
}

export async function openInput(input: ImageInput): Promise<OpenedInput> {
  if (typeof input !== "string" && !("position" in input)) {
    return opened(new SourceStream(input), input);
  }
  const stream = typeof input === "string" ? await openPath(input) : input;
  return opened(stream, stream instanceof SourceStream ? stream.source : null);
}

async function openPath(path: string): Promise<ByteStream> {
  const { openStream } = await import("./open-stream.ts");
  return openStream(path);
}

function opened(stream: ByteStream, source: ByteSource | null): OpenedInput {
  return {
    stream,
    source: source ?? onlyInOrder(stream),
    isSeekable: source !== null,
    async [Symbol.asyncDispose]() {
      await stream[Symbol.asyncDispose]();
      await source?.[Symbol.asyncDispose]();
    },
  };
}

function onlyInOrder({ name }: ByteStream): ByteSource {
  const refuse = async () => {
    throw new ImageBackupError(
      "UNSUPPORTED",
      `${name}: a pipe or a compressed image can only be read in order; decompress it into a file first`,
    );
  };
  return {
    name,
    size: Infinity,
    read: refuse,
    readPieces: refuse,
    async [Symbol.asyncDispose]() {},
  };
}
