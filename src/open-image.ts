import { handOver } from "./bytes/hand-over.ts";
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
  return handOver(await openInput(input), async ({ stream }) => {
    const { name } = await formatOf(stream);
    return name === "partclone" ? PartClone.open(stream, options) : NtfsClone.open(stream);
  });
}
