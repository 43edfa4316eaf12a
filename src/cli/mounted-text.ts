import { printable } from "../bytes/printable.ts";
import { shellQuoted } from "../bytes/shell.ts";
import { fullSize } from "../bytes/sizes.ts";
import { hasDriver } from "../files/drivers.ts";
import { type FileSystem, type KernelDriver, knownFileSystem } from "../files/file-systems.ts";
import { unmountCommand } from "../fuse/mount-point.ts";
import type { Mounted } from "./mount.ts";

/** What to do with a fresh mount: each line is a command that can be pasted. */
export function mountedText(mounted: Mounted, isRoot: boolean): string {
  const what = `the ${mounted.fsType} partition, ${fullSize(mounted.deviceSize)}, read-only`;
  const file = mounted.file === null ? null : shellQuoted(mounted.file);
  const lines = [
    ...(file === null
      ? [`${shellQuoted(mounted.mountPoint)}: the files of ${what}`]
      : [`${file}: ${what}`]),
    ...(file === null ? [] : waysOn(mounted, file, isRoot)),
    line("end it:", unmountCommand(mounted.mountPoint, isRoot)),
  ];
  return lines.map(printable).join("\n");
}

const line = (what: string, command: string): string => `  ${what.padEnd(10)}  ${command}`;

function waysOn(
  { fsType, allowOther, backupBoot }: Mounted,
  file: string,
  isRoot: boolean,
): string[] {
  const known = knownFileSystem(fsType);
  return [
    ...(known?.check ? [line("check it:", `${known.check} ${file}`)] : []),
    ...(known?.remark && !backupBoot ? [line("", `(${known.remark})`)] : []),
    ...(allowOther ? withDriver(known, file, isRoot) : alone(known, file)),
  ];
}

/** The way of root, or of everybody with its help. */
function withDriver(known: FileSystem | null, file: string, isRoot: boolean): string[] {
  const sudo = isRoot ? "" : "sudo ";
  const kernel = known?.kernel.find(({ driver }) => hasDriver(driver));
  const fuse = kernel ? null : known?.fuse;
  if (fuse && !fuse.needsDevice) {
    return [line("its files:", `${sudo}${fuse.program} -o ro ${file} /mnt`)];
  }
  const mount = fuse ? `${fuse.program} -o ro` : kernelCommand(kernel ?? known?.kernel[0]);
  return [
    line("its files:", `${sudo}losetup --find --show --read-only --direct-io=on ${file}`),
    line("", `${sudo}${mount} /dev/loopN /mnt    (the device it printed)`),
    line("", `${sudo}umount /mnt; ${sudo}losetup --detach /dev/loopN`),
  ];
}

const kernelCommand = (known: KernelDriver | undefined): string =>
  known ? `mount -t ${known.driver} -o ${["ro", ...known.options].join(",")}` : "mount -o ro";

/** FUS-MOUNT-OTHER: without user_allow_other not even root gets in, so a loop device fails. */
function alone(known: FileSystem | null, file: string): string[] {
  return [
    ...(known?.alone ? [line("its files:", known.alone(file))] : []),
    "  only you can read it, so 'sudo losetup' will fail; to let root in, add the line",
    "  user_allow_other to /etc/fuse.conf and mount again",
  ];
}
