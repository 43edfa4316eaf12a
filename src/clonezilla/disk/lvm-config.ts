/** A section of LVM's own language: its values and the sections in it, by their names. */
export type Section = ReadonlyMap<string, Value>;
export type Value = number | string | readonly Value[] | Section;

/** Deeper than any volume group. */
const MOST_DEPTH = 16;

/** Words and marks; what is between them is white space and remarks. */
const TOKEN =
  /\s+|#[^\n]*|"((?:[^"\\]|\\.)*)"|(-?\d+(?:\.\d+)?)(?![\w.-])|([\w.+-]+)|([{}[\]=,])/gy;

interface Token {
  readonly kind: "string" | "number" | "name" | "mark";
  readonly text: string;
}

/** Reads what vgcfgbackup writes; `null`: it is none of that. */
export function parseLvmConfig(text: string): Section | null {
  const tokens = tokensOf(text);
  return tokens && new Parser(tokens).whole();
}

function tokensOf(text: string): Token[] | null {
  const tokens: Token[] = [];
  let end = 0;
  for (const match of text.matchAll(TOKEN)) {
    const [all, string, number, name, mark] = match;
    end = match.index + all.length;
    if (string !== undefined) {
      tokens.push({ kind: "string", text: string.replace(/\\(.)/gs, "$1") });
    } else if (number !== undefined) tokens.push({ kind: "number", text: number });
    else if (name !== undefined) tokens.push({ kind: "name", text: name });
    else if (mark !== undefined) tokens.push({ kind: "mark", text: mark });
  }
  return end === text.length ? tokens : null;
}

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  whole(): Section | null {
    const section = this.#section(0);
    return section && this.#at === this.#tokens.length ? section : null;
  }

  /** Up to its closing brace, or the end. */
  #section(depth: number): Section | null {
    const section = new Map<string, Value>();
    while (this.#at < this.#tokens.length && !this.#isMark("}")) {
      const name = this.#tokens[this.#at++];
      // Names of volumes may look like numbers.
      if (name?.kind !== "name" && name?.kind !== "number") return null;
      const value = this.#taken("=") ? this.#value(depth) : this.#braced(depth);
      if (value === null) return null;
      section.set(name.text, value);
    }
    return section;
  }

  #braced(depth: number): Section | null {
    if (depth >= MOST_DEPTH || !this.#taken("{")) return null;
    const section = this.#section(depth + 1);
    return this.#taken("}") ? section : null;
  }

  #value(depth: number): Value | null {
    if (depth >= MOST_DEPTH) return null;
    if (!this.#taken("[")) {
      const token = this.#tokens[this.#at++];
      if (token?.kind === "string") return token.text;
      return token?.kind === "number" ? Number(token.text) : null;
    }
    const list: Value[] = [];
    while (!this.#taken("]")) {
      const value = this.#value(depth + 1);
      if (value === null) return null;
      list.push(value);
      if (!this.#taken(",") && !this.#isMark("]")) return null;
    }
    return list;
  }

  #isMark(mark: string): boolean {
    const token = this.#tokens[this.#at];
    return token?.kind === "mark" && token.text === mark;
  }

  #taken(mark: string): boolean {
    const isThere = this.#isMark(mark);
    if (isThere) this.#at++;
    return isThere;
  }
}
