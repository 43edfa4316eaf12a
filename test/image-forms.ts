import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { layOutCompressed, openMountable } from "../src/cli/open-for-mount.ts";
import { type LaidOutImage, layOutImage } from "../src/formats.ts";

/** What people keep images as. What holds for an image must hold for each of them. */
export interface ImageForm {
  readonly title: string;
  readonly compress: ((image: Uint8Array<ArrayBuffer>) => Uint8Array) | null;
  /** What is behind `.img` in the names of its files, one for each piece. */
  readonly endings: readonly string[];
}

const pieces = (ending: string) => ["aa", "ab", "ac"].map((suffix) => `${ending}.${suffix}`);

export const plain: ImageForm = { title: "plain", compress: null, endings: [""] };
const gzip: ImageForm = { title: "gzip", compress: Bun.gzipSync, endings: [".gz"] };
export const imageForms: readonly ImageForm[] = [
  plain,
  { title: "split", compress: null, endings: pieces("") },
  gzip,
  { title: "split zstd", compress: Bun.zstdCompressSync, endings: pieces(".zst") },
];
/** For what shows or changes one file; a place in the image is about the same place in the file. */
export const formsInOneFile: readonly ImageForm[] = [
  plain,
  { ...gzip, compress: (image) => Bun.gzipSync(image, { level: 0 }) },
];

export const byTitle = (forms: readonly ImageForm[]) =>
  forms.map((form) => [form.title, form] as const);

/** Writes the image's files, named `NAME.img` and so on; the path that opens it. */
export function writeImage(
  { compress, endings }: ImageForm,
  folder: string,
  name: string,
  image: Uint8Array,
): string {
  const stored = compress ? compress(Uint8Array.from(image)) : image;
  const size = Math.ceil(stored.length / endings.length);
  const files = endings.map((ending, index) => {
    const file = join(folder, `${name}.img${ending}`);
    writeFileSync(file, stored.subarray(index * size, (index + 1) * size));
    return file;
  });
  return files[0] as string;
}

/** Opens an image as a mount does; dispose of its source in the end. */
export async function openAsMounted(path: string): Promise<LaidOutImage> {
  const { source, compression } = await openMountable(path);
  if (!compression) return layOutImage(source);
  return layOutCompressed(source, compression, {}, { indexDirectory: null, log: () => {} });
}
