import { printable } from "../bytes/printable.ts";
import { fullSize } from "../bytes/sizes.ts";
import { commandsFor, type FileSystemCommands, hasDriver } from "./file-systems.ts";
import type { Mounted } from "./mount.ts";

/** What to do with a fresh mount: each line is a command that can be pasted. */
export function mountedText(mounted: Mounted, isRoot: boolean): string {
  const commands = commandsFor(mounted.fsType);
  const { check, remark } = commands;
  const file = shellQuoted(mounted.file);
  const lines = [
    `${mounted.file}: the ${mounted.fsType} partition, ${fullSize(mounted.deviceSize)}, read-only`,
    ...(check ? [line("check it:", `${check} ${file}`)] : []),
    ...(check && remark ? [line("", `(${remark})`)] : []),
    ...(mounted.allowOther ? withDriver(commands, file, isRoot) : alone(commands, file)),
    line("end it:", `${isRoot ? "umount" : "fusermount3 -u"} ${shellQuoted(mounted.mountPoint)}`),
  ];
  return lines.map(printable).join("\n");
}

const line = (what: string, command: string): string => `  ${what.padEnd(10)}  ${command}`;

/** The ways of root, or of everybody with its help. */
function withDriver({ mounts }: FileSystemCommands, file: string, isRoot: boolean): string[] {
  const sudo = isRoot ? "" : "sudo ";
  return mounts
    .filter(({ driver }) => driver === undefined || hasDriver(driver))
    .flatMap(({ by, command }, index) => {
      const what = index === 0 ? "its files:" : "or:";
      if (by === "fuse") return [line(what, `${sudo}${command} ${file} /mnt`)];
      return [
        line(what, `${sudo}losetup --find --show --read-only --direct-io=on ${file}`),
        line("", `${sudo}${command} /dev/loopN /mnt    (the device it printed)`),
        line("", `${sudo}umount /mnt; ${sudo}losetup --detach /dev/loopN`),
      ];
    });
}

/** FUS-MOUNT-OTHER: without user_allow_other not even root gets in, so a loop device fails. */
function alone({ alone: command }: FileSystemCommands, file: string): string[] {
  return [
    ...(command ? [line("its files:", command(file))] : []),
    "  only you can read it, so 'sudo losetup' will fail; to let root in, add the line",
    "  user_allow_other to /etc/fuse.conf and mount again",
  ];
}

export function shellQuoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
