import type { Difference } from "./compare.ts";

/** A kind of disagreement that is understood. */
export interface Explanation {
  readonly id: string;
  /** What the two sides say. */
  readonly title: string;
  readonly right: string;
  readonly why: string;
  readonly covers: (difference: Difference) => boolean;
}

const u16 = (image: Uint8Array, at: number) =>
  image.length < at + 2 ? null : (image[at] ?? 0) + 256 * (image[at + 1] ?? 0);

const isVersion2 = ({ case: { fixture } }: Difference) => fixture.format === "partclone-v2";
/** The header's checksum mode, by spec/partclone.md, "Version 0002". */
const modeOf = (each: Difference) => (isVersion2(each) ? u16(each.case.image, 96) : null);
const breaks = ({ ours }: Difference, ...ids: readonly string[]) =>
  ids.some((id) => ours.broken.has(id));
const weRead = ({ ours }: Difference) => ours.answer === "reads";
const isBigEndianNtfs = ({ case: { fixture } }: Difference) =>
  fixture.params.format === "ntfsclone" && fixture.params.byteOrder === "big";

/** The first that covers a difference explains it. */
export const explanations: readonly Explanation[] = [
  {
    id: "xxh",
    title: "partclone 0.3.23 refuses XXH64 and XXH128; we read them",
    right: "we are",
    why: "The modes came after 0.3.23, and partclone 0.3.47 restores such images to the same partition (the golden images among them). PC2-CHECKSUM-MODE.",
    covers: (each) =>
      weRead(each) && each.kind === "refuses" && [0x30, 0x31].includes(modeOf(each) ?? 0),
  },
  {
    id: "big-endian",
    title: "partclone refuses the images of big-endian machines; we read them",
    right: "we are, as far as the source tells",
    why: "The header announces its byte order, and the writer's source says what follows from it; but no partclone reads the other order, so no real tool can confirm it. PC2-BYTE-ORDER.",
    covers: (each) =>
      weRead(each) && each.kind === "refuses" && isVersion2(each) && each.case.image[34] === 0xc0,
  },
  {
    id: "wide-checksums",
    title: "partclone refuses the 8-byte checksums of version 0001; we read them",
    right: "we are",
    why: "Partclone before 0.1.0 wrote them on 64-bit machines; later versions recognised them, today's gave that up. PC1-CHECKSUM-WIDTH.",
    covers: (each) => weRead(each) && each.kind === "refuses" && breaks(each, "PC1-CHECKSUM-WIDTH"),
  },
  {
    id: "chkimg-count",
    title: "partclone.chkimg refuses sound images without checksums, or does not end; we read them",
    right: "we are, and partclone.restore says so too",
    why: "Without checksums chkimg only seeks to the last block, and takes its number from the used blocks by the superblock. If these are more than are stored it looks behind the end of the file; if they are 0 the position is below 0, and chkimg waits for ever. PC2-USED-SUPERBLOCK.",
    covers: (each) =>
      each.tool === "chkimg" &&
      weRead(each) &&
      (each.kind === "refuses" || each.kind === "hangs") &&
      modeOf(each) === 0,
  },
  {
    id: "chkimg-seek",
    title: "partclone.chkimg passes truncated images without checksums; we refuse them",
    right: "we are, and partclone.restore says so too",
    why: "The same seek: if the used blocks by the superblock are fewer than are stored, it stops before the place where the file ends. PC2-DATA-COMPLETE.",
    covers: (each) =>
      each.tool === "chkimg" &&
      each.kind === "reads" &&
      modeOf(each) === 0 &&
      breaks(each, "PC2-DATA-COMPLETE"),
  },
  {
    id: "short-strip",
    title: "partclone passes images whose last, short strip is damaged; we refuse them",
    right: "we are",
    why: "Both partclone.chkimg and partclone.restore forget a short strip at the end where the blocks of their last read are a multiple of the blocks per checksum, or fill the buffer: its checksum may be wrong, or missing. PC2-CHECKSUM, PC2-DATA-COMPLETE.",
    covers: (each) =>
      each.tool !== "ntfsclone" &&
      each.kind === "reads" &&
      modeOf(each) === 0x20 &&
      breaks(each, "PC2-CHECKSUM", "PC2-DATA-COMPLETE"),
  },
  {
    id: "device-size",
    title: "partclone.restore makes a partition that is longer than the device; we cut it",
    right: "neither: the header contradicts itself",
    why: "The blocks are more than the device size has room for. 0.3.23 writes them all; we show the size that the header promises, with a warning; 0.3.47 refuses the image. PC1-DEVICE-SIZE, PC2-DEVICE-SIZE.",
    covers: (each) =>
      each.kind === "other bytes" && breaks(each, "PC1-DEVICE-SIZE", "PC2-DEVICE-SIZE"),
  },
  {
    id: "crash",
    title: "partclone crashes; we refuse the image",
    right: "we are: a crash is no verdict",
    why: "It divides by a block size or by blocks per checksum that are 0, or writes behind memory that a huge block count made it ask for, or believes a checksum size that is not the mode's. PC2-CHECKSUM-SIZE, PC1-BLOCK-SIZE, PC2-BLOCK-SIZE, PC2-CHECKSUM-BLOCKS, PC1-RANGE, PC2-RANGE.",
    covers: (each) =>
      each.ours.answer === "refuses" &&
      each.kind === "crashes" &&
      breaks(
        each,
        "PC2-CHECKSUM-SIZE",
        "PC1-BLOCK-SIZE",
        "PC2-BLOCK-SIZE",
        "PC2-CHECKSUM-BLOCKS",
        "PC1-RANGE",
        "PC2-RANGE",
      ),
  },
  {
    id: "big-endian-ntfs",
    title: "ntfsclone reads big-endian old images as little-endian ones; we find their byte order",
    right: "we are",
    why: "It warns of it: before version 10 the integers are in the writer's order. What it makes of such an image is another partition, or an error; and an image that is damaged it may pass. NTC-MAJOR.",
    covers: (each) => each.tool === "ntfsclone" && isBigEndianNtfs(each),
  },
  {
    id: "range",
    title: "The tools read images whose sizes exceed 2^53; we refuse them",
    right: "both: they compute with 64 bits",
    why: "No device reaches 8 PiB, so only damaged headers say such sizes; below them all our offsets are exact. PC1-RANGE, PC2-RANGE, NTC-RANGE.",
    covers: (each) => each.kind === "reads" && breaks(each, "PC1-RANGE", "PC2-RANGE", "NTC-RANGE"),
  },
  {
    id: "checksum-size",
    title: "partclone 0.3.23 reads images whose checksum size is not their mode's; we refuse them",
    right: "we are, and partclone 0.3.47 says so too",
    why: "It reads them only where nothing depends on the size: no checksums, or no block stored, or (chkimg) none that it looks at. PC2-CHECKSUM-SIZE.",
    covers: (each) => each.kind === "reads" && breaks(each, "PC2-CHECKSUM-SIZE"),
  },
  {
    id: "ntfs-header",
    title: "ntfsclone reads images with impossible headers; we refuse them",
    right: "we are",
    why: "Cluster sizes that NTFS does not have, no clusters at all, commands that begin within the header: no writer makes these, and what ntfsclone restores from them is no NTFS volume. NTC-CLUSTER-SIZE, NTC-CLUSTERS, NTC-DATA-OFFSET.",
    covers: (each) =>
      each.kind === "reads" && breaks(each, "NTC-CLUSTER-SIZE", "NTC-CLUSTERS", "NTC-DATA-OFFSET"),
  },
];

export function explanationOf(difference: Difference): Explanation | null {
  return explanations.find(({ covers }) => covers(difference)) ?? null;
}
