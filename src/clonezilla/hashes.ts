/** The hash of a file, fed piece by piece. */
export interface FileHash {
  update(bytes: Uint8Array): void;
  /** Ends it: hexadecimal digits. */
  digest(): string;
}

export interface HashAlgorithm {
  /** What the file is called that has the hashes of the others. */
  readonly list: string;
  readonly digits: number;
  create(): Promise<FileHash>;
}

export const ALGORITHMS: readonly HashAlgorithm[] = [
  { list: "MD5SUMS", digits: 32, create: async () => native("md5") },
  { list: "SHA1SUMS", digits: 40, create: async () => native("sha1") },
  { list: "B2SUMS", digits: 128, create: async () => native("blake2b512") },
  { list: "B3SUMS", digits: 64, create: blake3 },
];

function native(algorithm: "md5" | "sha1" | "blake2b512"): FileHash {
  const hasher = new Bun.CryptoHasher(algorithm);
  return { update: (bytes) => void hasher.update(bytes), digest: () => hasher.digest("hex") };
}

/** Loaded when needed. */
async function blake3(): Promise<FileHash> {
  const { createBLAKE3 } = await import("hash-wasm");
  const hasher = (await createBLAKE3()).init();
  return { update: (bytes) => void hasher.update(bytes), digest: () => hasher.digest("hex") };
}
