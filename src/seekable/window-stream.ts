import type { ByteStream } from "../source/source.ts";
import type { InputWindow } from "./input-window.ts";

/** A source from some byte on as a stream, for the decoders that read one. */
export class WindowStream implements ByteStream {
  readonly name: string;
  readonly size = null;
  readonly #window: InputWindow;

  constructor(window: InputWindow) {
    this.name = window.source.name;
    this.#window = window;
  }

  get ending(): string | undefined {
    return this.#window.source.ending;
  }

  get position(): number {
    return this.#window.position;
  }

  async read(into: Uint8Array): Promise<number> {
    return await this.skip(await this.peek(into));
  }

  async peek(into: Uint8Array): Promise<number> {
    const bytes = await this.#window.peek(into.length);
    into.set(bytes);
    return bytes.length;
  }

  async skip(count: number): Promise<number> {
    const skipped = Math.min(count, this.#window.end - this.#window.position);
    this.#window.skip(skipped);
    return skipped;
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
