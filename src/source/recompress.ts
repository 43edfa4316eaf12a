import { shellQuoted } from "../bytes/shell.ts";
import { compressions } from "./compression.ts";
import { findPieces } from "./find-pieces.ts";
import { ENDINGS } from "./partition-name.ts";

/** The command that makes of an image at `path`, compressed in the way of this name, one that mounts. */
export function recompress(path: string, compression: string): string {
  const command = compressions.find(({ name }) => name === compression)?.command;
  const pieces = findPieces(path);
  const whole = pieces?.path ?? path;
  const input = pieces
    ? `cat ${shellQuoted(whole)}.* | ${command}`
    : `${command} ${shellQuoted(whole)}`;
  return `${input} | zstd -T0 > ${shellQuoted(`${whole.replace(ENDINGS, "")}.zst`)}`;
}
