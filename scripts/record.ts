/**
 * Records a terminal session of the real commands as docs/recording.svg: bun run record
 * Needs root, partclone, e2fsprogs and zstd.
 */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const ROOT = resolve(import.meta.dirname, "..");
export const RECORDING = join(ROOT, "docs/recording.svg");
/** As long as the directory in /tmp that stands for it, so that columns stay columns. */
const HOME = "/home/annie";
const PARTITION_BYTES = 2 * 2 ** 30;

const COMMANDS = [
  "vpartclone sda1.img.zst -m mnt --files",
  "ls mnt/annie",
  "cp mnt/annie/thesis.odt .",
  "vpartclone --mounts",
  "vpartclone --unmount mnt",
  "vpartclone -c -q sda1.img.zst",
];

/** A command with what it printed, and how long it took. */
export interface Step {
  readonly command: string;
  readonly output: readonly string[];
  readonly seconds: number;
}

function must(cmd: readonly string[], cwd: string, env: Record<string, string> = {}): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync([...cmd], {
    cwd,
    env: { ...process.env, LC_ALL: "C.UTF-8", ...env },
  });
  if (exitCode !== 0) throw new Error(`${cmd.join(" ")}: status ${exitCode}\n${stderr}`);
  return `${stdout}${stderr}`;
}

/** A backup of a partition with a few files, compressed as Clonezilla does it. */
function makeBackup(work: string): void {
  const files = join(work, "files/annie");
  mkdirSync(join(files, "photos"), { recursive: true });
  writeFileSync(join(files, "thesis.odt"), "x".repeat(300_000));
  for (const name of ["beach", "garden", "snow"])
    writeFileSync(join(files, `photos/${name}.jpg`), name.repeat(100_000));
  writeFileSync(join(work, "volume"), "");
  truncateSync(join(work, "volume"), PARTITION_BYTES);
  must(["mkfs.ext4", "-q", "-F", "-d", "files", "volume"], work);
  const quiet = ["-q", "-f0", "-L", "/dev/null"];
  must(["partclone.extfs", "-c", ...quiet, "-s", "volume", "-o", "sda1.img"], work);
  must(["zstd", "-q", "--rm", "sda1.img"], work);
  rmSync(join(work, "volume"));
  rmSync(join(work, "files"), { recursive: true });
  mkdirSync(join(work, "mnt"));
}

/** Runs the commands in a directory of their own, which is called HOME in what they print. */
export function record(): Step[] {
  const work = mkdtempSync(`${tmpdir()}/`);
  try {
    makeBackup(work);
    const bin = join(work, ".bin");
    mkdirSync(bin);
    const shim = join(bin, "vpartclone");
    const script = join(ROOT, "src/cli/vpartclone.ts");
    writeFileSync(shim, `#!/bin/sh\nexec '${process.execPath}' '${script}' "$@"\n`);
    chmodSync(shim, 0o755);
    return COMMANDS.map((command) => {
      const begun = performance.now();
      const printed = must(["sh", "-c", command], work, { PATH: `${bin}:${process.env.PATH}` });
      const output = printed.replaceAll(work, HOME).trimEnd().split("\n").filter(isOfHome);
      return { command, output, seconds: (performance.now() - begun) / 1000 };
    });
  } finally {
    Bun.spawnSync(["umount", "-l", join(work, "mnt")], { stderr: "ignore" });
    rmSync(work, { recursive: true });
  }
}

/** --mounts tells of others', too. */
const isOfHome = (line: string): boolean =>
  line !== "" && (!/ partition | files /.test(line) || line.includes(HOME));

const FONT = 13;
const CHARACTER = 7.83;
const LINE = 19;
const MARGIN = 16;
const BAR = 30;
/** How fast somebody types, and reads what is printed. */
const TYPED_SECONDS = 0.04;
const READ_SECONDS = 1.2;

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

interface TimedLine {
  readonly text: string;
  readonly isCommand: boolean;
  readonly at: number;
}

function timed(steps: readonly Step[]): TimedLine[] {
  let at = 0.5;
  return steps.flatMap(({ command, output, seconds }) => {
    const typed = { text: `# ${command}`, isCommand: true, at };
    at += command.length * TYPED_SECONDS + seconds;
    const printed = output.map((text) => ({ text, isCommand: false, at }));
    at += READ_SECONDS;
    return [typed, ...printed];
  });
}

/**
 * The session as a picture whose lines come up as they did. Where nothing moves they are all there:
 * the animation only hides them before their time.
 */
export function render(steps: readonly Step[]): string {
  const lines = timed(steps);
  const longest = Math.max(...lines.map(({ text }) => text.length));
  const width = Math.ceil(longest * CHARACTER) + 2 * MARGIN;
  const height = BAR + lines.length * LINE + MARGIN;
  const texts = lines.map(({ text, isCommand, at }, i) => {
    const y = BAR + (i + 1) * LINE - 5;
    const look = isCommand ? "c" : "o";
    return `<text class="${look}" x="${MARGIN}" y="${y}" style="animation-delay:${at.toFixed(2)}s">${escaped(text)}</text>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" xml:space="preserve" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">`,
    "<title>vpartclone in a terminal</title>",
    "<style>",
    `text{font:${FONT}px ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace;white-space:pre;animation:come 1ms backwards}`,
    ".c{fill:#fff;font-weight:600}.o{fill:#b9c4d0}",
    "@keyframes come{from{opacity:0}}",
    "@media (prefers-reduced-motion:reduce){text{animation:none}}",
    "</style>",
    `<rect width="${width}" height="${height}" rx="8" fill="#17202b"/>`,
    ...["#ff5f57", "#febc2e", "#28c840"].map(
      (fill, i) => `<circle cx="${MARGIN + 4 + i * 18}" cy="17" r="5.5" fill="${fill}"/>`,
    ),
    ...texts,
    "</svg>",
    "",
  ].join("\n");
}

if (import.meta.main) writeFileSync(RECORDING, render(record()));
