import { readFileSync } from "node:fs";
import { EINTR } from "./abi.ts";
import type { Outcome } from "./reply.ts";

interface Wait {
  readonly client: number;
  end(outcome: Outcome): void;
}

const LOOK_EVERY_MS = 250;
/** In the masks of pending signals, where signal n is bit n - 1. */
const SIGKILL_BIT = 1n << 8n;
const PENDING = /^S(?:ig|hd)Pnd:\s*([0-9a-f]+)$/gm;

/**
 * FUS-KILLED: ends the waits of clients that are killed. The kernel tells of signals (INTERRUPT), but
 * not for direct reads, and of all alike: whoever is not killed goes on, and does not expect EINTR.
 */
export class KilledClients {
  readonly #waits = new Set<Wait>();
  #isLooking = false;

  /** The outcome, or EINTR if the client is killed before. */
  async first(client: number, outcome: Promise<Outcome>): Promise<Outcome> {
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    const wait: Wait = { client, end: resolve };
    this.#waits.add(wait);
    this.#lookLater();
    try {
      return await Promise.race([outcome, promise]);
    } finally {
      this.#waits.delete(wait);
    }
  }

  #lookLater(): void {
    if (this.#isLooking || this.#waits.size === 0) return;
    this.#isLooking = true;
    setTimeout(() => this.#look(), LOOK_EVERY_MS).unref();
  }

  #look(): void {
    this.#isLooking = false;
    const clients = new Set([...this.#waits].map(({ client }) => client));
    const killed = new Set([...clients].filter(isKilled));
    for (const { client, end } of this.#waits) if (killed.has(client)) end(EINTR);
    this.#lookLater();
  }
}

/** A signal that ends a process becomes a SIGKILL of each of its threads, which `client` is one of. */
function isKilled(client: number): boolean {
  try {
    const status = readFileSync(`/proc/${client}/status`, "latin1");
    return [...status.matchAll(PENDING)].some(
      ([, mask]) => (BigInt(`0x${mask}`) & SIGKILL_BIT) !== 0n,
    );
  } catch {
    // It is gone, or another's, or not seen from this container: what it asked for is read.
    return false;
  }
}
