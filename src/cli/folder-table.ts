import { resolve } from "node:path";
import { printable, printableJson } from "../bytes/printable.ts";
import { counted, humanSize } from "../bytes/sizes.ts";
import { type ImageFolder, readImageFolder } from "../clonezilla/image-folder.ts";
import type { SavedPartition } from "../clonezilla/partitions.ts";
import type { Messages } from "./messages.ts";

/** Prints what is in the folder. Returns whether there is an image, and every one opens. */
export async function printFolder(
  path: string,
  json: boolean,
  messages: Messages,
): Promise<boolean> {
  // What programs are told must not hang on the working directory.
  const folder = await readImageFolder(json ? resolve(path) : path);
  const output = json ? folderJson(folder) : folderText(folder);
  process.stdout.write(`${output}\n`);
  const problems = problemsOf(folder);
  if (!json) for (const problem of problems) messages.error(problem);
  return problems.length === 0;
}

/** What keeps the folder's images from being read, a line each. */
export const problemsOf = (folder: ImageFolder): string[] => [
  ...folderProblems(folder),
  ...folder.partitions.flatMap(({ image }) => image?.problem ?? []),
];

/** What is wrong besides the images that are there, a line each. */
export function folderProblems({ path, encryption, partitions }: ImageFolder): string[] {
  if (encryption !== null) {
    return [`${path}: is encrypted with ${encryption}: mount that first, and give its mount point`];
  }
  const missing = partitions.filter(({ isMissing }) => isMissing);
  if (partitions.every(({ image }) => !image)) return [`${path}: there is no image in it`];
  return missing.map(
    ({ device }) =>
      `${path}: the image of ${device} is missing: it was saved, says the file 'parts'`,
  );
}

/** Why there is no file for some disk, a line each. */
export const diskProblems = ({ disks }: Pick<ImageFolder, "disks">): string[] =>
  disks.flatMap(({ device, problem }) => (problem === null ? [] : [noDisk(device, problem)]));

const noDisk = (device: string, problem: string): string =>
  `the whole disk ${device} cannot be shown: ${problem}`;

function folderJson({ disks, ...folder }: ImageFolder): string {
  const plain = disks.map(({ device, size, table, problem }) => ({
    ...{ device, size, label: table?.label ?? null },
    ...{ id: table?.id ?? null, sectorSize: table?.sectorSize ?? null, problem },
  }));
  return printableJson(JSON.stringify({ ...folder, disks: plain }, null, 2));
}

const COLUMNS = ["", "file system", "size", "format", "compression", "pieces", "stored", ""];
/** Of the columns, those with numbers. */
const RIGHT = new Set([2, 5, 6]);

const NO_TABLE = "no whole disk: no partition table is saved (such as sda-pt.sf)";

function folderText(folder: ImageFolder): string {
  const { disks, partitions } = folder;
  const rows = [
    COLUMNS,
    ...disks.flatMap((disk) => [
      diskRow(disk),
      ...partitions.filter((each) => each.disk === disk.device).map(partitionRow),
    ]),
    ...partitions.filter((each) => each.disk === null).map(partitionRow),
  ];
  const table = partitions.length + disks.length === 0 ? [] : aligned(rows);
  const remarks = partitions.length > 0 && disks.length === 0 ? [NO_TABLE] : [];
  return [heading(folder), ...table, ...remarks].map(printable).join("\n");
}

function heading({ path, tool, date, partitions, checksumFiles }: ImageFolder): string {
  const images = partitions.flatMap(({ image }) => image ?? []);
  const stored = images.reduce((sum, { fileSize }) => sum + fileSize, 0);
  const what = [
    ...(tool === null ? [] : [date === null ? tool : `${tool}, ${date}`]),
    `${counted(images.length, "image")} of ${humanSize(stored)}`,
    checksumFiles.length === 0 ? "no checksum files" : checksumFiles.join(", "),
  ];
  return `${path}: ${what.join("; ")}`;
}

function diskRow({ device, table, size, layout, problem }: ImageFolder["disks"][number]): string[] {
  const label = table === null ? "disk" : table.label === "gpt" ? "disk, GPT" : "disk, MBR";
  const bytes = layout?.size ?? size;
  const remark = problem === null ? "" : `no whole disk: ${problem}`;
  return [device, label, bytes === null ? "" : humanSize(bytes), "", "", "", "", remark];
}

function partitionRow(partition: SavedPartition): string[] {
  const { device, disk, fsType, size, image } = partition;
  const known = [
    `${disk === null ? "" : "  "}${device}`,
    fsType ?? "",
    size === null ? "" : humanSize(size),
  ];
  if (!image) return [...known, "", "", "", "", remarkOf(partition)];
  const { format, compression, pieces, fileSize, problem } = image;
  return [
    ...known,
    format ?? "",
    compression ?? (format === null ? "" : "none"),
    String(pieces),
    humanSize(fileSize),
    problem === null ? "opens" : "does not open",
  ];
}

function remarkOf({ swap, holds, isMissing }: SavedPartition): string {
  if (isMissing) return "missing";
  if (swap) return swap.label === null ? "its UUID is saved" : "its UUID and label are saved";
  return holds ?? "not saved";
}

function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = COLUMNS.map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? "").length)),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return RIGHT.has(column) ? cell.padStart(width) : cell.padEnd(width);
      })
      .join("  ")
      .trimEnd(),
  );
}
