import { formatOf } from "./formats.ts";
import { NtfsClone } from "./ntfsclone/ntfsclone.ts";
import { PartClone } from "./partclone/partclone.ts";
import { type ImageInput, openInput } from "./source/input.ts";

/**
 * Opens an image of whichever format it has. `indexSize`: blocks under one count of partclone's
 * rank index (1024). Throws as `PartClone.open` and `NtfsClone.open` do.
 */
export async function openImage(
  input: ImageInput,
  options: { readonly indexSize?: number } = {},
): Promise<PartClone | NtfsClone> {
  const opened = await openInput(input);
  try {
    const { name } = await formatOf(opened.stream);
    return name === "partclone"
      ? await PartClone.open(opened.stream, options)
      : await NtfsClone.open(opened.stream);
  } catch (error) {
    await opened[Symbol.asyncDispose]();
    throw error;
  }
}
