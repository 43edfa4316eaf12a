import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { brokenImage } from "../../fixtures-gen/breaks.ts";
import { example } from "../../fixtures-gen/examples.ts";
import { readFormatRules } from "../../src/conformance/spec-pages.ts";
import { testWith } from "../require.ts";

const MAIN = join(import.meta.dirname, "..", "..", "src", "cli", "vconform.ts");
const GOLDEN = join(import.meta.dirname, "..", "golden", "ext4-v2-xxh128-k8.img");
const scratch = mkdtempSync(join(tmpdir(), "vconform-"));
afterAll(() => rmSync(scratch, { recursive: true }));

/** Runs vconform; `stdin` goes through a pipe. */
function vconform(argv: readonly string[], stdin?: Uint8Array) {
  const { exitCode, stdout, stderr } = Bun.spawnSync([process.execPath, MAIN, ...argv], {
    cwd: scratch,
    ...(stdin ? { stdin } : {}),
  });
  return { status: exitCode, stdout: stdout.toString(), stderr: stderr.toString() };
}

function file(name: string, bytes: Uint8Array): string {
  writeFileSync(join(scratch, name), bytes);
  return name;
}

const broken = (rule: string) => brokenImage(rule)?.image ?? new Uint8Array();
const sound = file("sound.img", example("fss-ext").image);
const bad = file("bad.img", broken("PC2-CHECKSUM"));
const warned = file("warned.img", broken("PC2-DATA-END"));
const foreign = file("foreign.img", new Uint8Array(4096).fill(7));
const hostile = file("\x1b[31m & <red>.img", broken("PC2-CHECKSUM"));

describe("exit statuses", () => {
  test.each([
    ["all MUST rules hold", [sound], 0],
    ["a golden image", [GOLDEN], 0],
    ["a SHOULD rule fails", [warned], 0],
    ["a MUST rule fails", [bad], 1],
    ["one of several fails", [sound, bad], 1],
    ["a file that is no image", [foreign], 3],
    ["no such file", ["none.img"], 3],
    ["unreadable before broken", [bad, "none.img", sound], 3],
    ["a directory", ["."], 3],
    ["only the rule asked for counts", ["--rule", "PC2-MAGIC", bad], 0],
    ["nothing", [], 2],
    ["an unknown option", ["--jsn", sound], 2],
    ["an unknown rule", ["--rule", "no-such-rule", sound], 2],
    ["two forms", ["--json", "--tap", sound], 2],
    ["no count", ["--max-findings", "0", sound], 2],
    ["explain without an id", ["explain"], 2],
    ["explain what is no rule", ["explain", "CHECKSUM"], 2],
    ["list with something", ["list", "x"], 2],
  ])("%s", (_, argv, status) => {
    const run = vconform(argv);
    expect(run.status).toBe(status);
    expect(run.stderr).not.toContain("    at ");
    if (status > 1) expect(run.stderr).toMatch(/^vconform: [^\n]+\n$/);
  });
});

test("a rule that fails says where, what was found, what was wanted, and what readers do", () => {
  const { stdout } = vconform([bad]);
  expect(stdout).toContain("FAIL  PC2-CHECKSUM");
  expect(stdout).toContain("each strip's checksum is right");
  expect(stdout).toContain("at byte 30,856: strip 3 is bad");
  expect(stdout).toContain("readers read the image as if nothing were wrong");
  expect(stdout).toContain("n/a   PC2-BITMAGIC  ");
  expect(stdout).toContain("DOES NOT CONFORM");
});

test("behind a header that cannot be trusted nothing is judged", () => {
  const { stdout } = vconform([file("crc.img", broken("PC2-HEADER-CRC"))]);
  expect(stdout).toContain("PC2-CHECKSUM         not judged: PC2-HEADER-CRC fails");
});

test("findings beyond --max-findings are counted", () => {
  const image = example("v2-each-block").image;
  for (let at = image.length - 1; at > image.length - 20 * 1028; at -= 1028) {
    image[at] = (image[at] ?? 0) ^ 1;
  }
  const many = file("many.img", image);
  for (const form of [[], ["--junit"]]) {
    const { stdout } = vconform(["--max-findings", "3", ...form, many]);
    expect(stdout.match(/at byte .*: strip \d+ is bad/g)).toHaveLength(3);
    expect(stdout).toContain("and in 17 more places");
  }
});

