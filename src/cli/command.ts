import { parseArgs } from "node:util";
import { type ArgsDef, defineCommand, type ParsedArgs, runCommand } from "citty";
import { ImageBackupError } from "../bytes/errors.ts";
import { type HelpTopic, helpText, usageLine } from "./help.ts";
import { messagesOf } from "./messages.ts";

/** Exit statuses besides 0. */
export const FAILED = 1;
const USAGE = 2;

export interface Program {
  readonly topic: HelpTopic;
  readonly version: string;
  readonly run: (args: ParsedArgs) => Promise<void>;
}

/** The command line is not one the command understands. */
export class UsageError extends Error {}

/** Runs a command with this process's arguments and ends with the right status. */
export async function runProgram({ topic, version, run }: Program): Promise<void> {
  const rawArgs = process.argv.slice(2);
  const { name, args } = topic;
  const messages = messagesOf(name);
  try {
    const given = strictly(rawArgs, args);
    if (given.help) process.stdout.write(`${helpText(topic)}\n`);
    else if (given.version) process.stdout.write(`${name} ${version}\n`);
    else {
      requirePositionals(given.positionals, args);
      const command = defineCommand({ meta: { name }, args, run: (context) => run(context.args) });
      await runCommand(command, { rawArgs });
    }
  } catch (error) {
    if (error instanceof UsageError) {
      messages.error(`${error.message}; ${usageLine(topic)} (${name} --help tells more)`);
      process.exitCode = USAGE;
    } else if (error instanceof ImageBackupError) {
      messages.error(error.message);
      process.exitCode = FAILED;
    } else throw error;
  }
}

/** citty ignores what it does not know; a mistyped option must not pass for a job done. */
function strictly(rawArgs: string[], args: ArgsDef) {
  const options = Object.fromEntries(
    Object.entries(args)
      .filter(([, { type }]) => type !== "positional")
      .map(([name, definition]) => {
        const alias = "alias" in definition ? definition.alias : undefined;
        const [short] = [alias ?? []].flat();
        const type = definition.type === "boolean" ? ("boolean" as const) : ("string" as const);
        return [name, short ? { type, short } : { type }];
      }),
  );
  try {
    const { values, positionals } = parseArgs({
      args: rawArgs,
      options,
      allowPositionals: true,
      strict: true,
    });
    return { help: values.help === true, version: values.version === true, positionals };
  } catch (error) {
    const [sentence = ""] = (error as Error).message.split(". ");
    throw new UsageError(sentence);
  }
}

function requirePositionals(positionals: readonly string[], args: ArgsDef): void {
  const names = Object.keys(args).filter((name) => args[name]?.type === "positional");
  const missing = names[positionals.length];
  if (missing) throw new UsageError(`${missing} is missing`);
  const extra = positionals[names.length];
  if (extra !== undefined)
    throw new UsageError(`one ${names.join(" ")} at a time; '${extra}' is too much`);
}
