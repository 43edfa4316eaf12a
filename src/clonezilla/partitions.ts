import type { SavedDisk } from "./disks.ts";
import { byDevice, partitionDevice } from "./image-names.ts";
import { deviceName, readRows } from "./metadata.ts";
import { isExtended } from "./partition-table.ts";
import { readSavedGroup } from "./saved-group.ts";
import type { SavedImage } from "./saved-image.ts";
import type { SavedSwap } from "./swap.ts";

/** What is known of a device that has a name in the folder. */
export interface SavedPartition {
  readonly device: string;
  /** The disk whose table has it; `null`: none that we know, as of a logical volume. */
  readonly disk: string | null;
  /** Byte offset on the disk; `null`: unknown. */
  readonly start: number | null;
  readonly size: number | null;
  readonly fsType: string | null;
  readonly image: SavedImage | null;
  readonly swap: SavedSwap | null;
  /** What is in it that has no image: `extended`, `volume group vg`, `LUKS`; `null`: unknown. */
  readonly holds: string | null;
  /** The tool lists it as saved, and nothing of it is there. */
  readonly isMissing: boolean;
}

/** What the folder has. */
interface Saved {
  readonly images: readonly SavedImage[];
  readonly swaps: readonly SavedSwap[];
  /** Of all its files. */
  readonly names: readonly string[];
}

/** What the folder's files say of a device. */
type DeviceFacts = Pick<SavedPartition, "image" | "swap" | "holds" | "fsType">;

interface Facts {
  readonly of: (device: string) => DeviceFacts;
  /** Devices that the folder's files tell of, in any order and more than once. */
  readonly devices: readonly string[];
  /** Those that the tool says it saved. */
  readonly listed: ReadonlySet<string>;
}

const LUKS_HEADER = "-luksHeader.bin";
/** Damaged lists have other names. */
const DEVICE = /^[a-z][\w.+-]*$/i;

export const isNothing = ({ image, swap, holds }: DeviceFacts): boolean =>
  !image && !swap && holds === null;

export function factsOf(path: string, { images, swaps, names }: Saved): Facts {
  const luks = readRows(path, "luks-dev.list");
  const fileSystems = readRows(path, "dev-fs.list");
  const headers = new Set(
    names.flatMap((name) =>
      name.endsWith(LUKS_HEADER) ? [name.slice(0, -LUKS_HEADER.length)] : [],
    ),
  );
  const rowOf = (rows: readonly string[][], device: string) =>
    rows.find(([path = ""]) => deviceName(path) === device);
  const of = (device: string): DeviceFacts => {
    const image = images.find((each) => each.device === device) ?? null;
    const swap = swaps.find((each) => each.device === device) ?? null;
    const group = readSavedGroup(path, device)?.group;
    const isLuks = rowOf(luks, device) !== undefined || headers.has(device);
    const holds = group === undefined ? (isLuks ? "LUKS" : null) : `volume group ${group}`;
    const listed = rowOf(fileSystems, device)?.[1] ?? null;
    return { image, swap, holds, fsType: image?.fsType ?? (swap ? "swap" : listed) };
  };
  const parts = readRows(path, "parts").flat();
  const listed = parts
    .map((name) => deviceName(`/dev/${name}`))
    .filter((name) => DEVICE.test(name));
  const volumes = readRows(path, "lvm_logv.list").map(([volume = ""]) => deviceName(volume));
  const known = [...images, ...swaps].map(({ device }) => device);
  return { of, devices: [...known, ...volumes, ...listed], listed: new Set(listed) };
}

export function partitionsOf(disks: readonly SavedDisk[], facts: Facts): SavedPartition[] {
  const inTables = disks.flatMap(({ device: disk, table }) =>
    (table?.entries ?? []).map((entry): SavedPartition => {
      const device = partitionDevice(disk, entry.number);
      const known = facts.of(device);
      const holds = isExtended(entry) ? "extended" : known.holds;
      const [start, size] = [entry.start, entry.sectors].map((n) => n * (table?.sectorSize ?? 0));
      const place = { device, disk, start: start ?? 0, size: size ?? 0 };
      return partitionAt(place, { ...known, holds }, facts);
    }),
  );
  const known = new Set(inTables.map(({ device }) => device));
  const others = new Set(facts.devices.filter((device) => !known.has(device)));
  const elsewhere = [...others].sort(byDevice).map((device): SavedPartition => {
    const each = facts.of(device);
    const size = each.image?.deviceSize ?? null;
    return partitionAt({ device, disk: null, start: null, size }, each, facts);
  });
  return [...inTables, ...elsewhere];
}

const partitionAt = (
  place: Pick<SavedPartition, "device" | "disk" | "start" | "size">,
  known: DeviceFacts,
  { listed }: Facts,
): SavedPartition => ({
  ...place,
  ...known,
  isMissing: isNothing(known) && listed.has(place.device),
});
