/**
 * The names that split(1) gives the pieces of a file: letters (`aa`, `ab`, …) or digits (`000`,
 * `001`, …), counted up. With a suffix of two, GNU split makes room when it runs out: after `yz`
 * comes `zaaa`, after `zyzz` comes `zzaaaa`, so that the names still sort; with `-a 2`, as POSIX
 * has it, it goes on with `za` and fails after `zz`.
 */

/** What a name of a piece ends in, after a dot. */
const SUFFIX = /^(?:[a-z]{2,}|\d{2,})$/;
/** Names of files that are no pieces, though they end in letters. */
const EXTENSIONS: ReadonlySet<string> = new Set(
  "img gz xz lz zst lzo lzma lzip lrz raw dd bin iso txt info list log bak old vhd asc crc sha sig tmp".split(
    " ",
  ),
);
/** Only suffixes of this length grow. */
const GROWING = 2;

interface Alphabet {
  readonly first: string;
  readonly last: string;
}

const LETTERS: Alphabet = { first: "a", last: "z" };
const DIGITS: Alphabet = { first: "0", last: "9" };

const alphabetOf = (suffix: string): Alphabet => (/\d/.test(suffix) ? DIGITS : LETTERS);

export const isSuffix = (text: string): boolean => SUFFIX.test(text);
export const isExtension = (text: string): boolean => EXTENSIONS.has(text);

/** The first suffixes of the sequences that `suffix` may belong to. */
export function firstSuffixes(suffix: string): string[] {
  const { first } = alphabetOf(suffix);
  const sameLength = first.repeat(suffix.length);
  return isGrown(suffix) ? [sameLength, first.repeat(GROWING)] : [sameLength];
}

/** Can the suffix be one that grew? Then it is k times the last letter, and k + 2 others. */
function isGrown(suffix: string): boolean {
  const { last } = alphabetOf(suffix);
  const leading = leadingOf(suffix, last);
  return leading > 0 && suffix.length === GROWING + 2 * leading;
}

/** Does a sequence that begins with `first` have a piece of this name? */
export function isOfSequence(first: string, suffix: string): boolean {
  return firstSuffixes(suffix).includes(first);
}

/** What may follow in the sequence that begins with `first`; nothing after its last name. */
export function successors(first: string, suffix: string): string[] {
  const next = countedUp(suffix);
  if (next === null) return [];
  const { first: zero, last } = alphabetOf(suffix);
  const leading = leadingOf(suffix, last);
  const hasGrown = suffix.length > GROWING;
  const mayGrow = first.length === GROWING && (hasGrown || leading === 0);
  if (!mayGrow || leadingOf(next, last) === leading) return [next];
  const grown = last.repeat(leading + 1) + zero.repeat(GROWING + leading + 1);
  return hasGrown ? [grown] : [next, grown];
}

const leadingOf = (suffix: string, letter: string): number =>
  suffix.length - suffix.replace(new RegExp(`^${letter}+`), "").length;

/** The next one of the same length; `null` after the last. */
function countedUp(suffix: string): string | null {
  const { first, last } = alphabetOf(suffix);
  const kept = suffix.replace(new RegExp(`${last}+$`), "");
  if (kept === "") return null;
  const raised = String.fromCharCode(kept.charCodeAt(kept.length - 1) + 1);
  return kept.slice(0, -1) + raised + first.repeat(suffix.length - kept.length);
}
