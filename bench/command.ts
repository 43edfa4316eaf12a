/** A command that has to succeed; returns what it printed. */
export function must(argv: readonly string[], env: Readonly<Record<string, string>> = {}): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync([...argv], {
    env: { ...process.env, LC_ALL: "C", ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  if (exitCode === 0) return stdout.toString();
  throw new Error(
    `${argv.join(" ")}: status ${exitCode}\n${stderr}${String(stdout).slice(0, 500)}`,
  );
}

/** Seconds that a command takes, from its start to its end; it has to succeed. */
export function secondsOf(
  argv: readonly string[],
  env: Readonly<Record<string, string>> = {},
): number {
  const begin = performance.now();
  const { exitCode, stderr } = Bun.spawnSync([...argv], {
    env: { ...process.env, LC_ALL: "C", ...env },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const seconds = (performance.now() - begin) / 1000;
  if (exitCode === 0) return seconds;
  throw new Error(`${argv.join(" ")}: status ${exitCode}\n${stderr}`);
}

/** Looks until something is there, for ten seconds at most. */
export async function until<T>(what: string, look: () => T | null): Promise<T> {
  const end = performance.now() + 10_000;
  for (;;) {
    const seen = look();
    if (seen !== null) return seen;
    if (performance.now() > end) throw new Error(`${what} takes more than ten seconds`);
    await Bun.sleep(5);
  }
}

export const isRoot = (): boolean => process.geteuid?.() === 0;
