/** The public names of the package. */
export { type ErrorCode, ImageBackupError } from "./bytes/errors.ts";
export type { BackupImage, BlockReaderOptions } from "./image/backup-image.ts";
export { BlockIO } from "./image/block-io.ts";
export type { Image, Run, Stored } from "./image/image.ts";
export type { Finding } from "./image/rules.ts";
export { NtfsClone } from "./ntfsclone/ntfsclone.ts";
export { openImage } from "./open-image.ts";
export { PartClone } from "./partclone/partclone.ts";
export type { ImageInput } from "./source/input.ts";
export { openStream } from "./source/open-stream.ts";
export type { ByteSource, ByteStream } from "./source/source.ts";
