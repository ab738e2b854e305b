/** What was typed is not understood; the message says what would be. */
export class TypedError extends Error {
  override readonly name = "TypedError";
}

const PLAIN_NAME = /^[^\s,'"@#][^\s,]*$/u;

/** A name as it can be typed: in quotes when it holds spaces or what could be taken for something else. */
export function quoteName(name: string): string {
  if (PLAIN_NAME.test(name)) return name;
  return `'${name.replaceAll("'", "''")}'`;
}

/** Reads what was typed from left to right. */
export class Scanner {
  #rest: string;

  constructor(text: string) {
    this.#rest = text;
  }

  get rest(): string {
    return this.#rest;
  }

  /** Whether nothing but white space is left. */
  get isDone(): boolean {
    return this.#rest.trim() === "";
  }

  skip(): void {
    this.#rest = this.#rest.trimStart();
  }

  /** What the pattern finds at the beginning; the pattern has to be sticky or anchored. */
  take(pattern: RegExp): RegExpExecArray | null {
    const match = pattern.exec(this.#rest);
    if (!match || match.index !== 0) return null;
    this.#rest = this.#rest.slice(match[0].length);
    return match;
  }

  /** Takes this word, if it comes next. */
  takes(word: string): boolean {
    this.skip();
    const end = this.#rest.slice(word.length, word.length + 1);
    if (!this.#rest.toLowerCase().startsWith(word) || (end !== "" && end.trim() !== "")) return false;
    this.#rest = this.#rest.slice(word.length);
    return true;
  }

  /** The next word; empty at the end. */
  word(): string {
    this.skip();
    return this.take(/^\S+/u)?.[0] ?? "";
  }

  /** A name, in quotes or up to white space or a comma. @throws TypedError when there is none */
  name(what: string): string {
    this.skip();
    const quoted = this.take(/^'((?:[^']|'')*)'/u) ?? this.take(/^"((?:[^"]|"")*)"/u);
    const [all, inside] = quoted ?? [];
    if (all !== undefined && inside !== undefined) return inside.replaceAll(all.startsWith("'") ? "''" : '""', all.charAt(0));
    const plain = this.take(/^[^\s,]+/u)?.[0];
    if (plain === undefined) throw new TypedError(`the name of ${what} is missing`);
    return plain;
  }

  /** Names with commas between them. */
  names(what: string): string[] {
    const all: string[] = [];
    do {
      this.skip();
      this.take(/^@/u);
      all.push(this.name(what));
    } while (this.take(/^\s*,/u));
    return all;
  }

  /** A whole number, if one comes next. */
  number(): number | null {
    this.skip();
    const match = this.take(/^\d{1,9}(?!\S)/u);
    return match ? Number(match[0]) : null;
  }

  /** All that is left, without white space at its ends. */
  text(): string {
    const text = this.#rest.trim();
    this.#rest = "";
    return text;
  }

  /** @throws TypedError when something is left */
  end(): void {
    if (!this.isDone) throw new TypedError(`'${this.#rest.trim().slice(0, 40)}' is too much here`);
  }
}
