const BYTES = 16;
/** A GUID's first three groups are little-endian numbers on disk. */
const ON_DISK = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];

/** The 16 digits' pairs as they are written; zeros for what is no GUID or UUID. */
export function uuidBytes(text: string | null): Buffer {
  const digits = (text ?? "").replaceAll("-", "");
  return /^[0-9a-f]{32}$/i.test(digits) ? Buffer.from(digits, "hex") : Buffer.alloc(BYTES);
}

/** A GUID as partition tables store it. */
export function guidBytes(text: string | null): Buffer {
  const plain = uuidBytes(text);
  return Buffer.from(ON_DISK.map((at) => plain[at] ?? 0));
}

export function guidText(bytes: Uint8Array): string {
  const hex = Buffer.from(ON_DISK.map((at) => bytes[at] ?? 0)).toString("hex");
  const groups = [0, 8, 12, 16, 20, 32].map((from, index, all) => hex.slice(from, all[index + 1]));
  return groups.slice(0, 5).join("-").toUpperCase();
}
