/** A copy as WebCrypto's types want it: in memory that is shared with nobody. */
export function unshared(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}
