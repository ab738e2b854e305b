import { concat, utf8 } from "#crypto/bytes";
import { type PublicKey, type SignatureAlgorithm, verify } from "#crypto/keys";
import { large, word16 } from "#protocol/codec";
import { struct } from "#protocol/combine";
import { distrust, refuse } from "../errors.ts";
import { SIGNATURE_SCHEMES } from "../suite.ts";
import { type HandshakeMessage, readMessage } from "./message.ts";

export interface CertificateVerify {
  readonly scheme: number;
  readonly signature: Uint8Array;
}

/** RFC 8446 section 4.4.3. */
export const certificateVerify = struct<CertificateVerify>({ scheme: word16, signature: large });

/** What the server signs: of the hash of all that was said up to its certificate. */
export function signedByServer(transcriptHash: Uint8Array): Uint8Array {
  const label = utf8("TLS 1.3, server CertificateVerify");
  return concat(new Uint8Array(64).fill(0x20), label, Uint8Array.of(0), transcriptHash);
}

/** The server has the secret key of its leaf certificate. @throws TlsError */
export function checkCertificateVerify(
  message: HandshakeMessage,
  leafKey: PublicKey<SignatureAlgorithm>,
  transcriptHash: Uint8Array,
): void {
  const { scheme, signature } = readMessage(message, "certificate_verify", certificateVerify);
  if (scheme !== SIGNATURE_SCHEMES[leafKey.algorithm]) {
    const claimed = `certificate_verify has scheme 0x${scheme.toString(16)}`;
    refuse("illegal_parameter", `${claimed}, the certificate has a key of ${leafKey.algorithm}`);
  }
  if (!verify(leafKey, signedByServer(transcriptHash), signature)) {
    distrust("decrypt_error", "the server does not have the secret key of its certificate");
  }
}
