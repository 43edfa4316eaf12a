import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runCommand, scratch } from "../cli/program.ts";
import { must } from "./tables.ts";

/** Extents of a volume, as they follow each other in it. */
interface Segment {
  readonly count: number;
  /** The first one's number on the physical volume. */
  readonly at: number;
}

export interface Volume {
  readonly name: string;
  readonly segments: readonly Segment[];
}

/** Runs a command of LVM that knows of this device only; what it printed. */
export function lvm(device: string, command: string, ...args: readonly string[]): string {
  const cmd = ["env", "LVM_SUPPRESS_FD_WARNINGS=1", command, "--devices", device, ...args];
  const { status, out, err } = runCommand(cmd);
  if (status !== 0) throw new Error(`${cmd.join(" ")}: status ${status}\n${out}${err}`);
  return out;
}

/** A loop device on a file, from a byte on, until the stack is disposed of. */
export function loop(stack: DisposableStack, file: string, offset = 0): string {
  const device = must("losetup", "--find", "--show", "-o", `${offset}`, file).trim();
  stack.defer(() => must("losetup", "--detach", device));
  return device;
}

/**
 * A volume group `vgx` on a device, with these volumes: written as a saved text is restored, which
 * needs no device mapper. Its text as vgcfgbackup writes it, and the physical volume's id.
 */
export function groupWith(
  device: string,
  volumes: readonly Volume[],
): { config: string; uuid: string } {
  using place = scratch();
  const [empty, full, saved] = ["empty", "full", "saved"].map((name) => join(place.path, name));
  if (!empty || !full || !saved) throw new Error("unreachable");
  lvm(device, "pvcreate", "--quiet", "-ff", "--yes", device);
  lvm(device, "vgcreate", "--quiet", "vgx", device);
  lvm(device, "vgcfgbackup", "-f", empty, "vgx");
  const text = readFileSync(empty, "utf8").trimEnd();
  const sections = volumes.map(volumeText).join("");
  writeFileSync(full, `${text.slice(0, -1)}logical_volumes {\n${sections}}\n}\n`);
  lvm(device, "vgcfgrestore", "-f", full, "vgx");
  lvm(device, "vgcfgbackup", "-f", saved, "vgx");
  const uuid = lvm(device, "pvs", "--noheadings", "-o", "pv_uuid").trim();
  return { config: readFileSync(saved, "utf8"), uuid };
}

function volumeText({ name, segments }: Volume, index: number): string {
  let from = 0;
  const texts = segments.map(({ count, at }, number) => {
    const place = `start_extent = ${from}\nextent_count = ${count}\n`;
    from += count;
    const stripes = `type = "striped"\nstripe_count = 1\nstripes = ["pv0", ${at}]\n`;
    return `segment${number + 1} {\n${place}${stripes}}\n`;
  });
  const id = `AAAAAA-AAAA-AAAA-AAAA-AAAA-AAAA-AAAAA${index}`;
  const status = 'status = ["READ", "WRITE", "VISIBLE"]\nflags = []\n';
  return `${name} {\nid = "${id}"\n${status}segment_count = ${texts.length}\n${texts.join("")}}\n`;
}
