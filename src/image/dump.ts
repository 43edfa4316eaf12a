import { printable } from "../bytes/printable.ts";
import type { Detail } from "./backup-image.ts";

/** The details under a title, one a line, their values in one column. */
export function dumpText(title: string, details: readonly Detail[]): string {
  const width = Math.max(...details.map(({ name }) => name.length));
  const lines = details.map(
    ({ name, value, text }) => `${name.padEnd(width)} ${printable(text ?? String(value))}`,
  );
  return [title, "=".repeat(title.length), ...lines].join("\n");
}

/** The details as one object. 64-bit values that a number cannot hold exactly become strings. */
export function dumpObject(details: readonly Detail[]): Record<string, unknown> {
  return Object.fromEntries(
    details.map(({ name, value }) => [name, typeof value === "bigint" ? plain(value) : value]),
  );
}

function plain(value: bigint): number | string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : String(value);
}
