import { expect, test } from "bun:test";
import fc from "fast-check";
import { ntfscloneImage, partcloneV1, partcloneV2 } from "../../fixtures-gen/arbitraries.ts";
import { describe as describeNtfsclone } from "../../src/ntfsclone/description.ts";
import { describe as describePartclone } from "../../src/partclone/description.ts";
import { checksumModes } from "../../src/partclone/layouts.ts";
import { SourceStream } from "../../src/source/stream.ts";
import { memorySource } from "../memory-source.ts";
import { numRuns, propertyTimeout } from "./runs.ts";

const streamOf = (bytes: Uint8Array) => new SourceStream(memorySource(bytes));

test(
  "the header of format 0001 decodes to what was encoded",
  async () => {
    const property = fc.asyncProperty(partcloneV1(), async ({ image, params, ...fixture }) => {
      const { header, layout } = await describePartclone(streamOf(image));
      expect(header).toMatchObject({
        generation: 1,
        magic: "partclone-image",
        version: "0001",
        fsType: params.fsType,
        blockSize: params.blockSize,
        deviceSize: BigInt(fixture.deviceSize),
        totalBlocks: BigInt(fixture.blockCount),
      });
      expect(layout?.geometry).toMatchObject({
        usedBlocks: fixture.stored.length,
        checksumSize: fixture.stored.length > 0 ? params.checksumSize : 4,
        dataEnd: image.length,
      });
    });
    await fc.assert(property, { numRuns });
  },
  propertyTimeout,
);

test(
  "the header of format 0002 decodes to what was encoded, in either byte order",
  async () => {
    const property = fc.asyncProperty(partcloneV2(), async ({ image, params, ...fixture }) => {
      const { header } = await describePartclone(streamOf(image));
      const mode = Object.values(checksumModes).find(
        ({ name }) => name.toLowerCase() === params.checksumMode,
      );
      expect(header).toMatchObject({
        generation: 2,
        version: "0002",
        fsType: params.fsType,
        littleEndian: params.byteOrder === "little",
        deviceSize: BigInt(fixture.deviceSize),
        totalBlocks: BigInt(fixture.blockCount),
        blockSize: params.blockSize,
        featureSize: 18,
        imageVersion: 2,
        cpuBits: params.cpuBits,
        checksumSize: mode?.size,
        blocksPerChecksum: params.checksumMode === "none" ? 0 : params.blocksPerChecksum,
        reseed: params.reseed ? 1 : 0,
      });
      if (header.generation === 2) expect(header.headerCrc).toBe(header.computedCrc);
    });
    await fc.assert(property, { numRuns });
  },
  propertyTimeout,
);

test(
  "the header of ntfsclone decodes to what was encoded, in either byte order",
  async () => {
    const property = fc.asyncProperty(ntfscloneImage(), async ({ image, params, ...fixture }) => {
      const { header } = await describeNtfsclone(streamOf(image));
      expect(header).toMatchObject({
        majorVersion: params.major,
        minorVersion: params.minor,
        clusterSize: params.clusterSize,
        deviceSize: BigInt(fixture.deviceSize),
        clusterCount: BigInt(params.clusters),
        dataOffset: params.major < 10 ? 46 : params.dataOffset,
      });
    });
    await fc.assert(property, { numRuns });
  },
  propertyTimeout,
);
