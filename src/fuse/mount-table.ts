import { readFileSync } from "node:fs";

/** One line of /proc/self/mountinfo. */
export interface MountEntry {
  /** `MAJOR:MINOR` of the file system. */
  readonly device: string;
  readonly mountPoint: string;
  readonly type: string;
  readonly source: string;
}

/** Space, tab, newline, backslash and `#` are written as a backslash and three octal digits. */
const unescapeOctal = (field: string): string =>
  field.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );

/** FUS-MOUNT-POINT: the mounts of a mountinfo text, lower mounts before those on top of them. */
export function parseMountTable(text: string): MountEntry[] {
  const entries: MountEntry[] = [];
  for (const line of text.split("\n")) {
    const [before = "", after = ""] = line.split(" - ", 2);
    const [, , device, , mountPoint] = before.split(" ");
    const [type, source = ""] = after.split(" ");
    if (device === undefined || mountPoint === undefined || type === undefined) continue;
    entries.push({
      device,
      mountPoint: unescapeOctal(mountPoint),
      type,
      source: unescapeOctal(source),
    });
  }
  return entries;
}

/** The topmost mount at exactly this path, which is absolute and without symbolic links. */
export function mountAt(path: string): MountEntry | null {
  const table = parseMountTable(readFileSync("/proc/self/mountinfo", "utf8"));
  return table.findLast((entry) => entry.mountPoint === path) ?? null;
}
