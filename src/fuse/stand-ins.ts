import type { Device } from "./session.ts";

/**
 * Threads beside the serving ones that answer requests only while those all wait for the image's
 * disk. Always awake they would cost warm reads; without them two reads that wait keep all others
 * waiting, of which a disk could serve many at once. They are started when they are first needed:
 * most mounts never need them, and they would double the time until a mount answers.
 */
export const STAND_INS = 4;

/** Requests that a stand-in goes on to take when it is not needed: to fall asleep costs more. */
const LINGER = 32;

/** Added at the end to the number of those that wait, so that all stand-ins go on and see the end. */
const ENDED = 2 ** 20;

/** What is shared: how many threads wait, and whether the stand-ins were called. */
const WAITING = 0;
const CALLED = 1;

/** One for each thread of a mount. */
export class StandIns {
  readonly #serving: number;
  readonly #shared: Int32Array;
  readonly #call: () => void;

  /** `serving`: threads that are no stand-ins. `call`: has them started; called once in all threads. */
  constructor(serving: number, shared: Int32Array, call: () => void) {
    this.#serving = serving;
    this.#shared = shared;
    this.#call = call;
  }

  static share(): Int32Array {
    return new Int32Array(new SharedArrayBuffer(8));
  }

  /** Around a read that has to wait. */
  readonly whileWaiting = <T>(read: () => T): T => {
    const waiting = Atomics.add(this.#shared, WAITING, 1) + 1;
    if (waiting >= this.#serving) {
      if (Atomics.exchange(this.#shared, CALLED, 1) === 0) this.#call();
      Atomics.notify(this.#shared, WAITING, 1);
    }
    try {
      return read();
    } finally {
      Atomics.sub(this.#shared, WAITING, 1);
    }
  };

  /** The device as a stand-in has it: no request comes before it is needed. */
  deviceOf({ read, write }: Device): Device {
    let left = 0;
    return {
      read: (into) => {
        if (left === 0) this.#untilNeeded();
        left = this.#isNeeded() ? LINGER : left - 1;
        return read(into);
      },
      write,
    };
  }

  #isNeeded(): boolean {
    return Atomics.load(this.#shared, WAITING) >= this.#serving;
  }

  #untilNeeded(): void {
    for (;;) {
      const waiting = Atomics.load(this.#shared, WAITING);
      if (waiting >= this.#serving) return;
      Atomics.wait(this.#shared, WAITING, waiting);
    }
  }

  /** A serving thread has seen the mount's end. */
  end(): void {
    Atomics.add(this.#shared, WAITING, ENDED);
    Atomics.notify(this.#shared, WAITING);
  }
}
