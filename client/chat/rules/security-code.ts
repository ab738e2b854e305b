import { hex } from "#crypto/bytes";

const plain = (shown: string): string => shown.replace(/\s/gu, "").toLowerCase();

/** A security code as people compare it with official apps: the big-endian number that it is, in groups of five digits. */
export function codeText(code: Uint8Array): string {
  const digits = BigInt(`0x${hex(code)}`).toString();
  return digits.match(/.{1,5}/gu)?.join(" ") ?? digits;
}

/** Whether somebody shows this code: its digits or its bytes in hex, with blanks anywhere. */
export function isSameCode(code: Uint8Array, shown: string): boolean {
  const theirs = plain(shown);
  return theirs === plain(codeText(code)) || theirs === hex(code);
}
