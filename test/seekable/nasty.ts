import fc from "fast-check";

/** What is hard for one codec or another: see the kinds below. */
export interface Stretch {
  readonly kind: "noise" | "zeros" | "period" | "words" | "counter" | "again" | "sparse";
  readonly length: number;
  readonly seed: number;
}

const stretch = fc.record<Stretch>({
  kind: fc.constantFrom("noise", "zeros", "period", "words", "counter", "again", "sparse"),
  length: fc.oneof(fc.nat(20), fc.nat(5_000), fc.nat(150_000)),
  seed: fc.nat(2 ** 30),
});

export const nasty = fc.array(stretch, { maxLength: 12 });

/** Numbers that look random, the same for the same seed. */
function random(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state = Math.imul(state, 1664525) + 1013904223;
    return (state >>> 8) & 0xffff;
  };
}

export function fill(stretches: readonly Stretch[]): Uint8Array {
  const content = new Uint8Array(stretches.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const each of stretches) {
    const into = content.subarray(at, at + each.length);
    fillStretch(into, each, content.subarray(0, at));
    at += each.length;
  }
  return content;
}

const words = ["inode", " the ", "\n", "0x", "block group", "}\n", "directory", "="].map(
  Buffer.from,
);

function fillStretch(into: Uint8Array, { kind, seed }: Stretch, before: Uint8Array): void {
  const next = random(seed);
  const period = 1 + (seed % 300);
  if (kind === "words") {
    for (let at = 0; at < into.length; ) {
      const word = (words[next() % words.length] as Buffer).subarray(0, into.length - at);
      into.set(word, at);
      at += word.length;
    }
    return;
  }
  const from = before.length === 0 ? 0 : seed % before.length;
  for (let at = 0; at < into.length; at++) {
    if (kind === "noise") into[at] = next();
    else if (kind === "period") into[at] = at < period ? next() : (into[at - period] as number);
    // One offset, one length: tables of a single symbol.
    else if (kind === "counter") into[at] = at % 8 === 0 ? next() : at % 8;
    else if (kind === "again") into[at] = before[from + at] ?? 7;
    else if (kind === "sparse" && next() % 500 === 0) into[at] = next();
  }
}
