import { expect, test } from "bun:test";
import { createChecksum } from "../../fixtures-gen/checksums.ts";
import { v2Checksum } from "../../src/partclone/checksums.ts";

const data = (seed: number) => Uint8Array.from({ length: 5000 }, (_, at) => (at * seed) >>> 3);

for (const [mode, name] of [
  ["xxh64", "XXH64"],
  ["xxh128", "XXH128"],
  ["crc32", "CRC32"],
] as const) {
  test(`${name}: two checksums that take turns do not mix`, async () => {
    const [one, other] = [await v2Checksum(name, true), await v2Checksum(name, true)];
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
