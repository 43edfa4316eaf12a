import { createConsola } from "consola";

const prefixes: Readonly<Record<string, string>> = { warn: "warning: ", error: "" };

/** Messages go to stderr, one line each, as `name: text`; standard output is for results. */
export function messagesOf(name: string) {
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

/** Text from an image or a path must not reach the terminal raw: it may hold escape sequences. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code < 256 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
  });
}
