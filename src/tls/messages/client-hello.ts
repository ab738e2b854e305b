import { type Codec, encode, fixed, large, str, word16, word8 } from "#protocol/codec";
import { struct } from "#protocol/combine";
import { EXTENSION, type Extension, type ExtensionName, extensions } from "../extensions.ts";
import { SIGNATURE_SCHEMES, SMP_NAME, TLS_1_2, TLS_1_3, TLS_CHACHA20_POLY1305_SHA256, X25519 } from "../suite.ts";
import { vector } from "../vector.ts";
import { writeMessage } from "./message.ts";

/** Bytes of the random of either hello. */
export const RANDOM_LENGTH = 32;
export const SESSION_ID_LENGTH = 32;

export interface ClientHello {
  readonly legacyVersion: number;
  readonly random: Uint8Array;
  readonly legacySessionId: Uint8Array;
  readonly cipherSuites: number[];
  readonly legacyCompressionMethods: Uint8Array;
  readonly extensions: Extension[];
}

/** RFC 8446 section 4.1.2. */
export const clientHello = struct<ClientHello>({
  legacyVersion: word16,
  random: fixed(RANDOM_LENGTH),
  legacySessionId: str,
  cipherSuites: vector(word16, word16),
  legacyCompressionMethods: str,
  extensions,
});

/** A public key for one group (RFC 8446 section 4.2.8). */
export interface KeyShare {
  readonly group: number;
  readonly key: Uint8Array;
}

export const keyShare = struct<KeyShare>({ group: word16, key: large });
/** Groups, and signature schemes. */
export const numbers = vector(word16, word16);
/** RFC 7301 section 3.1. */
export const protocolNames = vector(word16, str);

function extension<T>(name: ExtensionName, codec: Codec<T>, value: T): Extension {
  return { type: EXTENSION[name], data: encode(codec, value) };
}

/**
 * The hello of this client: one version, one suite, one group with its key, one protocol, and no server name.
 * @param sessionId means nothing: with one the handshake looks like TLS 1.2 to middleboxes (RFC 8446 appendix D.4).
 */
export function writeClientHello(random: Uint8Array, sessionId: Uint8Array, publicKey: Uint8Array): Uint8Array {
  return writeMessage("client_hello", clientHello, {
    legacyVersion: TLS_1_2,
    random,
    legacySessionId: sessionId,
    cipherSuites: [TLS_CHACHA20_POLY1305_SHA256],
    legacyCompressionMethods: Uint8Array.of(0),
    extensions: [
      extension("supported_versions", vector(word8, word16), [TLS_1_3]),
      extension("supported_groups", numbers, [X25519]),
      extension("key_share", vector(word16, keyShare), [{ group: X25519, key: publicKey }]),
      extension("signature_algorithms", numbers, Object.values(SIGNATURE_SCHEMES)),
      extension("application_layer_protocol_negotiation", protocolNames, [SMP_NAME]),
    ],
  });
}
