import type { Checkpoint, SeekableCodec, Segment } from "../../src/seekable/codec.ts";
import type { ByteSource } from "../../src/source/source.ts";

export interface Indexed {
  readonly checkpoints: readonly Checkpoint[];
  readonly outSize: number;
}

export async function indexed(
  codec: SeekableCodec,
  compressed: ByteSource,
  spacing: number,
  from: Checkpoint | null = null,
): Promise<Indexed> {
  const checkpoints: Checkpoint[] = [];
  for await (const event of codec.build(compressed, { from, spacing })) {
    if (event.type === "end") return { checkpoints, outSize: event.outSize };
    checkpoints.push(event.checkpoint);
  }
  throw new Error("a pass ended without saying so");
}

export function segmentsOf({ checkpoints, outSize }: Indexed, compressed: ByteSource): Segment[] {
  return checkpoints.map((from, index) => {
    const next = checkpoints[index + 1];
    const inEnd = next ? next.inOffset + (next.inBit === 0 ? 0 : 1) : compressed.size;
    return { from, inEnd, length: (next?.outOffset ?? outSize) - from.outOffset };
  });
}
