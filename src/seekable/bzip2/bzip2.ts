import { type Bzip2Place, bzip2Pieces } from "../../source/codecs/bzip2.ts";
import type { SeekableCodec } from "../codec.ts";
import { type Follow, followAll, followSegment, type Step } from "../pass.ts";
import { numbers, numbersOf } from "../pieces.ts";

/** bzip2 streams: between any two blocks, which know nothing of each other. */
export const bzip2: SeekableCodec = {
  name: "bzip2",
  version: 1,
  // Of a block of the usual 900,000 bytes each is a segment: it takes 35 ms.
  spacing: 2 ** 19,
  build: (compressed, options) => followAll(compressed, "bzip2", follow, options),
  readSegment: (compressed, segment, needed) =>
    followSegment(compressed, "bzip2", follow, segment, needed),
};

const follow: Follow = async function* (input, bit, state): AsyncGenerator<Step> {
  for await (const { bytes, place } of bzip2Pieces(
    input,
    state && { bit, ...decodeState(state) },
  )) {
    if (place === null) {
      yield { bytes, isChecked: true, place };
      continue;
    }
    const state = async () => numbers(place.level, place.crc);
    yield { bytes, isChecked: true, place: { inOffset: input.position, inBit: place.bit, state } };
  }
};

function decodeState(state: Uint8Array): Omit<Bzip2Place, "bit"> {
  const [level = 9, crc = 0] = numbersOf(state);
  return { level, crc };
}
