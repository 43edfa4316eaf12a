import { printable } from "../bytes/printable.ts";
import { fullSize } from "../bytes/sizes.ts";
import { commandsFor } from "./file-systems.ts";
import type { Mounted } from "./mount.ts";

/** What to do with a fresh mount: each line is a command that can be pasted. */
export function mountedText(mounted: Mounted, isRoot: boolean): string {
  const { check, mount } = commandsFor(mounted.fsType);
  const file = shellQuoted(mounted.file);
  const sudo = isRoot ? "" : "sudo ";
  const lines = [
    `${mounted.file}: the ${mounted.fsType} partition, ${fullSize(mounted.deviceSize)}, read-only`,
    ...(check ? [`  check it:   ${check} ${file}`] : []),
    ...(mount.by === "fuse"
      ? [`  its files:  ${mount.command} ${file} /mnt`]
      : [
          `  its files:  ${sudo}losetup --find --show --read-only --direct-io=on ${file}`,
          `              ${sudo}${mount.command} /dev/loopN /mnt    (the device it printed)`,
          `              ${sudo}umount /mnt; ${sudo}losetup --detach /dev/loopN`,
        ]),
    ...(mounted.allowOther ? [] : privateMount),
    `  end it:     ${isRoot ? "umount" : "fusermount3 -u"} ${shellQuoted(mounted.mountPoint)}`,
  ];
  return lines.map(printable).join("\n");
}

/** FUS-MOUNT-OTHER: without user_allow_other not even root gets in, so a loop device fails. */
const privateMount = [
  "  only you can read it, so 'sudo losetup' will fail; to allow it, add the line user_allow_other",
  "  to /etc/fuse.conf and mount again, or reach the files with a FUSE driver (ntfs-3g, fuse2fs, ...)",
];

export function shellQuoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
