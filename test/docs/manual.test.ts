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

test("the synopsis tells of several images, and of options that need none", () => {
  const pageOf = (name: string) => topics.filter((topic) => topic.name === name).map(manualPage)[0];
  expect(pageOf("vconform")).toContain(".I IMAGE...\n.SH DESCRIPTION");
  expect(pageOf("vpartclone")).toContain(
    ".I IMAGE\n.br\n.B vpartclone\n\\-\\-mounts\n.br\n.B vpartclone\n\\-\\-unmount DIR\n.SH DESCRIPTION",
  );
});

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
