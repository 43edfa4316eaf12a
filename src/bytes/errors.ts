/** What went wrong, for programs. People read the message; the exit status follows from the code. */
export type ErrorCode =
  /** The file is none of the formats we read. */
  | "NOT_AN_IMAGE"
  /** It is one of them, in a version or variant that cannot be laid out. */
  | "UNSUPPORTED"
  /** The image breaks a rule that reading depends on. */
  | "CORRUPT"
  /** The file ends before what the layout says must be there. */
  | "SHORT_READ"
  /** A stored checksum differs from the data it covers. */
  | "BAD_CHECKSUM"
  /** The image's file was written to after it was opened. */
  | "CHANGED"
  /** A block, offset or option outside its range. */
  | "OUT_OF_RANGE"
  /** The operating system refused (open, read, mount). */
  | "SYSTEM";

export interface ErrorPlace {
  /** Byte offset in the image file. */
  readonly imageOffset?: number;
  /** Byte offset in the partition. */
  readonly deviceOffset?: number;
  /** The id of the rule in spec/ that is broken. */
  readonly rule?: string;
}

/** The one error of this package: a code, one line for people, and the place. */
export class ImageBackupError extends Error implements ErrorPlace {
  override readonly name = "ImageBackupError";
  readonly code: ErrorCode;
  readonly imageOffset?: number;
  readonly deviceOffset?: number;
  readonly rule?: string;

  constructor(code: ErrorCode, message: string, place: ErrorPlace = {}, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    Object.assign(this, place);
  }
}
