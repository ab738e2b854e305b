import { utf8 } from "#crypto/bytes";
import type { SignatureAlgorithm } from "#crypto/keys";

// All that this client speaks; what the official servers of SMP prefer (SMP transport, TLS).

export const TLS_1_2 = 0x0303;
export const TLS_1_3 = 0x0304;
export const TLS_CHACHA20_POLY1305_SHA256 = 0x1303;
/** NamedGroup. */
export const X25519 = 0x001d;
/** Bytes of an X25519 public key. */
export const X25519_LENGTH = 32;
/** SignatureScheme. */
export const SIGNATURE_SCHEMES: Readonly<Record<SignatureAlgorithm, number>> = { Ed25519: 0x0807, Ed448: 0x0808 };
/** The application protocol that ALPN names. */
export const SMP = "smp/1";
export const SMP_NAME: Uint8Array = utf8(SMP);
