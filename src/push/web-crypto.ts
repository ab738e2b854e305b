// The platform's types by what its functions take and give: Workers, Node and browsers name and place them differently.

export type Subtle = typeof crypto.subtle;
export type PlatformKey = Awaited<ReturnType<Subtle["importKey"]>>;

export interface PlatformKeyPair {
  readonly privateKey: PlatformKey;
  readonly publicKey: PlatformKey;
}

/** The fields of a JSON Web Key of P-256 (RFC 7518 section 6.2), base64url. */
export interface P256Jwk {
  readonly x?: string;
  readonly y?: string;
  readonly d?: string;
}
