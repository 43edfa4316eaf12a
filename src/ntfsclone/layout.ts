import type { Decoded, Layout } from "../bytes/struct.ts";

/** The 16 bytes at 0 (NTC-MAGIC). */
export const MAGIC = "\0ntfsclone-image";

export const headerLayout = {
  majorVersion: { at: 16, type: "u8" },
  minorVersion: { at: 17, type: "u8" },
  clusterSize: { at: 18, type: "u32" },
  deviceSize: { at: 22, type: "u64" },
  clusterCount: { at: 30, type: "i64" },
  inUse: { at: 38, type: "u64" },
} as const satisfies Layout;
/** Before major version 10 the data follows at once (NTC-HEADER-COMPLETE). */
export const OLD_HEADER_BYTES = 46;

/** From major version 10 on a u32 says where the data starts (NTC-DATA-OFFSET). */
export const DATA_OFFSET_AT = 46;
export const HEADER_BYTES = 50;

/** The only major version whose integers are little-endian everywhere (NTC-MAJOR). */
export const MAJOR_VERSION = 10;

/** The header as the file has it; rules judge it. */
export type Header = Decoded<typeof headerLayout> & {
  /** False only for images of major version < 10 from a big-endian machine. */
  readonly littleEndian: boolean;
  /** Byte offset in the image file of the first command. */
  readonly dataOffset: number;
};

/** The two commands of the data section (NTC-COMMAND). */
export const commands = { gap: 0, cluster: 1 } as const;
/** A gap's command byte and its signed 64-bit count. */
export const GAP_BYTES = 9;

/** How people call the format of an image. */
export const formatName = ({ majorVersion, minorVersion }: Header): string =>
  `ntfsclone ${majorVersion}.${minorVersion}`;
