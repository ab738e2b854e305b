/** What goes wrong on the crypto floor. None of these texts holds key material. */
export class CryptoError extends Error {
  override readonly name: string = "CryptoError";
}

/** A key is malformed, of the wrong algorithm or unusable. */
export class KeyError extends CryptoError {
  override readonly name = "KeyError";
}

/** A box did not open: wrong key, wrong nonce or altered bytes. */
export class BoxError extends CryptoError {
  override readonly name = "BoxError";
}

/** A message does not fit its padded size, or padded bytes are malformed. */
export class PaddingError extends CryptoError {
  override readonly name = "PaddingError";
}

/** A certificate or a chain of them is malformed or does not hold. */
export class CertificateError extends CryptoError {
  override readonly name = "CertificateError";
}
