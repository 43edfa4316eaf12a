import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { manualPage, pagePath, topics } from "../../man/generate.ts";
import { testWith } from "../require.ts";

test.each(topics)(
  "the manual page of $name is what the option table says (bun run man)",
  (topic) => {
    expect(readFileSync(pagePath(topic), "utf8")).toBe(manualPage(topic));
  },
);

testWith(["man"], "man renders the pages without a complaint", () => {
  for (const topic of topics) {
    const { stderr, stdout, exitCode } = Bun.spawnSync(
      ["man", "--warnings", "-l", pagePath(topic)],
      {
        env: { ...process.env, MANWIDTH: "100" },
      },
    );
    expect(stderr.toString()).toBe("");
    expect(exitCode).toBe(0);
    expect(stdout.toString()).toContain("EXIT STATUS");
  }
});
