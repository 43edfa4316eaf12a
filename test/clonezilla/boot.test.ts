import { expect } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { zstdCompressSync } from "node:zlib";
import { runCommand, scratch } from "../cli/program.ts";
import { mountNeeds, ROOT } from "../fuse/harness.ts";
import { testWith } from "../require.ts";
import { mountFolder } from "./mounted.ts";
import { makeDisk, saveTable } from "./tables.ts";
import { written } from "./written.ts";

const TIMEOUT = 100_000;
const MiB = 2 ** 20;
const TEXT = "from the partition\r\n";

/**
 * What a machine's firmware starts: reads the first sector of the first partition, prints its text
 * to the serial line, and ends the machine.
 */
const BOOT_CODE = Buffer.from(
  [
    "31c0 8ed8 8ec0 8ed0 bc007c", // Segments and stack.
    "66a1c67d 66a3387c", // The partition's first sector, by the table, …
    "b442 be307c cd13", // … is read to 8000.
    "be0080 baf803 ac 84c0 7403 ee ebf8", // Each byte to the serial line, up to a zero.
    "baf400 ee f4 ebfd", // The end.
  ]
    .join("")
    .replaceAll(" ", ""),
  "hex",
);
/** What to read, and where to. */
const PACKET = { at: 0x30, bytes: Buffer.from("1000010000800000", "hex") };

/** What is on the serial line of a machine that starts from the disk. */
function boot(disk: string): string {
  const drive = ["-snapshot", "-drive", `file=${disk},format=raw`];
  const quiet = ["-display", "none", "-monitor", "none", "-serial", "stdio", "-net", "none"];
  const end = ["-no-reboot", "-device", "isa-debug-exit,iobase=0xf4,iosize=1"];
  const { out } = runCommand(["qemu-system-x86_64", "-m", "16", ...drive, ...quiet, ...end]);
  return out;
}

for (const { label, type, printed } of [
  { label: "dos", type: "83", printed: TEXT },
  // What protects the table begins with its header.
  { label: "gpt", type: "0FC63DAF-8483-4772-8E79-3D69D8477DE4", printed: "EFI PART" },
] as const) {
  testWith(
    [...mountNeeds(ROOT), "sfdisk", "qemu-system-x86_64"],
    `QEMU starts the disk in the mount (${label})`,
    async () => {
      using place = scratch();
      const disk = makeDisk(join(place.path, "disk"), 4 * MiB, label, [
        { start: 2048, size: 100, type, more: label === "dos" ? ", bootable" : "" },
      ]);
      const bytes = readFileSync(disk.path);
      bytes.set(BOOT_CODE);
      bytes.set(PACKET.bytes, PACKET.at);
      writeFileSync(disk.path, bytes);
      const partition = Buffer.alloc(100 * 512);
      partition.write(TEXT);
      using folder = written({ "sda1.dd-ptcl-img.zst": zstdCompressSync(partition) });
      saveTable(disk, folder.path);
      await using mounted = mountFolder(folder.path);
      expect(boot(join(mounted.path, "sda"))).toContain(printed);
    },
    TIMEOUT,
  );
}
