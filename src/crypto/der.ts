import { concat } from "./bytes.ts";
import { CertificateError } from "./errors.ts";

/** The DER tags (ITU-T X.690) that certificates of SimpleX use. */
export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
  version: 0xa0,
  extensions: 0xa3,
} as const;

/** One tag-length-value: `der` is the whole of it, `content` what is inside; both are views of the input. */
export interface Element {
  readonly tag: number;
  readonly der: Uint8Array;
  readonly content: Uint8Array;
}

function readElement(input: Uint8Array, start: number): Element {
  const tag = input[start];
  const first = input[start + 1];
  if (tag === undefined || first === undefined) throw new CertificateError("DER ends inside a header");
  if ((tag & 0x1f) === 0x1f) throw new CertificateError("DER tag of several bytes is not used in certificates");
  let length = first;
  let header = 2;
  if (first >= 0x80) {
    const count = first & 0x7f;
    if (count === 0 || count > 3) throw new CertificateError("DER length is indefinite or too long");
    length = 0;
    for (let i = 0; i < count; i++) length = length * 256 + (input[start + 2 + i] ?? 0);
    header += count;
    if (length < 0x80 || length < 256 ** (count - 1)) throw new CertificateError("DER length is not minimal");
  }
  const end = start + header + length;
  if (end > input.length) throw new CertificateError("DER element is longer than what holds it");
  return { tag, der: input.subarray(start, end), content: input.subarray(start + header, end) };
}

/** All elements that stand side by side in `input`, which they fill exactly. @throws CertificateError */
export function readElements(input: Uint8Array): Element[] {
  const elements: Element[] = [];
  for (let offset = 0; offset < input.length;) {
    const element = readElement(input, offset);
    elements.push(element);
    offset += element.der.length;
  }
  return elements;
}

/** The one element that `input` is. @throws CertificateError when it is another or more follows. */
export function readOne(input: Uint8Array, tag: number): Element {
  const element = readElement(input, 0);
  if (element.tag !== tag) throw new CertificateError(`expected DER tag ${tag}, found ${element.tag}`);
  if (element.der.length !== input.length) throw new CertificateError("bytes follow the DER element");
  return element;
}

/** The bits of a BIT STRING of whole bytes. */
export function readBitString(element: Element): Uint8Array {
  if (element.tag !== TAG.bitString || element.content[0] !== 0) throw new CertificateError("expected a BIT STRING of whole bytes");
  return element.content.subarray(1);
}

export function writeElement(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const content = concat(...contents);
  const { length } = content;
  if (length < 0x80) return concat(Uint8Array.of(tag, length), content);
  if (length < 0x100) return concat(Uint8Array.of(tag, 0x81, length), content);
  return concat(Uint8Array.of(tag, 0x82, length >> 8, length & 0xff), content);
}

export function writeBitString(bits: Uint8Array): Uint8Array {
  return writeElement(TAG.bitString, Uint8Array.of(0), bits);
}
