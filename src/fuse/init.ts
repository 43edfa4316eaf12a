import {
  CONGESTION_THRESHOLD,
  EPROTO,
  INIT_FLAGS,
  INIT_IN,
  INIT_OUT,
  MAJOR,
  MAX_BACKGROUND,
  MAX_PAGES,
  MAX_READAHEAD,
  MAX_WRITE,
  NEWEST_MINOR,
  OLDEST_MINOR,
} from "./abi.ts";
import type { Outcome, ReplyBuffer } from "./reply.ts";
import { decode, type Request } from "./request.ts";

/** What kernel and server agreed on. */
export interface Negotiated {
  readonly kernelMajor: number;
  readonly kernelMinor: number;
  readonly minor: number;
  readonly flags: number;
  readonly maxReadahead: number;
}

const WANTED = Object.values(INIT_FLAGS);

/** FUS-INIT-FLAGS: those we want of those the kernel has; arithmetic, as bit 31 is a sign in JS. */
function commonFlags(offered: number): number {
  const has = (flag: number) => Math.floor(offered / flag) % 2 === 1;
  return WANTED.filter(has).reduce((sum, flag) => sum + flag, 0);
}

/** FUS-INIT-VERSION, FUS-INIT-FLAGS, FUS-INIT-LIMITS: answers INIT, or refuses a kernel too old. */
export function negotiate(
  request: Request,
  reply: ReplyBuffer,
): { readonly outcome: Outcome; readonly agreed: Negotiated } {
  const offer = decode(INIT_IN, request);
  const agreed: Negotiated = {
    kernelMajor: offer.major,
    kernelMinor: offer.minor,
    minor: Math.min(offer.minor, NEWEST_MINOR),
    flags: commonFlags(offer.flags),
    maxReadahead: Math.min(offer.maxReadahead, MAX_READAHEAD),
  };
  // A newer major is told ours, and asks again in it.
  if (offer.major > MAJOR) {
    return { outcome: reply.put(INIT_OUT, { major: MAJOR, minor: NEWEST_MINOR }), agreed };
  }
  if (offer.major < MAJOR || offer.minor < OLDEST_MINOR) return { outcome: EPROTO, agreed };
  const outcome = reply.put(INIT_OUT, {
    major: MAJOR,
    minor: agreed.minor,
    maxReadahead: agreed.maxReadahead,
    flags: agreed.flags,
    maxBackground: MAX_BACKGROUND,
    congestionThreshold: CONGESTION_THRESHOLD,
    maxWrite: MAX_WRITE,
    timeGranularity: 1,
    maxPages: MAX_PAGES,
  });
  return { outcome, agreed };
}
