import { readSync, writeSync } from "node:fs";
import { ImageBackupError } from "../bytes/errors.ts";
import { EINVAL, EIO, ENOSYS, MAJOR, MAX_READ, REQUEST_BUFFER } from "./abi.ts";
import { answer, fileOf, type ServedFiles } from "./filesystem.ts";
import { negotiate } from "./init.ts";
import type { KilledClients } from "./killed-clients.ts";
import { type Outcome, ReplyBuffer } from "./reply.ts";
import { clientOf, type Malformed, parseRequest, type Request } from "./request.ts";
import { describe } from "./trace.ts";

/** What a serving thread tells the main thread. */
export type SessionMessage =
  /** INIT is answered: the mount can be used. */
  | { readonly type: "init"; readonly minor: number; readonly maxReadahead: number }
  /** The kernel cannot be served; the line is for people. */
  | { readonly type: "refused"; readonly line: string }
  /** Something failed for the first time in this thread; `kind` tells repetitions apart. */
  | { readonly type: "log"; readonly kind: string; readonly line: string }
  /** One request and its outcome, for `--debug_fuse`. */
  | { readonly type: "debug"; readonly line: string }
  /** The file system is unmounted, this thread has nothing more to do. */
  | { readonly type: "end" };

/** /dev/fuse, or what stands for it in a test. Both throw errors with a `code`, as node:fs does. */
export interface Device {
  read(into: Uint8Array): number;
  write(bytes: Uint8Array, start: number, length: number): number;
}

export interface Session {
  readonly device: Pick<Device, "write">;
  readonly files: ServedFiles;
  /** Send one `debug` message per request. */
  readonly debug: boolean;
  /** Ends waits early; where requests are answered one after the other, none would be noticed. */
  readonly killed?: KilledClients;
  post(message: SessionMessage): void;
}

/** The device of a blocking /dev/fuse descriptor. */
export const fuseDevice = (fd: number): Device => ({
  read: (into) => readSync(fd, into, 0, into.length, null),
  write: (bytes, start, length) => writeSync(fd, bytes, start, length),
});

const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error ? String(error.code) : "unexpected";

/** Errors that name their place in the image are told apart by it: each bad strip is said. */
const kindOf = (error: unknown): string => {
  const isPlaced = error instanceof ImageBackupError && error.code === "BAD_CHECKSUM";
  return isPlaced ? `${error.code} at ${error.imageOffset}` : codeOf(error);
};

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

/** FUS-END: a request was withdrawn, a signal came: read again. */
const READ_AGAIN: ReadonlySet<string> = new Set(["EINTR", "EAGAIN", "ENOENT"]);

/** FUS-REPLY-PENDING: the request is gone, or the whole file system is; nobody waits. */
const NOBODY_WAITS: ReadonlySet<string> = new Set(["ENOENT", "ENODEV"]);

/** The length of one request; null at the end (FUS-END). */
export function receive(device: Device, buffer: Uint8Array): number | null {
  for (;;) {
    try {
      return device.read(buffer);
    } catch (error) {
      const code = codeOf(error);
      if (code === "ENODEV") return null;
      if (!READ_AGAIN.has(code)) throw error;
    }
  }
}

export type Log = (kind: string, line: string) => void;

/** Kinds of errors that are said: a hostile image can have billions of bad strips. */
const MOST_LOGGED = 1000;

/** Says what went wrong once per kind: a damaged area is read thousands of times. */
export function onceLogger(post: Session["post"]): Log {
  const seen = new Set<string>();
  return (kind, line) => {
    if (seen.has(kind) || seen.size > MOST_LOGGED) return;
    seen.add(kind);
    if (seen.size <= MOST_LOGGED) post({ type: "log", kind, line });
    else post({ type: "log", kind: "more", line: "more errors like these are not told" });
  };
}

/** FUS-READ-ERROR: whatever is thrown becomes EIO for this request, and the session goes on. */
function failed({ files }: Session, { node }: Request, error: unknown, log: Log): Outcome {
  const { name } = fileOf(files, node) ?? files[0];
  const kind = files.length === 1 ? kindOf(error) : `${name}: ${kindOf(error)}`;
  log(kind, `${name}: input/output error: ${messageOf(error)}`);
  return EIO;
}

