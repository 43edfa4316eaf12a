import { deviceName, readRows, readVariables } from "./metadata.ts";

/** A swap partition: of what is in it, only this is saved. */
export interface SavedSwap {
  readonly device: string;
  readonly uuid: string | null;
  readonly label: string | null;
}

export function readSwaps(folder: string, names: readonly string[]): SavedSwap[] {
  return names.flatMap((name) => {
    const clonezilla = /^swappt-(.+)\.info$/.exec(name)?.[1];
    if (clonezilla !== undefined) return [ofClonezilla(folder, name, clonezilla)];
    const disk = /^(d\d+)\.original\.swapuuids$/.exec(name)?.[1];
    if (disk !== undefined) return ofFog(folder, name, disk);
    const volumes = /^(d\d+p\d+)\.lvm$/.exec(name)?.[1];
    return volumes === undefined ? [] : ofFogVolumes(folder, name, volumes);
  });
}

function ofClonezilla(folder: string, name: string, device: string): SavedSwap {
  const variables = readVariables(folder, name);
  return { device, uuid: variables.get("UUID") || null, label: variables.get("LABEL") || null };
}

/** Lines of a partition, by its number or its device, and the UUID. */
function ofFog(folder: string, name: string, disk: string): SavedSwap[] {
  return readRows(folder, name).flatMap(([partition = "", uuid = null]) => {
    const number = /\d+$/.exec(deviceName(partition))?.[0];
    return number === undefined ? [] : [{ device: `${disk}p${number}`, uuid, label: null }];
  });
}

/** Lines of logical volumes, some of which are swap: name, sizes, file system, image, UUID. */
function ofFogVolumes(folder: string, name: string, partition: string): SavedSwap[] {
  return readRows(folder, name).flatMap(([word, volume = "", ...rest]) => {
    const [fileSystem, , uuid = null] = rest.slice(-3);
    if (word !== "LV" || fileSystem !== "swap") return [];
    return [{ device: `${partition}.${volume}`, uuid, label: null }];
  });
}
