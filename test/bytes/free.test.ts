import { expect, test } from "bun:test";
import { free } from "../../src/bytes/free.ts";

test("the memory of large bytes goes, of which these may be a part", () => {
  const whole = new Uint8Array(2 ** 20);
  free(whole.subarray(5, 10));
  expect(whole.length).toBe(0);
});

test("what is freed already may be freed again", () => {
  const bytes = new Uint8Array(2 ** 20);
  free(bytes);
  free(bytes);
  expect(bytes.length).toBe(0);
});

test("small bytes stay: others may share their memory, as in a pool", () => {
  const pool = new Uint8Array(8192);
  free(pool.subarray(0, 1));
  expect(pool.length).toBe(8192);
});

test("memory that threads share is left alone", () => {
  const shared = new Uint8Array(new SharedArrayBuffer(2 ** 20));
  free(shared);
  expect(shared.length).toBe(2 ** 20);
});
