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
  /** Entries that GPT has room for; `null`: as many as usual. */
  readonly slots: number | null;
  readonly entries: readonly PartitionEntry[];
}

/** Bytes of a sector, on any disk. */
export const SECTOR_SIZES: ReadonlySet<number> = new Set([512, 1024, 2048, 4096]);

/** An MBR's types of partitions that hold others. */
const EXTENDED = new Set(["5", "f", "85"]);

export const isExtended = ({ type }: PartitionEntry): boolean =>
  EXTENDED.has(type.toLowerCase().replace(/^0/, ""));

/** What stands in an MBR for a GPT. */
export const isProtective = ({ type }: PartitionEntry): boolean => type.toLowerCase() === "ee";

/** The names that sfdisk gives bits of GPT's attributes. */
const ATTRIBUTES: Readonly<Record<string, bigint>> = {
  RequiredPartition: 0n,
  NoBlockIOProtocol: 1n,
  LegacyBIOSBootable: 2n,
};
/** As many as there are. */
const BITS = 64n;

/**
 * Reads what `sfdisk --dump` prints, of today's and of old versions; `device`: as the dump calls the
 * disk. Entries without sectors are left out. `usual`: bytes of a sector, which old versions do not
 * tell.
 */
export function parseSfdiskDump(
  text: string,
  usual: number,
): (PartitionTable & { device: string | null }) | null {
  const field = (key: string) => new RegExp(`^${key}: *(.*)$`, "m").exec(text)?.[1]?.trim();
  const lines = [...text.matchAll(/^(\/\S+) *: *(start=.*)$/gm)];
  const [first] = lines;
  if (!first && field("label") === undefined) return null;
  const device = field("device") ?? (first?.[1] ?? "").replace(/p?\d+$/, "");
  const sectorSize = Number(field("sector-size") ?? usual);
  const [firstLba, lastLba] = [Number(field("first-lba")), Number(field("last-lba"))];
  return {
    device: device === "" ? null : deviceName(device),
    label: field("label") === "gpt" ? "gpt" : "dos",
    id: field("label-id") ?? null,
    sectorSize,
    usable: lastLba > 0 ? { first: firstLba, last: lastLba } : null,
    slots: Number(field("table-length")) || null,
    entries: lines
      .map(([, path = "", fields = ""]) => entryOf(path, fields))
      .filter(({ number, sectors }) => number > 0 && sectors > 0),
  };
}

function entryOf(path: string, text: string): PartitionEntry {
  // From left to right, as a quoted name may look like other fields.
  const found = text.matchAll(/(\w+)= *(?:"([^"]*)"|([^,]*))/g);
  const fields = new Map(
    [...found].map(([, key = "", quoted, plain]) => [key, quoted ?? plain?.trim() ?? ""]),
  );
  return {
    number: Number(/(\d+)$/.exec(path)?.[1] ?? 0),
    start: Number(fields.get("start") ?? 0),
    sectors: Number(fields.get("size") ?? 0),
    type: fields.get("type") ?? fields.get("Id") ?? "0",
    isBootable: /(?:^|, *)bootable/.test(text.replaceAll(/"[^"]*"/g, "")),
    uuid: fields.get("uuid") ?? null,
    name: unescaped(fields.get("name") ?? ""),
    attributes: attributesOf(fields.get("attrs") ?? ""),
  };
}

/** `\x22` for a byte that sfdisk does not print, in any locale but UTF-8's also `\xc3\xa9`. */
function unescaped(text: string): string {
  const bytes = Buffer.from(text).toString("latin1");
  const plain = bytes.replace(/\\x([0-9a-f]{2})/gi, (_, hex) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(plain, "latin1").toString("utf8");
}

/** `RequiredPartition LegacyBIOSBootable GUID:60,63` */
function attributesOf(text: string): bigint {
  const words = text.split(/[\s,]+/).map((word) => word.replace(/^GUID:/, ""));
  const bits = words.flatMap(
    (word) => ATTRIBUTES[word] ?? (/^\d{1,2}$/.test(word) ? BigInt(word) : []),
  );
  return bits.filter((bit) => bit < BITS).reduce((sum, bit) => sum | (1n << bit), 0n);
}
