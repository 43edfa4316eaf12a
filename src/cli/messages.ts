// The core alone: what consola adds for terminals takes 27 ms to load, half of --help.
import { type ConsolaInstance, createConsola } from "consola/core";
import { printable } from "../bytes/printable.ts";

export type Messages = Pick<ConsolaInstance, "warn" | "error">;

const prefixes: Readonly<Record<string, string>> = { warn: "warning: ", error: "" };

/** Messages go to stderr, one line each, as `name: text`; standard output is for results. */
export function messagesOf(name: string): Messages {
  return createConsola({
    reporters: [
      {
        log({ type, args }) {
          process.stderr.write(`${name}: ${prefixes[type] ?? ""}${printable(args.join(" "))}\n`);
        },
      },
    ],
  });
}
