import type { ByteSource, ByteStream } from "./source.ts";

/** A source read in order. The stream does not own the source. */
export class SourceStream implements ByteStream {
  readonly name: string;
  readonly size: number;
  readonly source: ByteSource;
  #position: number;

  constructor(source: ByteSource, position = 0) {
    this.source = source;
    this.name = source.name;
    this.size = source.size;
    this.#position = position;
  }

  get ending(): string | undefined {
    return this.source.ending;
  }

  get position(): number {
    return this.#position;
  }

  async read(into: Uint8Array): Promise<number> {
    const got = await this.peek(into);
    this.#position += got;
    return got;
  }

  async peek(into: Uint8Array): Promise<number> {
    const length = Math.min(into.length, Math.max(0, this.size - this.#position));
    await this.source.read(into.subarray(0, length), this.#position);
    return length;
  }

  async skip(count: number): Promise<number> {
    const skipped = Math.min(count, Math.max(0, this.size - this.#position));
    this.#position += skipped;
    return skipped;
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** A stream of chunks that arrive as they like: a pipe, a decompressor. */
export class ChunkStream implements ByteStream {
  readonly name: string;
  readonly size = null;
  readonly #chunks: AsyncIterator<Uint8Array>;
  /** Received and not yet read: chunks from `#used` bytes into the first. */
  readonly #pending: Uint8Array[] = [];
  #used = 0;
  #position = 0;

  constructor(name: string, chunks: AsyncIterable<Uint8Array>) {
    this.name = name;
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  get position(): number {
    return this.#position;
  }

  async read(into: Uint8Array): Promise<number> {
    const got = await this.peek(into);
    this.#consume(got);
    return got;
  }

  async skip(count: number): Promise<number> {
    let done = 0;
    while (done < count) {
      const first = this.#pending[0];
      if (!first) {
        if (!(await this.#receive())) break;
        continue;
      }
      const part = Math.min(first.length - this.#used, count - done);
      this.#consume(part);
      done += part;
    }
    return done;
  }

  #consume(count: number): void {
    this.#position += count;
    this.#used += count;
    for (let first = this.#pending[0]; first && this.#used >= first.length; ) {
      this.#used -= first.length;
      this.#pending.shift();
      first = this.#pending[0];
    }
  }

  async peek(into: Uint8Array): Promise<number> {
    let done = 0;
    let skip = this.#used;
    for (let index = 0; done < into.length; index++) {
      if (index === this.#pending.length && !(await this.#receive())) break;
      const chunk = this.#pending[index]?.subarray(skip) ?? new Uint8Array();
      skip = 0;
      const part = chunk.subarray(0, into.length - done);
      into.set(part, done);
      done += part.length;
    }
    return done;
  }

  async #receive(): Promise<boolean> {
    const { done, value } = await this.#chunks.next();
    if (done) return false;
    this.#pending.push(value);
    return true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#chunks.return?.();
  }
}
