import { openImage } from "../formats.ts";
import { openFile } from "../source/file.ts";

export async function describeImage(path: string): Promise<string> {
  await using source = openFile(path);
  const { image } = await openImage(source);
  return `${image.format}\n`;
}
