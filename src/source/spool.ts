import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FileSource } from "./file.ts";
import type { ByteSource, ByteStream } from "./source.ts";

const CHUNK = 2 ** 20;

/** Copies the rest of a stream into a file that has no name and goes with its descriptor. */
export async function spool(stream: ByteStream): Promise<ByteSource> {
  const folder = mkdtempSync(join(tmpdir(), "vpartclone-"));
  const path = join(folder, "spool");
  const fd = openSync(path, "wx+", 0o600);
  rmSync(folder, { recursive: true });
  try {
    const chunk = new Uint8Array(CHUNK);
    let size = 0;
    for (;;) {
      const got = await stream.read(chunk);
      if (got === 0) break;
      for (let at = 0; at < got; ) at += writeSync(fd, chunk, at, got - at, size + at);
      size += got;
    }
    return new FileSource(stream.name, fd, size, true);
  } catch (error) {
    closeSync(fd);
    throw error;
  } finally {
    await stream[Symbol.asyncDispose]();
  }
}
