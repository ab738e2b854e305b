import { EMPTY, utf8, wipe } from "#crypto/bytes";
import { sha256 } from "#crypto/hash";
import { expandSha256, extractSha256, hmacSha256, SHA256_LENGTH } from "#crypto/hkdf-sha256";
import { encode, str, word16 } from "#protocol/codec";
import { struct } from "#protocol/combine";

// RFC 8446 section 7.1, with SHA-256 and without pre-shared keys.

const hkdfLabel = struct<{ length: number; label: Uint8Array; context: Uint8Array }>({
  length: word16,
  label: str,
  context: str,
});

/** HKDF-Expand-Label. */
export function expandLabel(secret: Uint8Array, label: string, context: Uint8Array, length: number): Uint8Array {
  return expandSha256(secret, encode(hkdfLabel, { length, label: utf8(`tls13 ${label}`), context }), length);
}

/** Derive-Secret, of the hash of a transcript. */
function deriveSecret(secret: Uint8Array, label: string, transcriptHash: Uint8Array): Uint8Array {
  return expandLabel(secret, label, transcriptHash, SHA256_LENGTH);
}

/** A stage's secrets for what each side sends: 32 bytes each. */
export interface TrafficSecrets {
  readonly client: Uint8Array;
  readonly server: Uint8Array;
}

/** The secrets of the handshake, and the one from which those of the application follow. */
export interface HandshakeSecrets extends TrafficSecrets {
  readonly master: Uint8Array;
}

/** From the raw X25519 output and the hash of ClientHello and ServerHello. */
export function handshakeSecrets(shared: Uint8Array, transcriptHash: Uint8Array): HandshakeSecrets {
  const [zeros, emptyHash] = [new Uint8Array(SHA256_LENGTH), sha256(EMPTY)];
  const early = extractSha256(EMPTY, zeros);
  const handshake = extractSha256(deriveSecret(early, "derived", emptyHash), shared);
  const secrets = {
    client: deriveSecret(handshake, "c hs traffic", transcriptHash),
    server: deriveSecret(handshake, "s hs traffic", transcriptHash),
    master: extractSha256(deriveSecret(handshake, "derived", emptyHash), zeros),
  };
  wipe(handshake);
  return secrets;
}

/** From the master secret and the hash of ClientHello up to the server's Finished. */
export function applicationSecrets(master: Uint8Array, transcriptHash: Uint8Array): TrafficSecrets {
  return {
    client: deriveSecret(master, "c ap traffic", transcriptHash),
    server: deriveSecret(master, "s ap traffic", transcriptHash),
  };
}

/** What follows a traffic secret after a KeyUpdate (RFC 8446 section 7.2). */
export function nextSecret(secret: Uint8Array): Uint8Array {
  return deriveSecret(secret, "traffic upd", EMPTY);
}

/** verify_data in the Finished of the side whose handshake secret it is (RFC 8446 section 4.4.4): 32 bytes. */
export function verifyData(secret: Uint8Array, transcriptHash: Uint8Array): Uint8Array {
  const finishedKey = deriveSecret(secret, "finished", EMPTY);
  const data = hmacSha256(finishedKey, transcriptHash);
  wipe(finishedKey);
  return data;
}
