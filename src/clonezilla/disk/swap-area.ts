import type { SavedSwap } from "../swap.ts";
import { uuidBytes } from "./guid.ts";

/** mkswap's page on all machines that Clonezilla runs on. */
const PAGE = 4096;
const VERSION = { at: 1024, value: 1 } as const;
const LAST_PAGE = 1028;
const UUID = 1036;
const LABEL = { at: 1052, size: 16 } as const;
const SIGNATURE = "SWAPSPACE2";
/** An area of fewer pages is none. */
const FEWEST_PAGES = 10;

/** The first page of a swap area of `size` bytes; all that follows holds nothing. */
export function swapHeader({ uuid, label }: SavedSwap, size: number): Buffer | null {
  const pages = Math.min(Math.floor(size / PAGE), 0xffffffff);
  if (pages < FEWEST_PAGES) return null;
  const page = Buffer.alloc(PAGE);
  page.writeUInt32LE(VERSION.value, VERSION.at);
  page.writeUInt32LE(pages - 1, LAST_PAGE);
  page.set(uuidBytes(uuid), UUID);
  page.set(Buffer.from(label ?? "").subarray(0, LABEL.size), LABEL.at);
  page.write(SIGNATURE, PAGE - SIGNATURE.length, "latin1");
  return page;
}