test("a rule asked for that says nothing of such an image says so", () => {
  const { status, stdout } = vconform(["--rule", "NTC-ORDER", "--rule", "FSS-XFS-GROUPS", sound]);
  expect(status).toBe(0);
  for (const rule of ["NTC-ORDER", "FSS-XFS-GROUPS"]) {
    expect(stdout).toMatch(
      new RegExp(`n/a   ${rule} +not applicable: the image is partclone 0002, EXTFS`),
    );
  }
});

test("--quick leaves the checksums out", () => {
  const { status, stdout } = vconform(["--quick", bad]);
  expect(status).toBe(0);
  expect(stdout).toMatch(/PC2-CHECKSUM +not judged: a quick check does not read the data/);
});

test("list and explain say what spec/ says", () => {
  const rules = readFormatRules();
  const { stdout } = vconform(["list"]);
  const lines = stdout.trimEnd().split("\n");
  expect(lines).toHaveLength(rules.length);
  for (const [index, { id, title }] of rules.entries()) {
    expect(lines[index]).toStartWith(id);
    expect(lines[index]).toEndWith(title);
  }
  const [rule] = readFormatRules();
  const explained = vconform(["explain", rule?.id ?? ""]).stdout;
  for (const text of [rule?.title, rule?.statement, ...(rule?.fields.values() ?? [])]) {
    expect(explained).toContain(text ?? "");
  }
});

test("rules that are none about images are explained, but not listed or judged by", () => {
  expect(vconform(["list"]).stdout).not.toContain("FUS-");
  expect(vconform(["explain", "FUS-REQ-HEADER"]).stdout).toContain("level: MUST");
  const { status, stdout, stderr } = vconform(["-r", "FUS-REQ-HEADER", sound]);
  expect([status, stdout]).toEqual([2, ""]);
  expect(stderr).toStartWith("vconform: there is no rule 'FUS-REQ-HEADER'; ");
});

test("an image that no rule is about is not said to conform", () => {
  const { status, stdout } = vconform(["-r", "NTC-MAGIC", sound]);
  expect(status).toBe(0);
  expect(stdout).toEndWith(`${sound}: NOT JUDGED: none of the rules is about it\n`);
});

test("an ID in small letters gets the right one for an answer", () => {
  const { stderr } = vconform(["explain", "pc2-checksum"]);
  expect(stderr).toContain("there is no rule 'pc2-checksum'; did you mean PC2-CHECKSUM?");
});

interface JsonRule {
  readonly id: string;
  readonly verdict: string;
}

function jsonRules(argv: readonly string[], stdin?: Uint8Array): readonly JsonRule[] {
  const { images } = JSON.parse(vconform(["--json", ...argv], stdin).stdout);
  return images[0].rules;
}

describe("a pipe and a compressed file are judged as the file is", () => {
  test.each([
    ["fss-ext", example("fss-ext").image],
    ["fss-xfs", example("fss-xfs").image],
    ["ntfs-10.1", example("ntfs-10.1").image],
    ["v1-plain", example("v1-plain").image],
    ["PC2-CHECKSUM", broken("PC2-CHECKSUM")],
    ["PC2-DATA-COMPLETE", broken("PC2-DATA-COMPLETE")],
    ["PC1-DATA-END", broken("PC1-DATA-END")],
    ["NTC-DATA-END", broken("NTC-DATA-END")],
    ["FSS-NTFS-MFT", broken("FSS-NTFS-MFT")],
    ["golden", readFileSync(GOLDEN)],
  ])(
    "%s",
    (name, image) => {
      const verdicts = (rules: readonly JsonRule[]) => rules.map((r) => `${r.id}: ${r.verdict}`);
      const expected = verdicts(jsonRules([file(`${name}.img`, image)]));
      expect(verdicts(jsonRules(["-"], image))).toEqual(expected);
      expect(verdicts(jsonRules([file(`${name}.img.gz`, gzipSync(image))]))).toEqual(expected);
      const quick = ({ id }: JsonRule) => !/-(CHECKSUM|DATA-COMPLETE|DATA-END)$/.test(id);
      expect(verdicts(jsonRules(["--quick", "-"], image).filter(quick))).toEqual(
        verdicts(jsonRules(["--quick", `${name}.img`]).filter(quick)),
      );
    },
    30_000,
  );
});

