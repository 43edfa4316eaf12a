import { deviceName } from "./metadata.ts";

/** One line of a partition table. */
export interface PartitionEntry {
  readonly number: number;
  /** Sectors from the disk's beginning. */
  readonly start: number;
  readonly sectors: number;
  /** A GUID, or the byte of an MBR in hexadecimal digits. */
  readonly type: string;
  readonly isBootable: boolean;
  readonly uuid: string | null;
  readonly name: string;
  /** GPT's attribute bits. */
  readonly attributes: bigint;
}

export interface PartitionTable {
  readonly label: "gpt" | "dos";
  /** The disk's GUID, or an MBR's 32-bit number as `0x633f7027`. */
  readonly id: string | null;
  readonly sectorSize: number;
  /** The first and last sectors that partitions may take; only GPT says. */
  readonly usable: { readonly first: number; readonly last: number } | null;
  readonly entries: readonly PartitionEntry[];
}

/** An MBR's types of partitions that hold others. */
const EXTENDED = new Set(["5", "f", "85"]);

export const isExtended = ({ type }: PartitionEntry): boolean =>
  EXTENDED.has(type.toLowerCase().replace(/^0/, ""));

/** The names that sfdisk gives bits of GPT's attributes. */
const ATTRIBUTES: Readonly<Record<string, bigint>> = {
  RequiredPartition: 0n,
  NoBlockIOProtocol: 1n,
  LegacyBIOSBootable: 2n,
};

/**
 * Reads what `sfdisk --dump` prints, of today's and of old versions; `device`: as the dump calls the
 * disk. Entries without sectors are left out.
 */
export function parseSfdiskDump(text: string): (PartitionTable & { device: string | null }) | null {
  const field = (key: string) => new RegExp(`^${key}: *(.*)$`, "m").exec(text)?.[1]?.trim();
  const lines = [...text.matchAll(/^(\/\S+) *: *(start=.*)$/gm)];
  const [first] = lines;
  if (!first && field("label") === undefined) return null;
  const device = field("device") ?? (first?.[1] ?? "").replace(/p?\d+$/, "");
  const sectorSize = Number(field("sector-size") ?? 512);
  const [firstLba, lastLba] = [Number(field("first-lba")), Number(field("last-lba"))];
  return {
    device: device === "" ? null : deviceName(device),
    label: field("label") === "gpt" ? "gpt" : "dos",
    id: field("label-id") ?? null,
    sectorSize,
    usable: lastLba > 0 ? { first: firstLba, last: lastLba } : null,
    entries: lines
      .map(([, path = "", fields = ""]) => entryOf(path, fields))
      .filter(({ sectors }) => sectors > 0),
  };
}

function entryOf(path: string, fields: string): PartitionEntry {
  const field = (key: string) =>
    new RegExp(`(?:^|, *)${key}= *(?:"([^"]*)"|([^,]*))`, "i").exec(fields)?.slice(1, 3);
  const text = (key: string) => {
    const [quoted, plain] = field(key) ?? [];
    return quoted ?? plain?.trim() ?? null;
  };
  return {
    number: Number(/(\d+)$/.exec(path)?.[1] ?? 0),
    start: Number(text("start") ?? 0),
    sectors: Number(text("size") ?? 0),
    type: text("type") ?? text("Id") ?? "0",
    isBootable: /(?:^|, *)bootable/.test(fields),
    uuid: text("uuid"),
    name: text("name") ?? "",
    attributes: attributesOf(text("attrs") ?? ""),
  };
}

/** `RequiredPartition LegacyBIOSBootable GUID:60,63` */
function attributesOf(text: string): bigint {
  const bits = text
    .split(/[\s,]+/)
    .map((word) => word.replace(/^GUID:/, ""))
    .map((word) => ATTRIBUTES[word] ?? (/^\d+$/.test(word) ? BigInt(word) : null));
  return bits.reduce<bigint>((sum, bit) => (bit === null ? sum : sum | (1n << bit)), 0n);
}
