import { expect, test } from "bun:test";
import fc from "fast-check";
import { createXXHash64 } from "hash-wasm";
import { nativeXxh64, wasmXxh64, XXH64_START } from "../../src/bytes/xxh64.ts";
import { testWith } from "../require.ts";

// What it needs is what the tool is made of.
testWith(["xxhsum"], "XXH64 is computed by the system's library", () => {
  expect(nativeXxh64()).not.toBeNull();
});

test("XXH64 goes on from any state, whichever of the two saved it", async () => {
  const anyPieces = fc.array(fc.tuple(fc.uint8Array({ maxLength: 300 }), fc.boolean()));
  const hasher = await createXXHash64();
  const wasm = await wasmXxh64();
  const both = [wasm, nativeXxh64() ?? wasm] as const;
  fc.assert(
    fc.property(anyPieces, (pieces) => {
      hasher.init();
      let state = XXH64_START;
      for (const [piece, turn] of pieces) {
        hasher.update(piece);
        const states = (turn ? both : both.toReversed()).map((each) => {
          each.load(state);
          each.update(piece);
          return each.save();
        });
        expect(states[0]).toEqual(states[1] as Uint8Array);
        [state = state] = states;
      }
      const expected = hasher.digest("binary");
      for (const each of both) {
        each.load(state);
        expect(each.canonical()).toEqual(expected);
      }
    }),
  );
});
