import { describe, expect } from "bun:test";
import { ImageBackupError } from "../../src/bytes/errors.ts";
import { lzip } from "../../src/seekable/lzip/lzip.ts";
import { xz } from "../../src/seekable/xz/xz.ts";
import { memorySource } from "../memory-source.ts";
import { testWith } from "../require.ts";
import { codecSuite, compressed, expectIndexed } from "./codec-suite.ts";
import { indexed } from "./indexed.ts";
import { fill } from "./nasty.ts";

const tool = (...command: string[]) => ({ command, hasChecksum: true, joins: true });

codecSuite(xz, [
  tool("xz", "-0c", "-T2", "--block-size=4096"),
  tool("xz", "-0c", "-T2", "--block-size=100KiB"),
  tool("xz", "-0c", "-T1", "-Csha256"),
  tool("xz", "-0c", "-T1", "--block-size=30000", "-Ccrc32"),
  tool("xz", "-6c", "-T1"),
]);

codecSuite(lzip, [tool("lzip", "-0c"), tool("plzip", "-0c", "-n2", "-B", "100000")]);

const content = fill([
  { kind: "words", length: 100_000, seed: 3 },
  { kind: "noise", length: 50_000, seed: 4 },
]);
const stream = () => compressed(tool("xz", "-0c", "--block-size=20000"), content);

describe("xz streams", () => {
  const twice = Buffer.concat([content, content]);
  const check = (title: string, fn: () => Promise<void>) => testWith(["xz"], title, fn);

  check("may have zeros behind them, in multiples of four", async () => {
    const zeros = new Uint8Array(10_000);
    const bytes = Buffer.concat([stream(), zeros, stream(), zeros]);
    await expectIndexed(xz, bytes, twice, 30_000, 2);
    await expectCorrupt(Buffer.concat([stream(), zeros.subarray(0, 6)]));
  });

  check("are the whole file", async () => {
    await expectCorrupt(Buffer.concat([stream(), Buffer.from("not xz")]));
    await expectCorrupt(Buffer.concat([Buffer.from("no xz at all"), stream()]));
    await expectCorrupt(new Uint8Array(5000));
  });

  check("without blocks are nothing", async () => {
    const empty = compressed(tool("xz", "-0c"), new Uint8Array());
    await expectIndexed(xz, Buffer.concat([empty, stream(), empty]), content, 30_000, 2);
  });

  check("of one large block are refused", async () => {
    const command = "head -c 300000000 /dev/zero | xz -0c -T1";
    const { stdout } = Bun.spawnSync(["sh", "-c", command]);
    const error = await indexed(xz, memorySource(stdout), 2 ** 22).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(ImageBackupError);
    expect(error.code).toBe("UNSUPPORTED");
    expect(error.message).toContain("287 MiB of it are compressed as one");
  });
});

async function expectCorrupt(bytes: Uint8Array): Promise<void> {
  const pass = indexed(xz, memorySource(bytes), 30_000);
  await expect(pass).rejects.toMatchObject({ code: "CORRUPT" });
}
