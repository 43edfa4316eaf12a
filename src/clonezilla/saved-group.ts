import { deviceName, readRows } from "./metadata.ts";

/** What the folder says of the volume group that a device belongs to. */
export interface SavedGroup {
  readonly group: string;
  /** Of the device as a physical volume. */
  readonly uuid: string;
  /** Has the group's own text. */
  readonly file: string;
  /** What the names of a logical volume's files begin with. */
  readonly deviceOf: (volume: string) => string;
}

export const readSavedGroup = (folder: string, device: string): SavedGroup | null =>
  ofClonezilla(folder, device) ?? ofFog(folder, device);

/** One list for all: `vg /dev/sda2 UUID`. */
function ofClonezilla(folder: string, device: string): SavedGroup | null {
  const rows = readRows(folder, "lvm_vg_dev.list");
  const [group, , uuid = ""] = rows.find(([, path = ""]) => deviceName(path) === device) ?? [];
  if (group === undefined) return null;
  return { group, uuid, file: `lvm_${group}.conf`, deviceOf: (volume) => `${group}-${volume}` };
}

/** A file for each: `PV UUID …`, `VG vg …`, and the logical volumes. */
function ofFog(folder: string, device: string): SavedGroup | null {
  const rows = readRows(folder, `${device}.lvm`);
  const value = (key: string) => rows.find(([word]) => word === key)?.[1];
  const [group, uuid] = [value("VG"), value("PV")];
  if (group === undefined || uuid === undefined) return null;
  const deviceOf = (volume: string) => `${device}.${volume}`;
  return { group, uuid, file: `${device}.lvm.vgcfg`, deviceOf };
}
