import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Machine } from "./machine.ts";
import { plot } from "./plot.ts";
import { type Bar, type Measured, median, type Quantity } from "./row.ts";

/** One whole run: what bench/results.json holds. */
export interface Results {
  readonly machine: Machine;
  /** At least so many a row; the one that warms up does not count. */
  readonly rounds: number;
  /** The command of another mounter. */
  readonly peer: string | null;
  readonly rows: readonly Measured[];
}

const ROOT = resolve(import.meta.dir, "..");
const PAGE = resolve(ROOT, "docs/performance.md");
const BEGIN = "<!-- written by bench/report.ts: begin -->";
const END = "<!-- written by bench/report.ts: end -->";

const UNITS: Readonly<Record<Bar["unit"], (value: number) => string>> = {
  x: (value) => `${value.toFixed(2)} x`,
  ms: (value) => `${value.toFixed(0)} ms`,
  MB: (value) => `${value.toFixed(0)} MB`,
  "MB/s": (value) => `${value.toFixed(0)} MB/s`,
  "%": (value) => `${value.toFixed(2)} %`,
};

function secondsText(value: number): string {
  if (value < 1e-3) return `${(value * 1e6).toFixed(1)} us`;
  return value < 1 ? `${(value * 1e3).toFixed(0)} ms` : `${value.toFixed(2)} s`;
}

const QUANTITIES: Readonly<Record<Quantity, (value: number) => string>> = {
  "bytes per second": (value) => `${(value / 1e9).toFixed(2)} GB/s`,
  "reads per second": (value) => `${(value / 1e3).toFixed(1)} k/s`,
  seconds: secondsText,
  bytes: (value) => `${(value / 1e6).toFixed(0)} MB`,
};

export const barText = ({ kind, value, unit }: Bar): string =>
  `${kind} ${value}${unit === "x" ? " x" : ` ${unit}`}`;

export const resultText = ({ bar, result }: Measured): string => UNITS[bar.unit](result);

function tableLine(row: Measured): string {
  const figures = Object.entries(row.figures)
    .map(([name, values]) => `${name} ${QUANTITIES[row.quantity](median(values))}`)
    .join(", ");
  const range = [Math.min(...row.results), Math.max(...row.results)]
    .map((value) => value.toFixed(row.bar.unit === "x" || row.bar.unit === "%" ? 2 : 0))
    .join(" to ");
  const verdict = row.met ? "yes" : "**no**";
  const cells = [row.title, barText(row.bar), resultText(row), verdict, range, figures];
  return `| ${cells.join(" | ")} |`;
}

function section({ machine, rounds, peer, rows }: Results): string {
  const about = Object.entries(machine).map(([name, value]) => `${name}: ${value}`);
  return [
    BEGIN,
    `Medians of at least ${rounds} rounds. ${about.join("; ")}${peer ? `; PEER: ${peer}` : ""}.`,
    "",
    "| measure | bar | result | met | lowest to highest round | medians |",
    "|---|---|---|---|---|---|",
    ...rows.map(tableLine),
    END,
  ].join("\n");
}

/** Writes bench/results.json, and from it the table and the plot of docs/performance.md. */
export async function writeReport(results: Results): Promise<void> {
  writeFileSync(resolve(ROOT, "bench/results.json"), `${JSON.stringify(results, null, 2)}\n`);
  const page = readFileSync(PAGE, "utf8");
  const [before = "", rest = ""] = page.split(BEGIN);
  const [, after = ""] = rest.split(END);
  writeFileSync(PAGE, `${before}${section(results)}${after}`);
  writeFileSync(resolve(ROOT, "docs/performance.svg"), plot(results.rows, results.machine));
}
