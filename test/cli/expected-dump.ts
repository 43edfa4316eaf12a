import { presenceOf } from "../../fixtures-gen/bitmap.ts";
import type {
  Fixture,
  NtfscloneParams,
  PartcloneV1Params,
  PartcloneV2Params,
} from "../../fixtures-gen/fixture.ts";
import { GAP, GAP_SIZE, OLD_HEADER_SIZE } from "../../fixtures-gen/ntfsclone.ts";
import { BITMAGIC, V1_HEADER_SIZE } from "../../fixtures-gen/partclone-v1.ts";
import { V2_HEADER, V2_HEADER_SIZE } from "../../fixtures-gen/partclone-v2.ts";

/** The dump of an image as the fixture's parameters have it: its fields in the model's order. */
export type ExpectedDump = Readonly<Record<string, string | number | boolean>>;

const INDEX_SIZE = 1024;
const BIT_MODES = { none: "NONE", bits: "BIT", bytes: "BYTE" } as const;
const CHECKSUM_SIZES = { none: 0, crc32: 4, xxh64: 8, xxh128: 16 } as const;

export function expectedDump(fixture: Fixture): ExpectedDump {
  const { params } = fixture;
  switch (params.format) {
    case "partclone-v1":
      return v1Dump(fixture, params);
    case "partclone-v2":
      return v2Dump(fixture, params);
    case "ntfsclone":
      return ntfscloneDump(fixture, params);
  }
}

const instances = (blocks: number): number => Math.floor(Math.ceil(blocks / 32) / 32) + 1;

const sum = (values: Iterable<number>): number =>
  [...values].reduce((total, each) => total + each, 0);

function v1Dump(fixture: Fixture, params: PartcloneV1Params): ExpectedDump {
  const used = fixture.stored.length;
  const bitmap = fixture.blockCount;
  return {
    "fs type": params.fsType,
    "fs total size": fixture.deviceSize,
    "fs total blocks": fixture.blockCount,
    "fs used blocks": Math.max(0, used + params.usedError),
    fs_used_bitmap: used,
    "fs block size": fixture.blockSize,
    "image version": 1,
    "checksum mode": "CRC32",
    "checksum size": used === 0 ? 4 : params.checksumSize,
    "checksum blocks": 1,
    "checksum reseed": false,
    "bitmap mode": "BYTE",
    bitmap,
    blocks_section: V1_HEADER_SIZE + bitmap + BITMAGIC.length,
    block_offset_size: INDEX_SIZE,
    block_offsets: instances(fixture.blockCount),
    "byte order": "little-endian",
  };
}

function v2Dump(fixture: Fixture, params: PartcloneV2Params): ExpectedDump {
  const { blockCount, blockSize, deviceSize } = fixture;
  const { bitmapMode, checksumMode, byteOrder } = params;
  const isLittle = byteOrder === "little";
  const used = bitmapMode === "none" ? blockCount : sum(presenceOf(params.runs));
  const view = new DataView(fixture.image.buffer);
  const crcAt = (at: number) => `0x${view.getUint32(at, isLittle).toString(16).padStart(8, "0")}`;
  const bitmap = { none: 0, bits: Math.ceil(blockCount / 8), bytes: blockCount }[bitmapMode];
  const ending = { none: 0, bits: 4, bytes: BITMAGIC.length }[bitmapMode];
  const isLaidOut = !fixture.breaks.includes("PC2-BIG-ENDIAN-TAIL");
  return {
    "partclone version": "0.3.23",
    "fs type": params.fsType,
    "fs total size": deviceSize,
    "fs total blocks": blockCount,
    "fs used blocks": Math.max(0, used + params.usedSuperblockError),
    fs_used_bitmap: Math.max(0, used + params.usedBitmapError),
    "fs block size": blockSize,
    "image version": 2,
    "cpu bits": params.cpuBits,
    "checksum mode": checksumMode.toUpperCase(),
    "checksum size": CHECKSUM_SIZES[checksumMode],
    "checksum blocks": params.blocksPerChecksum,
    "checksum reseed": params.reseed,
    "bitmap mode": BIT_MODES[bitmapMode],
    header_crc32: crcAt(V2_HEADER.crc[0]),
    ...(isLaidOut && {
      bitmap,
      ...(bitmapMode === "bits" && { bitmap_crc32: crcAt(V2_HEADER_SIZE + bitmap) }),
      blocks_section: V2_HEADER_SIZE + bitmap + ending,
      block_offset_size: bitmapMode === "none" ? 0 : INDEX_SIZE,
      block_offsets: bitmapMode === "none" ? 0 : instances(blockCount),
    }),
    "byte order": isLittle ? "little-endian" : "big-endian",
  };
}

function ntfscloneDump(fixture: Fixture, params: NtfscloneParams): ExpectedDump {
  const { clusters, byteOrder } = params;
  const dataOffset = params.major < 10 ? OLD_HEADER_SIZE : params.dataOffset;
  const gaps = gapsOf(fixture, dataOffset);
  return {
    major_ver: params.major,
    minor_ver: params.minor,
    cluster_size: params.clusterSize,
    device_size: fixture.deviceSize,
    nr_clusters: clusters,
    inuse: sum(fixture.present) + params.inUseError,
    offset_to_image_data: dataOffset,
    "stored clusters": fixture.stored.filter(({ block }) => block < clusters).length,
    gaps,
    "metadata image": params.visits[0]?.position !== 0 || turnsBack(fixture),
    "backup boot sector": fixture.stored.some(({ block }) => block === clusters),
    "byte order": `${byteOrder}-endian`,
  };
}

const turnsBack = ({ stored }: Fixture): boolean =>
  stored.some(({ block }, index) => block < (stored[index - 1]?.block ?? 0));

/** Counted by following the commands as the spec has them. */
function gapsOf({ image, stored }: Fixture, dataOffset: number): number {
  const lengths = new Map(stored.map(({ imageOffset, length }) => [imageOffset, length]));
  let gaps = 0;
  for (let at = dataOffset; at < image.length; ) {
    const isGap = image[at] === GAP;
    if (isGap) gaps++;
    at += isGap ? GAP_SIZE : 1 + (lengths.get(at + 1) ?? 0);
  }
  return gaps;
}
