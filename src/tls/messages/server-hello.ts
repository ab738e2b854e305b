import { concat, equal, fromHex, utf8 } from "#crypto/bytes";
import { type Codec, fixed, str, word16, word8 } from "#protocol/codec";
import { struct } from "#protocol/combine";
import { refuse } from "../errors.ts";
import { answeredExtensions, EXTENSION, type Extension, extensions, required } from "../extensions.ts";
import { TLS_1_2, TLS_1_3, TLS_CHACHA20_POLY1305_SHA256, X25519, X25519_LENGTH } from "../suite.ts";
import { keyShare, RANDOM_LENGTH } from "./client-hello.ts";
import { type HandshakeMessage, readMessage, readPart } from "./message.ts";

export interface ServerHello {
  readonly legacyVersion: number;
  readonly random: Uint8Array;
  readonly legacySessionIdEcho: Uint8Array;
  readonly cipherSuite: number;
  readonly legacyCompressionMethod: number;
  readonly extensions: Extension[];
}

/** Servers of old versions may leave them out, and are told that it is the version that is wrong. */
const extensionsIfAny: Codec<Extension[]> = {
  write: (writer, value, version) => extensions.write(writer, value, version),
  read: (reader, version) => (reader.remaining === 0 ? [] : extensions.read(reader, version)),
};

/** RFC 8446 section 4.1.3. */
export const serverHello = struct<ServerHello>({
  legacyVersion: word16,
  random: fixed(RANDOM_LENGTH),
  legacySessionIdEcho: str,
  cipherSuite: word16,
  legacyCompressionMethod: word8,
  extensions: extensionsIfAny,
});

/** The random of a HelloRetryRequest: SHA-256 of that name (RFC 8446 section 4.1.3). */
export const HELLO_RETRY_REQUEST = fromHex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c");
/** How the random of a server ends that knows TLS 1.3 and was made to speak an older version. */
const DOWNGRADES = [0, 1].map((byte) => concat(utf8("DOWNGRD"), Uint8Array.of(byte)));

/** @throws TlsError unless the server chose TLS 1.3. */
function checkVersion({ legacyVersion, random, extensions: list }: ServerHello): void {
  const chosen = list.find(({ type }) => type === EXTENSION.supported_versions);
  if (chosen === undefined) {
    const isDowngrade = DOWNGRADES.some((end) => equal(random.subarray(-end.length), end));
    if (isDowngrade) refuse("illegal_parameter", "somebody on the way takes TLS 1.3 from a server that has it");
    refuse("protocol_version", "the server does not speak TLS 1.3");
  }
  const version = readPart(chosen.data, "supported_versions", word16);
  if (version !== TLS_1_3 || legacyVersion !== TLS_1_2) {
    refuse("illegal_parameter", `server_hello chose version 0x${version.toString(16)}, which was not offered`);
  }
}

/**
 * The server's public key, after every rule of RFC 8446 section 4.1.3. A HelloRetryRequest is refused: there is
 * no other group that the client could try.
 * @throws TlsError
 */
export function readServerHello(message: HandshakeMessage, sessionId: Uint8Array): Uint8Array {
  const where = "server_hello";
  const hello = readMessage(message, where, serverHello);
  checkVersion(hello);
  if (equal(hello.random, HELLO_RETRY_REQUEST)) {
    refuse("illegal_parameter", "the server asks for another hello; there is none");
  }
  if (!equal(hello.legacySessionIdEcho, sessionId)) refuse("illegal_parameter", `${where} has another session id`);
  if (hello.cipherSuite !== TLS_CHACHA20_POLY1305_SHA256) {
    refuse("illegal_parameter", `${where} chose suite 0x${hello.cipherSuite.toString(16)}, which was not offered`);
  }
  if (hello.legacyCompressionMethod !== 0) refuse("illegal_parameter", `${where} chose compression`);
  const types = answeredExtensions(hello.extensions, where, ["supported_versions", "key_share"]);
  const { group, key } = readPart(required(types, "key_share", where), "key_share", keyShare);
  if (group !== X25519 || key.length !== X25519_LENGTH) {
    refuse("illegal_parameter", `${where} has a key of ${key.length} bytes for group ${group} instead of X25519`);
  }
  return key;
}
