import { MessageError } from "./errors.ts";

// Descriptions of calls and their candidates travel as JSON in the format of the JavaScript library lz-string: LZ78
// over UTF-16 units. A code is written least significant bit first, and as wide as the highest code so far needs;
// bits fill base64 digits from the highest one. Codes up to 2 are no phrases.

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const DIGIT_BITS = 6;

/** A unit of 8 bits follows, which is a phrase from here on. */
const NEW_8 = 0;
const NEW_16 = 1;
const END = 2;
const FIRST_PHRASE = 3;

/** UTF-16 units that a text may hold. Descriptions of calls are of some thousand. */
export const MAX_SIGNAL_LENGTH = 262_144;

/** How wide a code is. Wider by a bit whenever so many phrases were counted as the width allows. */
class Width {
  bits: number;
  #left: number;

  constructor(bits: number, left: number) {
    this.bits = bits;
    this.#left = left;
  }

  count(): void {
    this.#left--;
    if (this.#left > 0) return;
    this.#left = 2 ** this.bits;
    this.bits++;
  }
}

class BitWriter {
  readonly #digits: string[] = [];
  #value = 0;
  #filled = 0;

  write(value: number, bits: number): void {
    for (let i = 0; i < bits; i++) {
      this.#value = (this.#value << 1) | ((value >> i) & 1);
      this.#filled++;
      if (this.#filled === DIGIT_BITS) this.#flush();
    }
  }

  #flush(): void {
    this.#digits.push(DIGITS.charAt(this.#value));
    this.#value = 0;
    this.#filled = 0;
  }

  done(): string {
    // At least one bit: the library fills up a digit that is full.
    this.write(0, DIGIT_BITS - this.#filled);
    return this.#digits.join("");
  }
}

class BitReader {
  readonly #values: readonly number[];
  #position = 0;

  constructor(text: string) {
    const digits = /^([A-Za-z0-9+/]+)=*$/.exec(text)?.[1];
    if (digits === undefined) throw new MessageError("must be base64");
    this.#values = Array.from(digits, (digit) => DIGITS.indexOf(digit));
  }

  read(bits: number): number {
    let value = 0;
    for (let i = 0; i < bits; i++) {
      const digit = this.#values[Math.floor(this.#position / DIGIT_BITS)];
      if (digit === undefined) throw new MessageError("the compressed text ends too early");
      value |= ((digit >> (DIGIT_BITS - 1 - (this.#position % DIGIT_BITS))) & 1) << i;
      this.#position++;
    }
    return value;
  }
}

/** The phrase that continues another one, or none (0), with a unit. */
const phraseKey = (phrase: number, unit: number): number => phrase * 0x1_0000 + unit;

/** As `compressToBase64` of lz-string. */
export function compressSignal(text: string): string {
  const phrases = new Map<number, number>();
  const unwritten = new Set<number>();
  const width = new Width(2, 2);
  const writer = new BitWriter();
  let next = FIRST_PHRASE;

  const add = (key: number): number => {
    phrases.set(key, next);
    return next++;
  };
  const write = (phrase: number, firstUnit: number): void => {
    if (unwritten.delete(phrase)) {
      const isShort = firstUnit < 256;
      writer.write(isShort ? NEW_8 : NEW_16, width.bits);
      writer.write(firstUnit, isShort ? 8 : 16);
      width.count();
    } else writer.write(phrase, width.bits);
    width.count();
  };

  let phrase = 0;
  let firstUnit = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (!phrases.has(unit)) unwritten.add(add(unit));
    const longer = phrases.get(phraseKey(phrase, unit));
    if (longer !== undefined) {
      if (phrase === 0) firstUnit = unit;
      phrase = longer;
      continue;
    }
    write(phrase, firstUnit);
    add(phraseKey(phrase, unit));
    phrase = phrases.get(unit) ?? 0;
    firstUnit = unit;
  }
  if (phrase !== 0) write(phrase, firstUnit);
  writer.write(END, width.bits);
  const digits = writer.done();
  return digits.padEnd(Math.ceil(digits.length / 4) * 4, "=");
}

/** As `decompressFromBase64` of lz-string. @throws MessageError when the text is damaged or too long. */
export function decompressSignal(compressed: string, limit = MAX_SIGNAL_LENGTH): string {
  const reader = new BitReader(compressed);
  const width = new Width(2, 2);
  const phrases: string[] = [];
  const parts: string[] = [];
  let length = 0;
  let last = "";

  for (;;) {
    const code = reader.read(width.bits);
    if (code === END) return parts.join("");
    let phrase = phrases[code - FIRST_PHRASE];
    if (code === NEW_8 || code === NEW_16) {
      phrase = String.fromCharCode(reader.read(code === NEW_8 ? 8 : 16));
      phrases.push(phrase);
      width.count();
    } else if (code - FIRST_PHRASE === phrases.length && last !== "") phrase = last + last.charAt(0);
    if (phrase === undefined) throw new MessageError("the compressed text is damaged");
    length += phrase.length;
    if (length > limit) throw new MessageError(`the compressed text holds more than ${limit} characters`);
    // Before the first phrase there is none that it continues.
    if (last !== "") phrases.push(last + phrase.charAt(0));
    width.count();
    parts.push(phrase);
    last = phrase;
  }
}
