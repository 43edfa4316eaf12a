import { expect } from "bun:test";
import { testWith } from "../require.ts";
import { mountNeeds, ROOT, run, startServer } from "./harness.ts";
import { type Pattern, patternBytes } from "./pattern.ts";

const SIZE = 2 ** 22;
const SLOW = 2 ** 21;
const TIMEOUT = 60_000;

/** Reads one block without the page cache, which would read on into what is slow. */
const readBlock = (file: string, block: number) => [
  ...["dd", `if=${file}`, "iflag=direct", "bs=4096", "count=1", "status=none"],
  `skip=${block}`,
];

testWith(
  mountNeeds(ROOT),
  "FUS-CONCURRENT accepts requests while others wait",
  async () => {
    const pattern: Pattern = { name: "sda1", size: SIZE, holes: [], slow: [SLOW, SLOW + 4096] };
    await using server = startServer(ROOT, { pattern, concurrent: true, debug: true });
    await server.said("ready");
    const slow = Array.from({ length: 8 }, () => {
      const cmd = readBlock(server.file, SLOW / 4096);
      return Bun.spawn({ cmd, stdio: ["ignore", "pipe", "inherit"] });
    });
    await Bun.sleep(100);
    const { code, out } = run(ROOT, ...readBlock(server.file, 3));
    expect(code).toBe(0);
    expect(Buffer.compare(out, patternBytes(pattern, 3 * 4096, 4096))).toBe(0);
    expect(slow.map(({ exitCode }) => exitCode)).toEqual(slow.map(() => null));
    for (const client of slow) {
      const bytes = new Uint8Array(await new Response(client.stdout).arrayBuffer());
      expect(Buffer.compare(bytes, patternBytes(pattern, SLOW, 4096))).toBe(0);
    }
    expect(run(ROOT, "umount", server.mountPoint).code).toBe(0);
    expect(await server.exit()).toBe(0);
  },
  TIMEOUT,
);

testWith(
  mountNeeds(ROOT),
  "FUS-CONCURRENT rejects nothing else: errors, holes, names as ever",
  async () => {
    const pattern: Pattern = { name: "sda1", size: SIZE, holes: [[65536, 131072]], broken: [0, 1] };
    await using server = startServer(ROOT, { pattern, concurrent: true });
    await server.said("ready");
    expect(run(ROOT, ...readBlock(server.file, 0)).err).toContain("Input/output error");
    expect(await server.said("log")).toBe("sda1: input/output error: a checksum at 0 differs");
    const { out } = run(ROOT, ...readBlock(server.file, 17));
    expect(Buffer.compare(out, patternBytes(pattern, 17 * 4096, 4096))).toBe(0);
    expect(run(ROOT, "ls", server.mountPoint).out.toString()).toBe("sda1\n");
    expect(run(ROOT, "umount", server.mountPoint).code).toBe(0);
    expect(await server.exit()).toBe(0);
  },
  TIMEOUT,
);
