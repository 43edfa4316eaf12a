import { readFileSync } from "node:fs";

/** One line of /proc/self/mountinfo. */
export interface MountEntry {
  /** Its number, that of the mount below, and `device`: what tells it from all others. */
  readonly identity: string;
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
    const [id, parent, device, , mountPoint] = before.split(" ");
    const [type, source = ""] = after.split(" ");
    if (device === undefined || mountPoint === undefined || type === undefined) continue;
    entries.push({
      identity: `${id} ${parent} ${device}`,
      device,
      mountPoint: unescapeOctal(mountPoint),
      type,
      source: unescapeOctal(source),
    });
  }
  return entries;
}

export const mountTable = (): MountEntry[] =>
  parseMountTable(readFileSync("/proc/self/mountinfo", "utf8"));

/** The topmost mount at exactly this path, which is absolute and without symbolic links. */
export function mountAt(path: string): MountEntry | null {
  return mountTable().findLast((entry) => entry.mountPoint === path) ?? null;
}
