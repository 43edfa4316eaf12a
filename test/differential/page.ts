import type { Comparison, Difference } from "./compare.ts";
import { type Explanation, explanationOf, explanations } from "./explanations.ts";

const grouped = (value: number) => value.toLocaleString("en-US");

/** The differences by what explains them; `null` holds those that nothing explains. */
export function byExplanation(comparison: Comparison): Map<Explanation | null, Difference[]> {
  const groups = new Map<Explanation | null, Difference[]>();
  for (const difference of comparison.differences) {
    const explanation = explanationOf(difference);
    groups.set(explanation, [...(groups.get(explanation) ?? []), difference]);
  }
  return groups;
}

/** spec/differences.md, from a run. */
export function differencesPage(comparison: Comparison, seed: number): string {
  const { images, answers, differences } = comparison;
  const groups = byExplanation(comparison);
  const sections = explanations.map((explanation) => {
    const own = groups.get(explanation) ?? [];
    const names = [...new Set(own.map(({ case: each }) => each.name))].slice(0, 3);
    const seen = own.length === 0 ? "not met in this run" : `${grouped(own.length)} times`;
    const examples = names.length === 0 ? [] : [`- for example: ${names.join(", ")}`];
    const { title, right, why } = explanation;
    return [`## ${title}`, `- met: ${seen}`, `- who is right: ${right}`, ...examples, "", why, ""];
  });
  return [
    "# Where we and the real tools disagree",
    "",
    `Whether an image can be read was asked of ${grouped(images)} images: every example and every break of fixtures-gen, damaged last strips, and mutants of generated images (sound ones, flipped bits, header fields and maps with other values under right checksums, missing ends, bytes behind the end, damaged data). partclone images went to partclone.chkimg and partclone.restore 0.3.23, ntfsclone images to \`ntfsclone --restore-image\` 2022.10.3; where both sides read an image, the partitions were compared byte by byte. *We read it* means: it opens, nothing of it is missing, and every checksum is right.`,
    "",
    `Of ${grouped(answers)} answers ${grouped(answers - differences.length)} agree with ours and ${grouped(differences.length)} differ, each in one of the ways below. This page is written by \`bun run spec:differences --count ${images} --seed ${seed} --write\`, which fails if a difference has no explanation; the test suite does the same with fewer images.`,
    "",
    ...sections.flat(),
  ]
    .join("\n")
    .trimEnd()
    .concat("\n");
}
