import type { ByteSource } from "../../source/source.ts";
import { beyondRandomAccess, corrupt } from "../damage.ts";
import { InputWindow } from "../input-window.ts";
import { Malformed } from "../malformed.ts";
import { type Place, type PlannedSegment, SegmentPlan } from "./segment.ts";
import { type Step, walk } from "./walk.ts";

/** A segment of a large window is longer, so that the windows stay a small part of the whole. */
const MOST_WIDENED = 32 * 2 ** 20;
/** No segment is longer, stored or decoded, than so many times what it should be. */
const MOST_STRETCHED = 8;
const MIN_STORED_LIMIT = 2 ** 20;

/**
 * Where a window is longer than the segments, bytes that a segment needs may be older than the one
 * before it, whose window has only what it needs itself. A pass then goes on from the frame's
 * beginning, which is therefore always a segment's.
 */
export function isLargeWindow(windowSize: number): boolean {
  return windowSize > MOST_WIDENED;
}

function spacingFor(place: Place | null, spacing: number): number {
  return Math.max(spacing, Math.min(2 * (place?.frame.header.windowSize ?? 0), MOST_WIDENED));
}

/** Cuts the data from byte `at`, which is at `place`, into segments. */
export async function* planSegments(
  compressed: ByteSource,
  at: number,
  place: Place | null,
  usualSpacing: number,
): AsyncGenerator<PlannedSegment> {
  const input = new InputWindow(compressed, at);
  let spacing = spacingFor(place, usualSpacing);
  let segment = new SegmentPlan(at, place, spacing);
  for await (const step of walk(input, place?.frame ?? null)) {
    if (step.type === "frame" && isLargeWindow(step.frame.header.windowSize) && !segment.isEmpty) {
      yield segment.finish();
      // As a pass that goes on from here has it.
      spacing = usualSpacing;
      segment = new SegmentPlan(step.at, null, spacing);
    }
    checked(compressed, input.position, () => take(segment, step));
    if (!isFull(segment, step, spacing)) {
      refuseEndless(compressed, segment, spacing);
      continue;
    }
    const end = checked(compressed, input.position, () => segment.end());
    yield segment.finish();
    spacing = spacingFor(end, usualSpacing);
    segment = new SegmentPlan(input.position, end, spacing);
  }
  yield segment.finish();
}

function take(segment: SegmentPlan, step: Step): void {
  if (step.type === "frame") segment.beginFrame(step.frame, step.at);
  else if (step.type === "frame-end") segment.endFrame(step.bytes);
  else segment.add(step.block, step.bytes);
}

/** Does `fn` for what is at byte `at`. */
function checked<T>(compressed: ByteSource, at: number, fn: () => T): T {
  try {
    return fn();
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    throw corrupt(compressed, "zstd", at, error.message, { cause: error });
  }
}

/** The beginning of a frame needs no window, so half a segment is enough before it. */
function isFull(segment: SegmentPlan, step: Step, spacing: number): boolean {
  if (step.type === "frame-end") return segment.size >= spacing / 2;
  const isPlace = step.type === "block" && !step.block.isLast && segment.canEnd;
  return isPlace && segment.size >= spacing;
}

function refuseEndless(compressed: ByteSource, segment: SegmentPlan, spacing: number): void {
  const isEndless =
    segment.size > spacing * MOST_STRETCHED + MIN_STORED_LIMIT ||
    segment.stored > spacing * MOST_STRETCHED + MIN_STORED_LIMIT;
  if (isEndless)
    throw beyondRandomAccess(compressed, "zstd", "it has no place to begin reading at");
}
