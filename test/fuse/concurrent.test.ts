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

/** Reads the block past the page cache, and does nothing about signals. */
const plainReader = (file: string) => [
  ...[process.execPath, "-e"],
  `const fs = require("node:fs");
   const fd = fs.openSync(${JSON.stringify(file)}, fs.constants.O_RDONLY | fs.constants.O_DIRECT);
   fs.readSync(fd, Buffer.alloc(4096), 0, 4096, ${SLOW});`,
];

const START_MS = 700;

testWith(
  mountNeeds(ROOT),
  "FUS-KILLED accepts that a client is killed: it ends, and everything else goes on",
  async () => {
    const slowMs = 5000;
    const slow: Pattern["slow"] = [SLOW, SLOW + 4096];
    const pattern: Pattern = { name: "sda1", size: SIZE, holes: [], slow, slowMs };
    await using server = startServer(ROOT, { pattern, concurrent: true, debug: true });
    await server.said("ready");
    const began = performance.now();
    const clients = [
      { cmd: readBlock(server.file, SLOW / 4096), signal: "SIGKILL" },
      { cmd: plainReader(server.file), signal: "SIGKILL" },
      { cmd: plainReader(server.file), signal: "SIGINT" },
      { cmd: ["cat", server.file], signal: "SIGINT" },
    ] as const;
    const children = clients.map(({ cmd }) =>
      Bun.spawn({ cmd: [...cmd], stdio: ["ignore", "ignore", "inherit"] }),
    );
    await Bun.sleep(START_MS);
    const killed = performance.now();
    children.forEach((child, index) => {
      child.kill(clients[index]?.signal);
    });
    await Promise.all(children.map(({ exited }) => exited));
    expect(performance.now() - killed).toBeLessThan(1000);
    expect(children.map(({ signalCode }) => String(signalCode))).toEqual(
      clients.map(({ signal }) => signal),
    );
    const { out } = run(ROOT, ...readBlock(server.file, 3));
    expect(Buffer.compare(out, patternBytes(pattern, 3 * 4096, 4096))).toBe(0);
    // The late outcomes of all have come.
    await Bun.sleep(Math.max(0, began + START_MS + slowMs - performance.now()));
    expect(server.all("log")).toEqual([]);
    const ended = server.all("debug").filter((line) => line.endsWith("-> EINTR"));
    expect(ended.length).toBe(3);
    expect(run(ROOT, "umount", server.mountPoint).code).toBe(0);
    expect(await server.exit()).toBe(0);
  },
  TIMEOUT,
);

testWith(
  mountNeeds(ROOT),
  "FUS-KILLED rejects ending the wait of who gets other signals",
  async () => {
    const pattern: Pattern = { name: "sda1", size: SIZE, holes: [], slow: [SLOW, SLOW + 4096] };
    await using server = startServer(ROOT, { pattern, concurrent: true, debug: true });
    await server.said("ready");
    // dd says how far it is, and goes on.
    const cmd = readBlock(server.file, SLOW / 4096);
    const client = Bun.spawn({ cmd, stdio: ["ignore", "pipe", "ignore"] });
    await Bun.sleep(START_MS);
    client.kill("SIGUSR1");
    const bytes = new Uint8Array(await new Response(client.stdout).arrayBuffer());
    expect(Buffer.compare(bytes, patternBytes(pattern, SLOW, 4096))).toBe(0);
    expect(server.all("debug").filter((line) => line.includes("EINTR"))).toEqual([]);
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
