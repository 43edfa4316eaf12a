import { describe, expect, test } from "bun:test";
import packageJson from "../../package.json" with { type: "json" };
import { linesOf, programs, runProgram } from "./program.ts";

const NOTHING = "nothing to do: give -m DIR to mount, -v to describe, or -c to check";

/** Command lines that no command understands, and why. Images need not exist: none is looked at. */
const misuses: readonly (readonly [args: readonly string[], why: string])[] = [
  [[], "IMAGE is missing"],
  [["-v"], "IMAGE is missing"],
  [["-c", "--quiet"], "IMAGE is missing"],
  [["-m", "mnt"], "IMAGE is missing"],
  [["x.img"], NOTHING],
  [["x.img", "-d"], "-d needs -m DIR"],
  [["x.img", "--files"], "--files needs -m DIR"],
  [["x.img", "-q"], "-q needs -c, --restore or --index"],
  [["x.img", "--force"], "--force needs --restore TARGET"],
  [["-c", ""], "IMAGE is missing"],
  [["-v", "--log", "file", "x.img"], "--log needs -m DIR"],
  [["-m", "mnt", "--log=", "x.img"], "--log takes a file"],
  [["-m", "mnt", "x.img", "--log"], "Option '--log <value>' argument missing"],
  [["-v", "-d", "x.img"], "-d needs -m DIR"],
  [["-c", "--debug_fuse", "x.img"], "-d needs -m DIR"],
  [["-v", "--files", "x.img"], "--files needs -m DIR"],
  [["-v", "--ntfs-backup-boot", "x.img"], "--ntfs-backup-boot needs -m DIR"],
  [["-v", "--verify", "x.img"], "--verify needs -m DIR"],
  [["-v", "-q", "x.img"], "-q needs -c, --restore or --index"],
  [["-m", "mnt", "--quiet", "x.img"], "-q needs -c, --restore or --index"],
  [
    ["-m", "mnt", "--index", "x.img"],
    "--index and -m exclude each other: -m makes the index itself",
  ],
  [["--index", "--no-index-cache", "x.img"], "--no-index-cache needs -m DIR"],
  [["--index", "--index-dir=", "x.img"], "--index-dir takes a directory"],
  [["x.img", "--restore="], "--restore takes a file or a device"],
  [["x.img", "--restore", "-"], "--restore takes a file or a device, no pipe"],
  [["x.img", "--restore", "y", "-m", "mnt"], "--restore and -m exclude each other"],
  [["x.img", "--restore", "y", "-c"], "-c says nothing that --restore does not prove itself"],
  [["-v", "--force", "x.img"], "--force needs --restore TARGET"],
  [["-v", "--discard", "x.img"], "--discard needs --restore TARGET"],
  [["--mounts", "x.img"], "--mounts goes with nothing else"],
  [["--mounts", "-v"], "--mounts goes with nothing else"],
  [["--unmount", "mnt", "--json"], "--unmount goes with nothing else"],
  [["--unmount="], "--unmount takes a directory"],
  [["--unmount"], "Option '--unmount <value>' argument missing"],
  [["x.img", "-m"], "Option '-m, --mountpoint <value>' argument missing"],
  [["x.img", "--mountpoint"], "Option '-m, --mountpoint <value>' argument missing"],
  [["-m", "-v", "x.img"], "Option '-m' takes a value"],
  [["-m", "", "x.img"], "-m takes a directory"],
  [["--mountpoint=", "x.img"], "-m takes a directory"],
  [["-x", "x.img"], "Unknown option '-x'"],
  [["-vx", "x.img"], "Unknown option 'x'"],
  [["--mount", "mnt", "x.img"], "Unknown option '--mount'"],
  [["--no-verbose", "x.img"], "Unknown option '--no-verbose'"],
  [["-v", "--json=yes", "x.img"], "Option '--json' does not take an argument"],
  [["-v", "x.img", "y.img"], "one IMAGE at a time; 'y.img' is too much"],
  [["-v", "x.img", "y.img", "z.img"], "one IMAGE at a time; 'y.img' is too much"],
  [["-v", "x.img", "--", "-c"], "one IMAGE at a time; '-c' is too much"],
];

const noIndexSize = (value: string) =>
  `index size '${value}' is not a whole number from 32 to 1048576`;

/** Only vpartclone has an index. */
const indexMisuses: typeof misuses = [
  ...["31", "1048577", "-5", "1.5", "many", ""].map(
    (value) => [["-v", `--index_size=${value}`, "x.img"], noIndexSize(value)] as const,
  ),
  [["-v", "x.img", "-i"], "Option '-i, --index_size <value>' argument missing"],
];
const noIndex: typeof misuses = [[["-v", "-i", "64", "x.img"], "Unknown option '-i'"]];

for (const program of programs) {
  describe(program, () => {
    test.each([...misuses, ...(program === "vpartclone" ? indexMisuses : noIndex)])(
      "refuses %j with a usage line and status 2",
      (args, why) => {
        const usage = `usage: ${program} [options] IMAGE (${program} --help tells more)`;
        expect(runProgram(program, args)).toEqual({
          status: 2,
          out: "",
          err: `${program}: ${why}; ${usage}\n`,
        });
      },
    );

    test.each(["--version", "-v --version x.img"])("%s: the version", (line) => {
      const args = line.split(" ");
      const out = `${program} ${packageJson.version}\n`;
      expect(runProgram(program, args)).toEqual({ status: 0, out, err: "" });
    });

    test.each(["-h", "--help", "-h --version", "-c -h"])("%s: help", (line) => {
      const { status, out, err } = runProgram(program, line.split(" "));
      expect({ status, err }).toEqual({ status: 0, err: "" });
      const options = linesOf(out).flatMap(
        (line) => /^ {2}(-\w, | {4})(--[\w-]+)/.exec(line)?.[2] ?? [],
      );
      expect(options).toEqual([
        ...[
          "--mountpoint",
          "--files",
          "--ntfs-backup-boot",
          "--debug_fuse",
          "--verbose",
          "--json",
          "--crc_check",
        ],
        ...[
          "--verify",
          "--log",
          "--index",
          "--index-dir",
          "--no-index-cache",
          "--restore",
          "--force",
          "--discard",
          "--quiet",
          "--mounts",
          "--unmount",
        ],
        ...(program === "vpartclone" ? ["--index_size"] : []),
        ...["--help", "--version"],
      ]);
      expect(out).toContain(`usage: ${program} [options] IMAGE\n`);
      expect(linesOf(out).filter((line) => line.length > 80)).toEqual([]);
    });
  });
}
