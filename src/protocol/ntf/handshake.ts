import { type PublicKey, type SignatureAlgorithm } from "#crypto/keys";
import { verifySignedKey } from "#crypto/signed-key";
import { KEY_HASH_LENGTH } from "../address.ts";
import { type Codec, decodePrefix, large, str, strOf, word16 } from "../codec.ts";
import { struct } from "../combine.ts";
import { readProof } from "../handshake.ts";
import { type VersionRange, versionRange } from "../version.ts";
import { NTF_VERSION } from "./version.ts";

/** The notification server's first block (NTF, transport). */
export interface NtfServerHello {
  readonly versions: VersionRange;
  readonly sessionId: Uint8Array;
  /** X25519 key in DER, signed by the key of the server's TLS certificate. Null: only version 1 is offered. */
  readonly signedKey: Uint8Array | null;
  /**
   * Signature of the same key over challenge and session id, for web clients that sent a challenge: they see no TLS
   * certificate. Our own extension at the end of the hello; official clients ignore what stands there.
   */
  readonly webIdentityProof: Uint8Array | null;
}

/** Word16 min, Word16 max, Str session id, from version 2 on Large signed key, then the optional Str proof. */
export const ntfServerHello: Codec<NtfServerHello> = {
  write(writer, { versions, sessionId, signedKey, webIdentityProof }, version) {
    versionRange.write(writer, versions, version);
    str.write(writer, sessionId, version);
    if (versions.max < NTF_VERSION.authBatch || !signedKey) return;
    large.write(writer, signedKey, version);
    if (webIdentityProof) str.write(writer, webIdentityProof, version);
  },
  read(reader, version) {
    const versions = versionRange.read(reader, version);
    const sessionId = str.read(reader, version);
    if (versions.max < NTF_VERSION.authBatch) return { versions, sessionId, signedKey: null, webIdentityProof: null };
    const signedKey = large.read(reader, version);
    const webIdentityProof = reader.remaining > 0 ? readProof(reader, version) : null;
    return { versions, sessionId, signedKey, webIdentityProof };
  },
};

/** The client's answer. There is nothing else in it: no key, no flags. */
export interface NtfClientHello {
  readonly version: number;
  /** SHA-256 of the identity certificate that the client expects, 32 bytes. */
  readonly keyHash: Uint8Array;
}

export const ntfClientHello: Codec<NtfClientHello> = struct<NtfClientHello>({
  version: word16,
  keyHash: strOf(KEY_HASH_LENGTH),
});

/** @throws DecodeError */
export function readNtfServerHello(payload: Uint8Array): NtfServerHello {
  return decodePrefix(ntfServerHello, payload);
}

/** @throws DecodeError */
export function readNtfClientHello(payload: Uint8Array): NtfClientHello {
  return decodePrefix(ntfClientHello, payload);
}

/**
 * The key of this session, null when the server offers none. `leafKey`: of the certificate that TLS has verified.
 * @throws CertificateError, KeyError
 */
export function verifyNtfServerHello(
  { signedKey }: NtfServerHello,
  leafKey: PublicKey<SignatureAlgorithm>,
): PublicKey<"X25519"> | null {
  return signedKey && verifySignedKey(signedKey, leafKey, "X25519");
}
