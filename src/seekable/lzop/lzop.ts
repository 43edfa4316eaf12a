import { lzopBlocks } from "../../source/codecs/lzop.ts";
import type { SeekableCodec } from "../codec.ts";
import { type Follow, followAll, followSegment, type Step } from "../pass.ts";
import { numbers, numbersOf } from "../pieces.ts";

/** lzop files: between any two blocks, which know nothing of each other. */
export const lzop: SeekableCodec = {
  name: "lzop",
  version: 1,
  spacing: 4 * 2 ** 20,
  build: (compressed, options) => followAll(compressed, "lzop", follow, options),
  readSegment: (compressed, segment, needed) =>
    followSegment(compressed, "lzop", follow, segment, needed),
};

const follow: Follow = async function* (input, _, state): AsyncGenerator<Step> {
  const inside = state && (numbersOf(state)[0] ?? 0);
  for await (const { bytes, isChecked, flags } of lzopBlocks(input, inside)) {
    const place = { inOffset: input.position, inBit: 0, state: async () => numbers(flags) };
    yield { bytes, isChecked, place };
  }
};
