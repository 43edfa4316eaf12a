import { describe, expect } from "bun:test";
import { NEEDS, TIMEOUT } from "../faults/command.ts";
import { testWith } from "../require.ts";
import { type Pipeline, pipelines, realImage } from "./real-image.ts";
import { MEMORY_LIMIT, soak, soakImage } from "./soak.ts";

/** The long run is `bun run soak`. */
const SECONDS = 1.5;

for (const verify of [false, true]) {
  testWith(
    NEEDS,
    `64 readers of random ranges${verify ? " with --verify" : ""}: every byte right, memory below 300 MB`,
    async () => {
      using made = soakImage(16);
      const result = await soak(made, { readers: 64, seed: 3, seconds: SECONDS, verify });
      expect([result.wrong, result.requests > 64]).toEqual([0, true]);
      expect(result.rss.most).toBeLessThan(MEMORY_LIMIT);
      expect(result.cgroupPeak ?? 0).toBeLessThanOrEqual(MEMORY_LIMIT);
      expect(result.descriptors.late).toBeLessThanOrEqual(result.descriptors.early);
    },
    TIMEOUT,
  );
}

describe("a real image of files, compressed", () => {
  const TOOLS = ["mkfs.ext4", "partclone.ext4", "partclone.restore", "tar"];
  /** Several segments of each codec; the long run is `bun run soak:compressed`. */
  const MEBIBYTES = 64;
  const PIECE = 5_000_000;

  for (const by of Object.keys(pipelines) as Pipeline[]) {
    const [tool = ""] = pipelines[by][0].split(" ");
    testWith(
      [...NEEDS, ...TOOLS, tool],
      `${by}, in pieces: random reads are those of what partclone.restore makes`,
      async () => {
        using made = realImage(MEBIBYTES, "/usr/share");
        const image = made.compressed(by, PIECE);
        const load = { readers: 8, seed: 4, seconds: SECONDS, verify: false };
        const { wrong, requests } = await soak({ image, truth: made.truth }, load);
        expect([wrong, requests > 8]).toEqual([0, true]);
      },
      TIMEOUT,
    );
  }
});
