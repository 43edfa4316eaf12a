import type { ServedFile } from "./served-file.ts";

/** What a file holds, apart from what stat says of it. */
export type FileContent = Pick<ServedFile, "read" | "nextData" | "nextHole">;
export type FileAttributes = Omit<ServedFile, keyof FileContent>;

const FAILED_MS = 10_000;

/**
 * A content that is opened when it is first asked for: a mount of many images is there at once, and
 * one that cannot be opened hurts nobody but its readers. These may try again, but not at once: to
 * find out can take a pass through all of an image, so it is remembered for at least as long.
 */
export function lazyContent(
  open: () => Promise<FileContent>,
  failedMs: number = FAILED_MS,
): FileContent {
  let opened: Promise<FileContent> | null = null;
  const tryOpen = async () => {
    const began = performance.now();
    try {
      return await open();
    } catch (error) {
      const forget = () => {
        opened = null;
      };
      setTimeout(forget, Math.max(failedMs, performance.now() - began)).unref();
      throw error;
    }
  };
  const content = () => {
    opened ??= tryOpen();
    return opened;
  };
  return {
    read: async (into, offset) => (await content()).read(into, offset),
    nextData: async (offset) => (await content()).nextData(offset),
    nextHole: async (offset) => (await content()).nextHole(offset),
  };
}

/** A file whose attributes are known before its content. */
export const lazyFile = (
  attributes: FileAttributes,
  open: () => Promise<FileContent>,
): ServedFile => ({ ...attributes, ...lazyContent(open) });
