import { readText } from "../metadata.ts";
import { readSavedGroup, type SavedGroup } from "../saved-group.ts";
import { parseLvmConfig, type Section, type Value } from "./lvm-config.ts";

/** A part of a logical volume that is in one piece on a physical one, in bytes. */
export interface VolumePart {
  /** As its image's name begins: `vg-lv`, `d1p2.lv`. */
  readonly device: string;
  /** Of the whole logical volume. */
  readonly size: number;
  /** In the logical volume. */
  readonly from: number;
  /** In the physical volume. */
  readonly to: number;
  readonly length: number;
}

/** A partition that belongs to a volume group. */
export interface PhysicalVolume {
  readonly group: string;
  readonly uuid: string;
  /** Bytes, and where the first extent begins. */
  readonly size: number;
  readonly dataStart: number;
  /** What LVM itself keeps on each of the group's physical volumes. */
  readonly text: string;
  readonly parts: readonly VolumePart[];
}

const SECTOR = 512;

/**
 * What the folder has of the physical volume on a device: `null`: nothing; a text: why it cannot be
 * put together.
 */
export function readPhysicalVolume(folder: string, device: string): PhysicalVolume | string | null {
  const saved = readSavedGroup(folder, device);
  const text = saved && readText(folder, saved.file);
  if (!saved || text === null) return null;
  const { group, uuid, file, deviceOf } = saved;
  const section = sectionOf(parseLvmConfig(text)?.get(group));
  const volumes = [...(sectionOf(section?.get("physical_volumes")) ?? [])];
  const [name, value] = volumes.find(([, each]) => sectionOf(each)?.get("id") === uuid) ?? [];
  const own = sectionOf(value);
  const [extent, size, start] = [
    section?.get("extent_size"),
    own?.get("dev_size"),
    own?.get("pe_start"),
  ];
  if (!section || name === undefined || !isCount(extent) || !isCount(size) || !isCount(start)) {
    return `${file} does not tell of ${device}`;
  }
  const parts = partsOn(section, {
    deviceOf,
    name,
    extent: extent * SECTOR,
    start: start * SECTOR,
  });
  if (parts === null) {
    return `${device} has volumes of the group ${group} that are not linear: striped, thin, mirrored or the like`;
  }
  return {
    ...{ group, uuid, size: size * SECTOR, dataStart: start * SECTOR },
    ...{ text: asOnDisk(text, group), parts },
  };
}

interface On extends Pick<SavedGroup, "deviceOf"> {
  /** The physical volume's name in the text: `pv0`. */
  readonly name: string;
  /** Bytes of an extent, and where the first one begins. */
  readonly extent: number;
  readonly start: number;
}

/** The logical volumes' parts on one physical volume; `null`: some are not linear. */
function partsOn(section: Section, { deviceOf, name, extent, start }: On): VolumePart[] | null {
  const parts: VolumePart[] = [];
  for (const [volume, value] of sectionOf(section.get("logical_volumes")) ?? []) {
    const sections = [...(sectionOf(value) ?? [])].flatMap(([, each]) => sectionOf(each) ?? []);
    const segments = sections.flatMap((each) => {
      const [from, count] = [each.get("start_extent"), each.get("extent_count")];
      return isCount(from) && isCount(count) ? [{ each, from, count }] : [];
    });
    const size = segments.reduce((sum, { count }) => sum + count * extent, 0);
    for (const { each, from, count } of segments) {
      const [on, at, ...others] = listOf(each.get("stripes"));
      if (each.get("type") !== "striped" || !isCount(at) || others.length > 0) return null;
      if (on !== name) continue;
      const place = { from: from * extent, to: start + at * extent, length: count * extent };
      parts.push({ device: deviceOf(volume), size, ...place });
    }
  }
  return parts;
}

/** LVM expects the group first, and only then who wrote it and when. */
function asOnDisk(text: string, group: string): string {
  const at = text.search(new RegExp(`^${RegExp.escape(group)} \\{`, "m"));
  return `${text.slice(at).trimEnd()}\n${text.slice(0, at)}`;
}

const sectionOf = (value: Value | undefined): Section | undefined =>
  value instanceof Map ? value : undefined;

const listOf = (value: Value | undefined): readonly Value[] => (Array.isArray(value) ? value : []);

const isCount = (value: Value | undefined): value is number =>
  typeof value === "number" && Number.isInteger(value) && value >= 0 && value < 2 ** 43;
