import type { ServedFile } from "./served-file.ts";

/** What a file holds, apart from what stat says of it. */
export type FileContent = Pick<ServedFile, "read" | "nextData" | "nextHole">;
export type FileAttributes = Omit<ServedFile, keyof FileContent>;

/**
 * A content that is opened when it is first asked for: a mount of many images is there at once, and
 * one that cannot be opened hurts nobody but its readers, who may try again.
 */
export function lazyContent(open: () => Promise<FileContent>): FileContent {
  let opened: Promise<FileContent> | null = null;
  const content = () => {
    opened ??= open().catch((error) => {
      opened = null;
      throw error;
    });
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
