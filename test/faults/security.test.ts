import { describe, expect } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT, run, until } from "../fuse/harness.ts";
import { byTitle, imageForms, writeImage } from "../image-forms.ts";
import { ORDINARY_USER, testWith } from "../require.ts";
import {
  COMMAND,
  type Folder,
  fixture,
  folder,
  isRight,
  mounted,
  NEEDS,
  readRange,
  serversOf,
  TIMEOUT,
} from "./command.ts";

const whole = fixture();
const WHOLE = [0, whole.partition.length] as const;

/** What /proc says of a process, by the line's name. */
const statusOf = (pid: number, name: string): string =>
  new RegExp(`^${name}:\\s*(.*)$`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ??
  "";

describe.each(byTitle(imageForms))("%s images:", (_, form) => {
  const write = ({ path }: Folder) => writeImage(form, path, "sda1", whole.image);

  testWith(
    NEEDS,
    "the mount is read-only, and no program or device in it has any power",
    async () => {
      using made = folder();
      await using mount = await mounted(write(made));
      const line = readFileSync("/proc/self/mountinfo", "utf8")
        .split("\n")
        .find((each) => each.split(" ")[4] === mount.directory);
      expect(line?.split(" ")[5]?.split(",")).toEqual(
        expect.arrayContaining(["ro", "nosuid", "nodev"]),
      );
      const options = line?.split(" ").at(-1)?.split(",");
      expect(options).toEqual(expect.arrayContaining(["ro", "default_permissions"]));
    },
    TIMEOUT,
  );

  testWith(
    [...NEEDS, "readlink"],
    "the server holds its image, its index, /dev/fuse and the pipe to its guard, and nothing else",
    async () => {
      using made = folder();
      const image = write(made);
      const secret = made.file("secret", new Uint8Array(1));
      // Descriptor 7 is open in the shell that starts it.
      const shell = ["sh", "-c", 'exec 7<"$0" && exec "$@"', secret];
      await using mount = await mounted(image, {
        prefix: shell,
        args: ["--log", join(made.path, "log")],
      });
      const linksNow = () =>
        run(ROOT, "sh", "-c", `readlink /proc/${mount.pid}/fd/*`).out.toString();
      // Its last threads still read their code when the mount answers, one file after the other.
      let links = "";
      let looksWithoutCode = 0;
      await until(() => {
        links = linksNow();
        looksWithoutCode = links.includes(".ts\n") ? 0 : looksWithoutCode + 1;
        return looksWithoutCode === 10;
      });
      const held = links
        .trim()
        .split("\n")
        .filter((name) => !name.startsWith("anon_inode:"));
      const kinds = held
        .filter((name) => name !== "/dev/null")
        .map((name) => {
          if (name.startsWith("pipe:")) return "pipe";
          if (/^\/tmp\/vpartclone-[-\w]+\.index \(deleted\)$/.test(name)) return "index";
          return name.startsWith(join(made.path, "sda1.img")) ? "image" : name;
        });
      const index = form.compress ? ["index"] : [];
      expect([...new Set(kinds)].sort()).toEqual(["/dev/fuse", "image", ...index, "pipe"]);
      expect(kinds.filter((kind) => kind !== "image")).toHaveLength(2 + index.length);
      const sockets = run(ROOT, "sh", "-c", `readlink /proc/${mount.pid}/fd/* | grep -c socket`);
      expect(sockets.out.toString()).toBe("0\n");
      expect(run(ROOT, "readlink", `/proc/${mount.pid}/cwd`).out.toString()).toBe("/\n");
    },
    TIMEOUT,
  );

  testWith(
    [...NEEDS, "unshare", "setpriv"],
    "no network, no new privileges, and of root's powers only the one that mounts",
    async () => {
      using made = folder();
      const drop = ["--no-new-privs", "--bounding-set", "-all,+sys_admin", "--inh-caps", "-all"];
      const prefix = ["unshare", "--net", "--ipc", "--uts", "setpriv", ...drop];
      await using mount = await mounted(write(made), { prefix });
      expect(isRight(readRange(mount.file, ...WHOLE), whole, 0)).toBe(true);
      const own = run(ROOT, "readlink", "/proc/self/ns/net").out.toString();
      expect(run(ROOT, "readlink", `/proc/${mount.pid}/ns/net`).out.toString()).not.toBe(own);
      expect(statusOf(mount.pid, "NoNewPrivs")).toBe("1");
      // CAP_SYS_ADMIN is number 21.
      expect(Number.parseInt(statusOf(mount.pid, "CapEff"), 16)).toBe(2 ** 21);
      process.kill(mount.pid, "SIGTERM");
      await mount.ended();
    },
    TIMEOUT,
  );

  testWith(
    [...NEEDS, "unshare", "setpriv", ORDINARY_USER],
    "an ordinary user without any privilege, in namespaces without network, mounts and reads",
    () => {
      using made = folder();
      const image = write(made);
      const script = `
        mkdir "$1/mnt" && "$2" "$3" "$4" -m "$1/mnt" >/dev/null || exit 1
        sha256sum < "$1/mnt/sda1"; umount "$1/mnt"`;
      run(ROOT, "chmod", "0777", made.path);
      const user = [
        "setpriv",
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
        "--no-new-privs",
      ];
      const spaces = ["unshare", "--user", "--map-root-user", "--mount", "--net"];
      const words = [made.path, process.execPath, COMMAND, image];
      const { code, out, err } = run(ROOT, ...user, ...spaces, "sh", "-c", script, "sh", ...words);
      const digest = new Bun.CryptoHasher("sha256").update(whole.partition).digest("hex");
      expect([code, out.toString(), err]).toEqual([0, `${digest}  -\n`, ""]);
    },
    TIMEOUT,
  );

  testWith(
    NEEDS,
    "what the image's permissions keep closed, the mount keeps closed",
    async () => {
      using made = folder();
      const image = write(made);
      run(ROOT, "chmod", "0600", image);
      run(ROOT, "chmod", "0755", made.path);
      await using mount = await mounted(image);
      const user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
      const { code, err } = run(ROOT, ...user, "head", "-c", "1", mount.file);
      expect([code, err]).toEqual([1, expect.stringContaining("Permission denied")]);
      expect(mount.unmount().code).toBe(0);
      await until(() => serversOf(mount.directory).length === 0);
    },
    TIMEOUT,
  );
});
