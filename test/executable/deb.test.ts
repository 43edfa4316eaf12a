import { expect } from "bun:test";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { example } from "../../fixtures-gen/examples.ts";
import { testWith } from "../require.ts";
import { must, newRoot } from "./root.ts";

const NEEDS = ["root", "/dev/fuse", "chroot", "unshare", "debootstrap", "dpkg-deb"];
const MIRROR = "http://deb.debian.org/debian";
const SCRIPT = resolve(import.meta.dirname, "../../scripts/package-deb.ts");
const TIMEOUT = 300_000;

const codename = () =>
  /^VERSION_CODENAME=(.+)$/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ?? "stable";

testWith(
  NEEDS,
  "the Debian package installs with apt into a clean system, works, and is removed",
  () => {
    using system = newRoot();
    must(["debootstrap", "--variant=minbase", codename(), system.path, MIRROR]);
    const [file = ""] = must([process.execPath, SCRIPT]).trim().split("\n");
    copyFileSync(file, join(system.path, "tmp/vpartclone.deb"));
    const { image, partition } = example("v2-crc32");
    writeFileSync(join(system.path, "tmp/v2.img"), image);
    writeFileSync(join(system.path, "tmp/v2.raw"), partition);
    writeFileSync(join(system.path, "tmp/packed.img.gz"), gzipSync(image));
    const ran = system.run(
      [
        "export DEBIAN_FRONTEND=noninteractive",
        "apt-get install -y --no-install-recommends /tmp/vpartclone.deb >/tmp/apt.log 2>&1",
        "vpartclone /tmp/v2.img -m /mnt",
        "cmp /mnt/v2 /tmp/v2.raw",
        "umount /mnt",
        "vpartclone /tmp/packed.img.gz -m /mnt >/dev/null",
        "cmp /mnt/packed /tmp/v2.raw",
        "umount /mnt",
        "vpartclone -cq /tmp/v2.img",
        "test -e /usr/share/man/man1/vclonezilla.1.gz",
        "test -e /usr/share/bash-completion/completions/vclonezilla",
        "vclonezilla --version",
        "vntfsclone --version",
        "vconform --tap /tmp/v2.img",
        "apt-get remove -y vpartclone >/tmp/apt.log 2>&1",
        "test ! -e /usr/bin/vpartclone",
      ].join("\n"),
    );
    expect(ran).toMatchObject({ status: 0, err: "" });
    expect(ran.out).toContain("/mnt/v2: the EXTFS partition");
    expect(ran.out).toContain("/tmp/v2.img: sound");
    expect(ran.out).toContain("vntfsclone 0.1.0");
    expect(ran.out).toContain("vclonezilla 0.1.0");
  },
  TIMEOUT,
);
