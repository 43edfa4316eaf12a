import { closeSync, openSync, readFileSync, truncateSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { DiskLayout } from "../../src/clonezilla/disk/layout.ts";
import { runCommand } from "../cli/program.ts";

/** A partition as sfdisk is told of it: in sectors. */
export interface Part {
  readonly start: number;
  readonly size: number;
  readonly type: string;
  readonly more?: string;
}

export interface Disk {
  readonly path: string;
  readonly size: number;
}

export function must(...cmd: readonly string[]): string {
  const { status, out, err } = runCommand(cmd);
  if (status !== 0) throw new Error(`${cmd.join(" ")}: status ${status}\n${out}${err}`);
  return out;
}

/** An empty disk in a file, and its table by sfdisk. */
export function makeDisk(
  path: string,
  size: number,
  label: "gpt" | "dos",
  parts: readonly Part[],
): Disk {
  writeFileSync(path, "");
  truncateSync(path, size);
  const lines = parts.map(
    ({ start, size: sectors, type, more = "" }) =>
      `start=${start}, size=${sectors}, type=${type}${more}`,
  );
  const head = label === "gpt" ? ["label: gpt", "first-lba: 34"] : ["label: dos"];
  const stdin = Buffer.from(`${[...head, ...lines].join("\n")}\n`);
  const { status, err } = runCommand(["sfdisk", "--quiet", path], { stdin });
  if (status !== 0) throw new Error(`sfdisk: ${err}\n${stdin}`);
  return { path, size };
}

/** What Clonezilla saves of a disk's table, of which `names` are wanted. */
export function saveTable(disk: Disk, folder: string, sectorSize = 512): Record<string, string> {
  const { path, size } = disk;
  const dump = runCommand(["sfdisk", "--dump", path]).out.replaceAll(path, "/dev/sda");
  const bytes = readFileSync(path).subarray(0, 2 ** 20);
  const starts = [...dump.matchAll(/start= *(\d+)/g)].map(([, start]) => Number(start));
  const files = {
    "sda-pt.sf": dump,
    "sda-pt.parted": `Model:  (file)
Disk /dev/sda: ${size / sectorSize}s
Sector size (logical/physical): ${sectorSize}B/${sectorSize}B
`,
    "sda-mbr": bytes.subarray(0, 512),
    "sda-gpt-1st": bytes.subarray(0, 34 * 512),
    "sda-hidden-data-after-mbr": bytes.subarray(512, Math.min(...starts) * sectorSize),
  };
  return Object.fromEntries(
    Object.entries(files).map(([name, content]) => {
      writeFileSync(join(folder, name), content);
      return [name, join(folder, name)];
    }),
  );
}

/** The disk as a file; `partitions`: what is in the images. */
export function writeLayout(
  path: string,
  { size, parts }: DiskLayout,
  partitions: Readonly<Record<string, Uint8Array>> = {},
): Disk {
  const fd = openSync(path, "w");
  for (const { start, length, filling } of parts) {
    if ("bytes" in filling) writeSync(fd, filling.bytes, 0, length, start);
    if ("device" in filling) {
      const { device, from } = filling;
      writeSync(fd, partitions[device] ?? new Uint8Array(length), from, length, start);
    }
    if ("path" in filling) writeSync(fd, readFileSync(filling.path), 0, length, start);
  }
  closeSync(fd);
  truncateSync(path, size);
  return { path, size };
}

/** What sfdisk tells of a disk, whatever its file is called. */
export function tableOf({ path }: Disk): unknown {
  const node = new RegExp(`${RegExp.escape(path)}(?:p(?=\\d))?`, "g");
  return JSON.parse(must("sfdisk", "--json", path).replaceAll(node, "/dev/sda"));
}
