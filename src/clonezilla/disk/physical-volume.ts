import { crc32Update } from "../../bytes/crc32.ts";
import type { PhysicalVolume } from "./volume-group.ts";

/** LVM's CRC-32 begins with this. */
const CRC_START = 0xf597a6cf;
const SECTOR = 512;

/** The label is in the second sector. */
const LABEL = { at: SECTOR, crcFrom: 20, header: 32 } as const;
const LABEL_MAGIC = "LABELONE";
const LABEL_TYPE = "LVM2 001";
const EXTENSION = { version: 2, flags: 1 } as const;

/** The area with the group's text begins here, with a header of one sector. */
const AREA = 4096;
const AREA_MAGIC = " LVM2 x[5A%r0N*>";
const AREA_VERSION = 1;

/** Everything before the first extent; `null`: there is no room for the text. */
export function physicalVolumeHead(volume: PhysicalVolume): Buffer | null {
  const { dataStart, text } = volume;
  const written = Buffer.concat([Buffer.from(text), Buffer.alloc(1)]);
  if (AREA + SECTOR + written.length > dataStart) return null;
  const head = Buffer.alloc(AREA + SECTOR + written.length);
  writeLabel(head.subarray(LABEL.at, LABEL.at + SECTOR), volume);
  writeAreaHeader(head.subarray(AREA, AREA + SECTOR), dataStart - AREA, written);
  written.copy(head, AREA + SECTOR);
  return head;
}

function writeLabel(sector: Buffer, { uuid, size, dataStart }: PhysicalVolume): void {
  sector.write(LABEL_MAGIC, 0, "latin1");
  sector.writeBigUInt64LE(BigInt(LABEL.at / SECTOR), 8);
  sector.writeUInt32LE(LABEL.header, 20);
  sector.write(LABEL_TYPE, 24, "latin1");
  sector.write(uuid.replaceAll("-", "").slice(0, 32), LABEL.header, "latin1");
  const numbers = [size, dataStart, 0, 0, 0, AREA, dataStart - AREA, 0, 0];
  const at = LABEL.header + 32;
  for (const [index, value] of numbers.entries()) {
    sector.writeBigUInt64LE(BigInt(value), at + 8 * index);
  }
  const extension = at + 8 * numbers.length;
  sector.writeUInt32LE(EXTENSION.version, extension);
  sector.writeUInt32LE(EXTENSION.flags, extension + 4);
  sector.writeUInt32LE(crc32Update(CRC_START, sector.subarray(LABEL.crcFrom)), 16);
}

function writeAreaHeader(sector: Buffer, size: number, text: Buffer): void {
  sector.write(AREA_MAGIC, 4, "latin1");
  sector.writeUInt32LE(AREA_VERSION, 20);
  sector.writeBigUInt64LE(BigInt(AREA), 24);
  sector.writeBigUInt64LE(BigInt(size), 32);
  sector.writeBigUInt64LE(BigInt(SECTOR), 40);
  sector.writeBigUInt64LE(BigInt(text.length), 48);
  sector.writeUInt32LE(crc32Update(CRC_START, text), 56);
  sector.writeUInt32LE(crc32Update(CRC_START, sector.subarray(4)), 0);
}
