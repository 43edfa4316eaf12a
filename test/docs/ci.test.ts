import { afterAll, describe, expect, test } from "bun:test";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brokenImage } from "../../fixtures-gen/breaks.ts";

const root = join(import.meta.dirname, "..", "..");
const page = readFileSync(join(root, "docs", "ci.md"), "utf8");
const [, workflow = ""] = /```yaml\n(.*?)```/s.exec(page) ?? [];
const [, command = "", report = ""] = /^\(`([^`]+)`\):\n\n```xml\n(.*?)```/ms.exec(page) ?? [];

const scratch = mkdtempSync(join(tmpdir(), "vpartclone-ci-"));
afterAll(() => rmSync(scratch, { recursive: true }));

const GOLDEN = join(root, "test", "golden");
const images = readdirSync(GOLDEN).filter((name) => name.endsWith(".img"));

function run(argv: readonly string[], cwd: string) {
  const { exitCode, stdout, stderr } = Bun.spawnSync([...argv], {
    cwd,
    env: { ...process.env, TMPDIR: scratch },
  });
  return { status: exitCode, out: stdout.toString(), err: stderr.toString() };
}

interface Step {
  readonly name?: string;
  readonly run?: string;
}

describe("docs/ci.md", () => {
  test("its step writes the report, and fails with a MUST rule", () => {
    const { jobs } = Bun.YAML.parse(workflow) as { jobs: { conformance: { steps: Step[] } } };
    const step = jobs.conformance.steps.find(({ name }) => name === "Judge them")?.run ?? "";
    expect(step).toContain("bunx --package vpartclone vconform --junit");
    // The package as it is here, not as it is published.
    run([process.execPath, "pm", "pack", "--quiet", "--destination", scratch], root);
    const [tarball = ""] = readdirSync(scratch).filter((name) => name.endsWith(".tgz"));
    const own = step.replace("--package vpartclone", `--package ${join(scratch, tarball)}`);

    const checkout = join(scratch, "checkout");
    mkdirSync(join(checkout, "images"), { recursive: true });
    for (const name of images) cpSync(join(GOLDEN, name), join(checkout, "images", name));
    const judge = () => {
      const { status } = run(["bash", "-e", "-c", own], checkout);
      return { status, xml: readFileSync(join(checkout, "conformance.xml"), "utf8") };
    };
    const sound = judge();
    expect(sound.status).toBe(0);
    expect(sound.xml.split("<testsuite ")).toHaveLength(images.length + 1);
    expect(sound.xml).not.toContain("<failure");

    writeFileSync(join(checkout, "images", "z.img"), brokenImage("PC2-CHECKSUM")?.image ?? "");
    const broken = judge();
    expect(broken.status).toBe(1);
    expect(broken.xml.split("<failure ")).toHaveLength(2);
  }, 60_000);

  test("the report it shows is the one its command prints", () => {
    const image = readFileSync(join(GOLDEN, "ext4-v2-xxh128-k8.img"));
    image[4000] = (image[4000] ?? 0) ^ 1;
    writeFileSync(join(scratch, "bad.img"), image);
    const [program = "", ...args] = command.split(" ");
    expect(program).toBe("vconform");
    const script = join(root, "src", "cli", "vconform.ts");
    const { status, out } = run([process.execPath, script, ...args], scratch);
    expect([status, out]).toEqual([1, report]);
  });
});
