import { base64urlUnpadded, concat, fromBase64url, utf8 } from "#crypto/bytes";
import { type PublicKey, publicKeyOf, type SecretKey, sign, type SignatureAlgorithm, verify } from "#crypto/keys";
import { bool, type Codec, decode, DecodeError, encode, int64, str, tail, transform } from "#protocol/codec";
import { struct } from "#protocol/combine";

/** The request header that carries a claim. */
export const GATEWAY_HEADER = "x-smp-edge-gateway";

/** What a gateway says of the TLS client for which it opens a connection. */
export interface GatewayClaim {
  /** The client's TLS Finished (`tls-unique`), 12 to 64 bytes: the session id that this client expects. */
  readonly sessionId: Uint8Array;
  /** Whether an application protocol was negotiated. Clients that offer none are from the time of version 6. */
  readonly alpn: boolean;
  /** Milliseconds since 1970. */
  readonly time: number;
}

/** A claim is not from a gateway of this relay, or not from now. */
export class GatewayClaimError extends Error {
  override readonly name = "GatewayClaimError";
}

// TLS 1.2 has 12 bytes of verify_data, TLS 1.3 as many as its hash: 64 is that of SHA-512.
const SESSION_ID = { min: 12, max: 64 } as const;
/** Milliseconds by which the clocks of gateway and relay may differ. */
const TOLERANCE = 120_000;
/** A claim with the longest session id and signature takes 252. */
const LONGEST_TEXT = 400;

/**
 * The online key also signs session keys (they begin with 0x30), proofs for web clients (64 bytes that a stranger half
 * chooses) and TLS handshakes (they begin with spaces). A claim begins with this and is longer than 64 bytes.
 */
const LABEL = utf8("smp-edge gateway claim 1: the session of a TLS client");

const sessionId = transform(str, checkLength, checkLength);

const claimCodec: Codec<GatewayClaim> = struct<GatewayClaim>({ sessionId, alpn: bool, time: int64 });

const signedClaim = struct<{ readonly claim: GatewayClaim; readonly signature: Uint8Array }>({
  claim: claimCodec,
  signature: tail,
});

function checkLength(id: Uint8Array): Uint8Array {
  if (id.length < SESSION_ID.min || id.length > SESSION_ID.max) {
    throw new RangeError(`a session id has ${SESSION_ID.min} to ${SESSION_ID.max} bytes, not ${id.length}`);
  }
  return id;
}

const signedBytes = (claim: GatewayClaim): Uint8Array => concat(LABEL, encode(claimCodec, claim));

/**
 * The header's text: base64url of Str session id, Bool ALPN, Int64 time and the signature of the relay's online key.
 * @throws RangeError when the session id is no Finished of TLS.
 */
export function signGatewayClaim(claim: GatewayClaim, key: SecretKey<SignatureAlgorithm>): string {
  return base64urlUnpadded(encode(signedClaim, { claim, signature: sign(key, signedBytes(claim)) }));
}

function read(text: string): { readonly claim: GatewayClaim; readonly signature: Uint8Array } {
  try {
    if (text.length > LONGEST_TEXT) throw new RangeError("too long");
    return decode(signedClaim, fromBase64url(text));
  } catch (cause) {
    if (!(cause instanceof DecodeError || cause instanceof RangeError)) throw cause;
    throw new GatewayClaimError("the gateway's claim cannot be read; update the gateway", { cause });
  }
}

/** The claim, once its signature and its time hold. @throws GatewayClaimError */
export function verifyGatewayClaim(text: string, key: PublicKey<SignatureAlgorithm>, now: number): GatewayClaim {
  const { claim, signature } = read(text);
  if (!verify(key, signedBytes(claim), signature)) {
    throw new GatewayClaimError("the gateway's claim is not signed with this relay's online key");
  }
  const age = now - claim.time;
  if (Math.abs(age) > TOLERANCE) {
    const seconds = `${Math.round(Math.abs(age) / 1000)} s`;
    const when = age > 0 ? `${seconds} old` : `${seconds} in the future`;
    throw new GatewayClaimError(`the gateway's claim is ${when}; set the clocks of gateway and relay`);
  }
  return claim;
}

/** The claim that comes with an upgrade request; null from who is no gateway. @throws GatewayClaimError */
export function readGatewayClaim(
  header: string | null,
  key: SecretKey<SignatureAlgorithm>,
  now: number,
): GatewayClaim | null {
  return header === null ? null : verifyGatewayClaim(header, publicKeyOf(key), now);
}
