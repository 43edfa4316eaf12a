import { append, type Break, copyOf, cutTo, flip, last, rebuild } from "./break.ts";
import type { Fixture, PartcloneV1Params } from "./fixture.ts";
import { V1_HEADER, V1_HEADER_SIZE } from "./partclone-v1.ts";
import { put, type Values } from "./struct.ts";

function withHeader(fixture: Fixture, values: Values<typeof V1_HEADER>): Uint8Array {
  const image = copyOf(fixture);
  put(image, V1_HEADER, values, "little");
  return image;
}

/** Where the word BiTmAgIc is. */
function bitmagicOffset(fixture: Fixture): number {
  return V1_HEADER_SIZE + fixture.blockCount;
}

export const v1Breaks: Readonly<Record<string, Break>> = {
  "PC1-MAGIC": {
    base: "v1-plain",
    apply: (fixture) => withHeader(fixture, { magic: "partclone-imagf" }),
  },
  "PC1-VERSION": {
    base: "v1-plain",
    apply: (fixture) => withHeader(fixture, { version: "0003" }),
  },
  "PC1-HEADER-COMPLETE": {
    base: "v1-plain",
    apply: (fixture) => cutTo(fixture, V1_HEADER_SIZE - 160),
  },
  "PC1-BLOCK-SIZE": {
    // No block is stored, so nothing but the size itself is wrong.
    base: "v1-empty",
    apply: (fixture) => withHeader(fixture, { blockSize: 0 }),
  },
  "PC1-DEVICE-SIZE": {
    base: "v1-plain",
    apply: (fixture) => withHeader(fixture, { deviceSize: fixture.deviceSize - fixture.blockSize }),
  },
  "PC1-RANGE": {
    base: "v1-plain",
    apply: (fixture) => withHeader(fixture, { deviceSize: 2n ** 53n }),
  },
  "PC1-USED-COUNT": {
    base: "v1-plain",
    apply: (fixture) => withHeader(fixture, { usedBlocks: fixture.stored.length + 1 }),
  },
  "PC1-BYTE-MAP-COMPLETE": {
    base: "v1-plain",
    apply: (fixture) => cutTo(fixture, V1_HEADER_SIZE + 10),
  },
  "PC1-BYTE-MAP-VALUES": {
    base: "v1-plain",
    apply: (fixture) => {
      const image = copyOf(fixture);
      image[V1_HEADER_SIZE + fixture.present.indexOf(0)] = 2;
      return image;
    },
  },
  "PC1-BITMAGIC": {
    base: "v1-plain",
    apply: (fixture) => flip(fixture, bitmagicOffset(fixture)),
  },
  "PC1-CHECKSUM": {
    // The stored value of the last block: the running value takes no part in the file's other ones.
    base: "v1-plain",
    apply: (fixture) => flip(fixture, last(fixture.strips).checksumOffset),
  },
  "PC1-CHECKSUM-WIDTH": {
    base: "v1-plain",
    apply: (fixture) => rebuild<PartcloneV1Params>(fixture, { checksumSize: 8 }),
  },
  "PC1-DATA-COMPLETE": {
    base: "v1-plain",
    apply: (fixture) => cutTo(fixture, fixture.image.length - 100),
  },
  "PC1-DATA-END": {
    base: "v1-plain",
    apply: (fixture) => append(fixture, 0, 0, 0),
  },
};
