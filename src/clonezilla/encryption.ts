import { readBytes } from "./metadata.ts";

/** eCryptfs keeps a file's size in 8 bytes, then a number twice, the second time changed by this. */
const ECRYPTFS_MARKER = 0x3c81b7f5;
const ECRYPTFS_HEAD = 16;
const GOCRYPTFS = ["gocryptfs.conf", "gocryptfs.diriv"];

/** What the folder's files are encrypted with, by their content; `null`: nothing that we know. */
export function encryptionOf(folder: string, names: readonly string[]): string | null {
  if (names.some((name) => GOCRYPTFS.includes(name))) return "gocryptfs";
  return names.some((name) => isEcryptfs(readBytes(folder, name, ECRYPTFS_HEAD)))
    ? "eCryptfs"
    : null;
}

function isEcryptfs(head: Buffer | null): boolean {
  if (head === null || head.length < ECRYPTFS_HEAD) return false;
  return (head.readUInt32BE(8) ^ ECRYPTFS_MARKER) >>> 0 === head.readUInt32BE(12);
}
