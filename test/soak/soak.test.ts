import { expect } from "bun:test";
import { NEEDS, TIMEOUT } from "../faults/command.ts";
import { testWith } from "../require.ts";
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