test("--json is one object, with an error where there is no report", () => {
  const { stdout, status } = vconform(["--json", sound, "none.img", bad]);
  expect(status).toBe(3);
  const { schema, images } = JSON.parse(stdout);
  expect(schema).toBe(1);
  expect(images).toMatchObject([
    { image: sound, format: "partclone 0002", fileSystem: "EXTFS", conforms: true },
    { image: "none.img", error: "none.img: no such file" },
    { image: bad, conforms: false },
  ]);
  const failing = images[2].rules.filter(({ verdict }: JsonRule) => verdict === "fail");
  expect(failing).toMatchObject([
    {
      id: "PC2-CHECKSUM",
      level: "MUST",
      total: 1,
      findings: [{ imageOffset: 30856, reading: "unaffected" }],
    },
  ]);
});

test("--tap has a plan that fits, a subtest for each image, and todos for SHOULD rules", () => {
  const { stdout } = vconform(["--tap", sound, warned, bad, hostile]);
  const lines = stdout.split("\n");
  expect(lines.slice(0, 2)).toEqual(["TAP version 13", "1..4"]);
  const top = lines.filter((line) => /^(not )?ok /.test(line));
  expect(top.map((line) => line.split(" - ")[0])).toEqual(["ok 1", "ok 2", "not ok 3", "not ok 4"]);
  const plans = lines.filter((line) => /^ {4}1\.\.\d+$/.test(line)).map((line) => line.slice(7));
  const tests = lines.filter((line) => /^ {4}(not )?ok \d+ - /.test(line));
  expect(tests).toHaveLength(plans.reduce((sum, plan) => sum + Number(plan), 0));
  expect(stdout).toMatch(/not ok \d+ - PC2-DATA-END: .* # TODO a SHOULD rule/);
  expect(stdout).not.toContain("\x1b");
});

const COUNT = `
use TAP::Parser;
my $parser = TAP::Parser->new({ tap => join("", <STDIN>) });
$parser->run;
print join(" ", "passed", $parser->passed, "failed", $parser->failed, $parser->parse_errors);
`;

testWith(["perl"], "the parser behind prove reads the TAP output", () => {
  const { stdout } = vconform(["--tap", sound, bad, "none.img", warned]);
  const { stdout: read } = Bun.spawnSync(["perl", "-e", COUNT], { stdin: Buffer.from(stdout) });
  expect(read.toString()).toBe("passed 1 4 failed 2 3");
});

const xml = () => vconform(["--junit", sound, hostile, "none.img", foreign, warned]).stdout;

test("--junit counts what it holds and has no character that XML forbids", () => {
  const text = xml();
  for (const suite of text.split("<testsuite ").slice(1)) {
    const count = (name: string) => Number(new RegExp(` ${name}="(\\d+)"`).exec(suite)?.[1]);
    for (const [counted, tag] of [
      ["tests", "testcase"],
      ["failures", "failure"],
      ["errors", "error"],
      ["skipped", "skipped"],
    ] as const) {
      expect(suite.split(`<${tag} `).length - 1).toBe(count(counted));
    }
  }
  expect([...text].filter((character) => character < " " && character !== "\n")).toEqual([]);
  expect(text).toContain('name="\\x1b[31m &amp; &lt;red&gt;.img"');
});

const PARSE = "import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.stdin.buffer)";

testWith(["python3"], "an XML parser reads the JUnit output", () => {
  const { exitCode, stderr } = Bun.spawnSync(["python3", "-c", PARSE], {
    stdin: Buffer.from(xml()),
  });
  expect([exitCode, stderr.toString()]).toEqual([0, ""]);
});

test("nothing of an image's or a file's name reaches the terminal raw", () => {
  const image = example("fss-ext").image;
  image.set(Buffer.from("EX\x1b[2J"), 36);
  const { stdout, stderr } = vconform([file("raw.img", image), hostile, "\x1bnone"]);
  expect(stdout + stderr).not.toContain("\x1b");
});
