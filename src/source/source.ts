/** Reads that need not wait: their bytes are on this machine. */
export interface ReadsNow {
  /** As of a ByteSource, done when it returns. */
  read(into: Uint8Array, at: number): void;
  readPieces(pieces: readonly Uint8Array[], at: number): void;
}

/** Random access to the bytes of an image file, wherever they are. */
export interface ByteSource extends AsyncDisposable {
  /** For messages: the path as the user gave it. */
  readonly name: string;
  /** Bytes in the source. */
  readonly size: number;
  /** Of a split image: what would follow its last byte and does not, for people. */
  readonly ending?: string | undefined;
  /** Fills `into` from byte `at`, or throws SHORT_READ. */
  read(into: Uint8Array, at: number): Promise<void>;
  /** Fills the pieces one after the other from byte `at`, or throws SHORT_READ. */
  readPieces(pieces: readonly Uint8Array[], at: number): Promise<void>;
  /** Was every byte proved when the file was read before? Then nobody needs to prove it again. */
  isProved?(): boolean;
  /** The same reads at once, where the source can: promises cost as much as a small read. */
  readonly now?: ReadsNow;
}

/** The same bytes once, from the first to the last: a pipe, or a file read in order. */
export interface ByteStream extends AsyncDisposable {
  readonly name: string;
  /** Bytes in the stream, `null` while unknown (a pipe, a compressed file). */
  readonly size: number | null;
  /** As of a ByteSource. */
  readonly ending?: string | undefined;
  /** Byte offset in the image of the next byte. */
  readonly position: number;
  /** Fills `into`; returns the bytes read, fewer only at the end of the stream. */
  read(into: Uint8Array): Promise<number>;
  /** The same without moving on; meant for a few blocks, which are kept in memory. */
  peek(into: Uint8Array): Promise<number>;
  /** Moves on by `count` bytes; returns fewer only at the end of the stream. */
  skip(count: number): Promise<number>;
}