function outcomeOf(
  request: Request | Malformed,
  reply: ReplyBuffer,
  session: Session,
  log: Log,
): Outcome | null | Promise<Outcome> {
  if (request.kind === "malformed") {
    if (!request.unknown)
      log("malformed", `a request from the kernel makes no sense: ${request.why}`);
    if (request.unique === null) return null;
    return request.unknown ? ENOSYS : EINVAL;
  }
  try {
    const outcome = answer(session.files, request, reply);
    if (!(outcome instanceof Promise)) return outcome;
    return outcome.catch((error) => failed(session, request, error, log));
  } catch (error) {
    return failed(session, request, error, log);
  }
}

/** FUS-REPLY-PENDING: a reply the kernel does not take leaves its client waiting: send an EIO. */
function send(
  device: Session["device"],
  unique: bigint,
  outcome: Outcome,
  reply: ReplyBuffer,
  log: Log,
): void {
  try {
    device.write(reply.bytes, reply.start, reply.finish(unique, outcome));
  } catch (error) {
    if (NOBODY_WAITS.has(codeOf(error))) return;
    log("reply", `the kernel did not take a reply: ${messageOf(error)}`);
    if (outcome !== EIO) send(device, unique, EIO, reply, log);
  }
}

/**
 * FUS-INIT-VERSION: answers INIT, and only then says so: the kernel sets the readahead while it
 * takes the reply, and the main thread raises it after that.
 */
function initialize(request: Request, reply: ReplyBuffer, session: Session, log: Log): Outcome {
  const { outcome, agreed } = negotiate(request, reply);
  const { kernelMajor, kernelMinor, minor, maxReadahead } = agreed;
  send(session.device, request.unique, outcome, reply, log);
  if (typeof outcome !== "number") {
    const line = `the kernel speaks FUSE ${kernelMajor}.${kernelMinor}, too old to be served: Linux 3.15 or newer is needed`;
    session.post({ type: "refused", line });
  } else if (kernelMajor === MAJOR) {
    session.post({ type: "init", minor, maxReadahead });
  }
  return outcome;
}

/**
 * The engine collects garbage when the heap has doubled, and counts a shared bitmap of 512 MiB in:
 * without help each thread piles up as much again before it looks (1.1 GB after 350,000 reads,
 * 0.6 GB with it). Takes 2 ms or more: every 8192 requests it cost small reads up to 7 %.
 */
const COLLECT_EVERY = 32768;

/**
 * Answers the request in the first `length` bytes of `view`; what need not wait is done at once.
 * `reply` is free when the promise is resolved.
 */
export function handleRequest(
  session: Session,
  view: DataView,
  length: number,
  reply: ReplyBuffer,
  log: Log,
): void | Promise<void> {
  const request = parseRequest(view, length);
  if (request.kind === "request" && request.operation.name === "INIT") {
    return tell(session, request, initialize(request, reply, session, log));
  }
  const outcome = outcomeOf(request, reply, session, log);
  if (!(outcome instanceof Promise)) return finish(session, request, outcome, reply, log);
  const first = session.killed?.first(clientOf(view), outcome) ?? outcome;
  const replied = first.then((one) => finish(session, request, one, reply, log));
  // The payload may be written to until then, whatever was replied.
  return replied.then(() => outcome.then(() => {}));
}

function finish(
  session: Session,
  request: Request | Malformed,
  outcome: Outcome | null,
  reply: ReplyBuffer,
  log: Log,
): void {
  if (outcome !== null && request.unique !== null) {
    send(session.device, request.unique, outcome, reply, log);
  }
  tell(session, request, outcome);
}

function tell(session: Session, request: Request | Malformed, outcome: Outcome | null): void {
  if (session.debug) session.post({ type: "debug", line: describe(request, outcome) });
}

/** Serves requests from the device, one after the other, until the file system is unmounted. */
export async function serveRequests(session: Session & { readonly device: Device }): Promise<void> {
  const buffer = new Uint8Array(REQUEST_BUFFER);
  const view = new DataView(buffer.buffer);
  const reply = new ReplyBuffer(MAX_READ);
  const log = onceLogger(session.post);
  for (let served = 1; ; served++) {
    if (served % COLLECT_EVERY === 0) Bun.gc(true);
    const length = receive(session.device, buffer);
    if (length === null) break;
    const pending = handleRequest(session, view, length, reply, log);
    // Awaiting what is there already would cost a tenth of a small read.
    if (pending) await pending;
  }
  session.post({ type: "end" });
}
