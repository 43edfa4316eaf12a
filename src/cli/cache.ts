import { isAbsolute, join } from "node:path";

const NAME = "vpartclone";

/** The user's cache directory for this program; null where there is none. */
export function cacheDirectory(): string | null {
  const { XDG_CACHE_HOME: cache = "", HOME: home = "" } = process.env;
  // The XDG specification: a relative path is to be ignored.
  if (isAbsolute(cache)) return join(cache, NAME);
  return isAbsolute(home) ? join(home, ".cache", NAME) : null;
}
