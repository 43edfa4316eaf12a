const UNITS = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB"] as const;

/** `1,073,741,824` */
export function grouped(value: number | bigint): string {
  return value.toLocaleString("en-US");
}

/** `1 block`, `2,560 blocks` */
export function counted(count: number, noun: string): string {
  return `${grouped(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** `1.0 GiB` */
export function humanSize(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? grouped(value) : value.toFixed(1)} ${UNITS[unit]}`;
}

/** `1.0 GiB (1,073,741,824 bytes)` */
export function fullSize(bytes: number): string {
  return bytes < 1024 ? humanSize(bytes) : `${humanSize(bytes)} (${grouped(bytes)} bytes)`;
}
