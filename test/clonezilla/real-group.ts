import { expect } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { loopDevice, must, scratchDirectory } from "../real/stage.ts";
import { groupWith, lvm } from "./lvm.ts";
import { fill, sparse } from "./real-disk.ts";

const MiB = 2 ** 20;
/** Extents of the logical volume, in two parts. */
const ROOT_VOLUME = {
  name: "root",
  segments: [
    { count: 2, at: 5 },
    { count: 5, at: 0 },
  ],
};
const EXTENT = 4 * MiB;

/**
 * A volume group on the partition, and a logical volume with files; the latter's bytes in a file,
 * which `stack` removes. `place`: while they are made.
 */
export function makeVolume(stack: DisposableStack, place: DisposableStack, device: string): string {
  groupWith(device, [ROOT_VOLUME]);
  const size = ROOT_VOLUME.segments.reduce((sum, { count }) => sum + count * EXTENT, 0);
  const volume = sparse(join(scratchDirectory(stack), "volume"), size);
  fill(loopDevice(place, volume, "rw"), "ext4");
  must(["sync"]);
  let from = 0;
  for (const { count, at } of ROOT_VOLUME.segments) {
    const to = MiB + at * EXTENT;
    const extents = [`skip=${from * EXTENT}`, `seek=${to}`, `count=${count * EXTENT}`];
    const flags = ["iflag=skip_bytes,count_bytes", "oflag=seek_bytes", "bs=1M", "status=none"];
    must(["dd", `if=${volume}`, `of=${device}`, ...extents, ...flags, "conv=notrunc"]);
    from += count;
  }
  return volume;
}

/** LVM finds the same in both, and the logical volume's bytes are the same. */
export function expectSameGroup(ours: string, theirs: string): void {
  const columns = "lv_uuid,lv_name,lv_size,seg_start,seg_pe_ranges,vg_uuid";
  const told = (of: string) =>
    lvm(of, "lvs", "--segments", "--separator", " ", "-o", columns).replaceAll(of, "");
  expect(told(ours)).toBe(told(theirs));
  expect(lvm(ours, "vgck", "vgx")).toBe("");
  const volumes = [ours, theirs].map((device) => {
    const bytes = readFileSync(device);
    const extents = ROOT_VOLUME.segments.map(({ count, at }) =>
      bytes.subarray(MiB + at * EXTENT, MiB + (at + count) * EXTENT),
    );
    return Buffer.concat(extents);
  });
  const [own = Buffer.alloc(0), real = Buffer.alloc(0)] = volumes;
  expect(Buffer.compare(own, real)).toBe(0);
}
