import { parseArgs } from "node:util";
import { defineCommand, type ParsedArgs, runCommand } from "citty";
import { failureLine, isClosedOutput, watchOutput } from "./failures.ts";
import { type HelpTopic, helpText, usageLine } from "./help.ts";
import { messagesOf } from "./messages.ts";

/** Exit statuses besides 0. */
export const FAILED = 1;
const USAGE = 2;

type Value = string | boolean;

/** The command line as it was given: what citty keeps only the last of, too. */
export interface Given {
  readonly values: Readonly<Record<string, Value | readonly Value[] | undefined>>;
  readonly positionals: readonly string[];
}

export interface Program {
  readonly topic: HelpTopic;
  readonly version: string;
  readonly run: (args: ParsedArgs, given: Given) => Promise<void>;
}

/** The command line is not one the command understands. */
export class UsageError extends Error {}

/** Runs a command with this process's arguments and ends with the right status. */
export async function runProgram({ topic, version, run }: Program): Promise<void> {
  const rawArgs = process.argv.slice(2);
  const { name, args } = topic;
  const messages = messagesOf(name);
  watchOutput(messages, FAILED);
  try {
    const given = strictly(rawArgs, topic);
    if (given.values.help) process.stdout.write(`${helpText(topic)}\n`);
    else if (given.values.version) process.stdout.write(`${name} ${version}\n`);
    else {
      const single = topic.alone?.find((option) => given.values[option] !== undefined);
      if (single === undefined) requirePositionals(given.positionals, topic);
      else requireNothingElse(single, given);
      const command = defineCommand({
        meta: { name },
        args,
        run: (context) => run(context.args, given),
      });
      await runCommand(command, { rawArgs });
    }
  } catch (error) {
    if (error instanceof UsageError) {
      messages.error(`${error.message}; ${usageLine(topic)} (${name} --help tells more)`);
      process.exitCode = USAGE;
      return;
    }
    const line = failureLine(error);
    if (line === null) throw error;
    if (!isClosedOutput(error)) messages.error(line);
    process.exitCode = FAILED;
  }
}

/** citty ignores what it does not know; a mistyped option must not pass for a job done. */
function strictly(rawArgs: string[], { args, repeatable = [] }: HelpTopic): Given {
  const options = Object.fromEntries(
    Object.entries(args)
      .filter(([, { type }]) => type !== "positional")
      .map(([name, definition]) => {
        const alias = "alias" in definition ? definition.alias : undefined;
        const [short] = [alias ?? []].flat();
        const type = definition.type === "boolean" ? ("boolean" as const) : ("string" as const);
        const multiple = repeatable.includes(name);
        return [name, short ? { type, multiple, short } : { type, multiple }];
      }),
  );
  try {
    return parseArgs({ args: rawArgs, options, allowPositionals: true, strict: true });
  } catch (error) {
    const { message } = error as Error;
    // After the first sentence comes advice for other programs than this, on lines of its own.
    const [sentence = ""] = message.split(/\.\s/);
    throw new UsageError(sentence.replace(" argument is ambiguous", " takes a value"));
  }
}

function requireNothingElse(option: string, { values, positionals }: Given): void {
  const others = [...positionals, ...Object.keys(values).filter((name) => name !== option)];
  if (others.length > 0) throw new UsageError(`--${option} goes with nothing else`);
}

function requirePositionals(positionals: readonly string[], { args, variadic }: HelpTopic): void {
  const names = Object.keys(args).filter((name) => args[name]?.type === "positional");
  // An empty one is what a script's unset variable leaves.
  const missing = names.find((_, at) => !positionals[at]);
  if (missing) throw new UsageError(`${missing} is missing`);
  const extra = positionals[names.length];
  if (extra !== undefined && !variadic)
    throw new UsageError(`one ${names.join(" ")} at a time; '${extra}' is too much`);
}
