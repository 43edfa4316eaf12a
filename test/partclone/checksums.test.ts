import { expect, test } from "bun:test";
import fc from "fast-check";
import { createChecksum } from "../../fixtures-gen/checksums.ts";
import { v2Checksum } from "../../src/partclone/checksums.ts";
import { nativeXxh128 } from "../../src/partclone/xxhash-library.ts";
import { testWith } from "../require.ts";

const data = (seed: number) => Uint8Array.from({ length: 5000 }, (_, at) => (at * seed) >>> 3);

for (const [mode, name, mayUseLibrary] of [
  ["xxh64", "XXH64", false],
  ["xxh128", "XXH128", false],
  ["xxh128", "XXH128", true],
  ["crc32", "CRC32", false],
] as const) {
  const by = mayUseLibrary ? " by the system's library, where it is" : "";
  test(`${name}${by}: two checksums that take turns do not mix`, async () => {
    const create = () => v2Checksum(name, true, mayUseLibrary);
    const [one, other] = [await create(), await create()];
    const expected = [7, 11].map((seed) => {
      const checksum = createChecksum(mode, "little");
      checksum.reset();
      checksum.update(data(seed));
      return checksum.bytes();
    });
    for (let at = 0; at < 5000; at += 1250) {
      one.update(data(7).subarray(at, at + 1250));
      other.update(data(11).subarray(at, at + 1250));
    }
    const [first = new Uint8Array(), second = new Uint8Array()] = expected;
    expect([one.matches(first), other.matches(second)]).toEqual([true, true]);
    expect([one.matches(second), other.matches(first)]).toEqual([false, false]);
    // The checksum runs on after it was asked for, and starts anew when it is told to.
    other.reset();
    one.update(data(7));
    other.update(data(11));
    expect([one.matches(first), other.matches(second)]).toEqual([false, true]);
  });
}

// What these two need is what it needs.
testWith(["xxhsum", "qemu-img"], "XXH128 is computed by the system's library", () => {
  expect(nativeXxh128()).not.toBeNull();
});

test("XXH128 is the same by the system's library and by WebAssembly, of pieces of any length", async () => {
  const anyPieces = fc.array(fc.uint8Array({ maxLength: 3000 }), { maxLength: 8 });
  const [native, wasm] = [
    await v2Checksum("XXH128", true),
    await v2Checksum("XXH128", true, false),
  ];
  fc.assert(
    fc.property(anyPieces, (pieces) => {
      const stored = createChecksum("xxh128", "little");
      for (const each of [native, wasm, stored]) each.reset();
      for (const piece of pieces) {
        for (const each of [native, wasm, stored]) each.update(piece);
        const value = stored.bytes();
        expect([native.matches(value), wasm.matches(value)]).toEqual([true, true]);
      }
    }),
  );
});
