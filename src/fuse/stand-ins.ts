import type { Device } from "./session.ts";

/**
 * Threads beside the serving ones that answer requests only while those all wait for the image's
 * disk. Always awake they would cost warm reads; without them two reads that wait keep all others
 * waiting, of which a disk could serve many at once.
 */
export const STAND_INS = 4;

/** Requests that a stand-in goes on to take when it is not needed: to fall asleep costs more. */
const LINGER = 32;

/** Added at the end to the number of those that wait, so that all stand-ins go on and see the end. */
const ENDED = 2 ** 20;

/** How many threads wait is shared by all threads of a mount. */
export class StandIns {
  readonly shared: Int32Array;
  readonly #serving: number;

  /** `serving`: threads that are no stand-ins. */
  constructor(serving: number, shared: Int32Array = new Int32Array(new SharedArrayBuffer(4))) {
    this.#serving = serving;
    this.shared = shared;
  }

  /** Around a read that has to wait. */
  readonly whileWaiting = <T>(read: () => T): T => {
    const waiting = Atomics.add(this.shared, 0, 1) + 1;
    if (waiting >= this.#serving) Atomics.notify(this.shared, 0, 1);
    try {
      return read();
    } finally {
      Atomics.sub(this.shared, 0, 1);
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
    return Atomics.load(this.shared, 0) >= this.#serving;
  }

  #untilNeeded(): void {
    for (;;) {
      const waiting = Atomics.load(this.shared, 0);
      if (waiting >= this.#serving) return;
      Atomics.wait(this.shared, 0, waiting);
    }
  }

  /** A serving thread has seen the mount's end. */
  end(): void {
    Atomics.add(this.shared, 0, ENDED);
    Atomics.notify(this.shared, 0);
  }
}
