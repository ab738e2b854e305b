/** The only source of randomness of the project. Never called at module scope: Workers forbid it there. */
export function randomBytes(length: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(length));
}

/** A uniform number in [0, 1), for jitter only. */
export function randomFraction(): number {
  return new DataView(randomBytes(4).buffer).getUint32(0) / 2 ** 32;
}
