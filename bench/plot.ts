import type { Machine } from "./machine.ts";
import { barText, resultText } from "./report.ts";
import { type Measured, score } from "./row.ts";

const LINE = 22;
const TOP = 46;
const LABELS = 430;
const SCALE = 300;
const FIGURES = 260;
/** The plot's ends, in times the bar. */
const LOWEST = 0.25;
const HIGHEST = 16;
/** Of the machine, in a line of the footer. */
const FACTS = 4;

const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

/** A place on the logarithmic scale. */
function place(times: number): number {
  const clamped = Math.min(HIGHEST, Math.max(LOWEST, times));
  return LABELS + (SCALE * Math.log(clamped / LOWEST)) / Math.log(HIGHEST / LOWEST);
}

function line(row: Measured, index: number): string {
  const y = TOP + index * LINE;
  const from = Math.min(place(1), place(score(row)));
  const width = Math.max(1, Math.abs(place(score(row)) - place(1)));
  const text = `${resultText(row)} (${barText(row.bar)})`;
  return [
    `<text x="${LABELS - 8}" y="${y + 12}" text-anchor="end">${escaped(row.title)}</text>`,
    `<rect x="${from.toFixed(1)}" y="${y}" width="${width.toFixed(1)}" height="15" fill="${row.met ? "#2a7f62" : "#b3402a"}"/>`,
    `<text x="${LABELS + SCALE + 8}" y="${y + 12}">${escaped(text)}</text>`,
  ].join("\n");
}

function mark(times: number, height: number): string {
  const x = place(times).toFixed(1);
  const colour = times === 1 ? "#222" : "#ccc";
  return [
    `<line x1="${x}" y1="${TOP - 6}" x2="${x}" y2="${height - 6}" stroke="${colour}"/>`,
    `<text x="${x}" y="${TOP - 12}" text-anchor="middle">${times === 1 ? "bar" : `${times}x`}</text>`,
  ].join("\n");
}

/** What the figures were measured with, a few to a line. */
function footer(machine: Machine, top: number): string[] {
  const about = Object.entries(machine).map(([name, value]) => `${name}: ${value}`);
  return Array.from({ length: Math.ceil(about.length / FACTS) }, (_, index) => {
    const text = about.slice(index * FACTS, (index + 1) * FACTS).join("; ");
    return `<text x="8" y="${top + 14 * (index + 1)}" font-size="10">${escaped(text)}</text>`;
  });
}

/** How far each result is from its bar: to the right of the line it is better. */
export function plot(rows: readonly Measured[], machine: Machine): string {
  const end = TOP + rows.length * LINE + 10;
  const about = footer(machine, end);
  const height = end + 14 * about.length + 10;
  const width = LABELS + SCALE + FIGURES;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="sans-serif" font-size="12">`,
    "<title>How far each result is from its bar</title>",
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    ...[0.25, 0.5, 1, 2, 4, 8, 16].map((times) => mark(times, end)),
    ...rows.map(line),
    ...about,
    "</svg>",
    "",
  ].join("\n");
}
