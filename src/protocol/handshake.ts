import { base64urlUnpadded, concat, fromBase64url } from "#crypto/bytes";
import { type PublicKey, type SecretKey, sign, type SignatureAlgorithm, verify } from "#crypto/keys";
import { KEY_HASH_LENGTH } from "./address.ts";
import { type CertChainPubKey, certChainPubKey } from "./certchain.ts";
import { bool, type Codec, decodePrefix, letter, str, strOf, word16 } from "./codec.ts";
import { maybe, struct } from "./combine.ts";
import { transportError, type TransportError } from "./errors.ts";
import { dhKey } from "./key.ts";
import { CHALLENGE_LENGTH } from "./limits.ts";
import { VERSION, type VersionRange, versionRange } from "./version.ts";

/** The router's first block (SMP transport, router hello). */
export interface ServerHello {
  readonly versions: VersionRange;
  readonly sessionId: Uint8Array;
  /** Null when the router's newest version is below 7. */
  readonly authPubKey: CertChainPubKey | null;
  /** Signature over challenge and session id; only for web clients that sent a challenge. */
  readonly webIdentityProof: Uint8Array | null;
}

export const serverHello: Codec<ServerHello> = {
  write(writer, value, version) {
    versionRange.write(writer, value.versions, version);
    str.write(writer, value.sessionId, version);
    const { max } = value.versions;
    if (max >= VERSION.authKeys && value.authPubKey) certChainPubKey.write(writer, value.authPubKey, version);
    if (max >= VERSION.webIdentityProof && value.webIdentityProof) str.write(writer, value.webIdentityProof, version);
  },
  read(reader, version) {
    const versions = versionRange.read(reader, version);
    const sessionId = str.read(reader, version);
    const authPubKey = versions.max >= VERSION.authKeys ? certChainPubKey.read(reader, version) : null;
    const mayProve = versions.max >= VERSION.webIdentityProof && reader.remaining > 0;
    return { versions, sessionId, authPubKey, webIdentityProof: mayProve ? readProof(reader, version) : null };
  },
};

const SIGNATURE_LENGTHS: ReadonlySet<number> = new Set([64, 114]);

/** The proof is the first extension; bytes that cannot be one belong to a later version and are ignored. */
export function readProof(reader: Parameters<Codec<Uint8Array>["read"]>[0], version: number): Uint8Array | null {
  const proof = reader.attempt(() => str.read(reader, version));
  return proof && SIGNATURE_LENGTHS.has(proof.length) ? proof : null;
}

/** What a client with a service certificate may do. */
export type ServiceRole = "messaging" | "notifier" | "proxy";

/** The certificate of a service and its session key (Ed25519), signed by the leaf. */
export interface ClientService {
  readonly role: ServiceRole;
  readonly certChainPubKey: CertChainPubKey;
}

/** The client's answer to the router hello. */
export interface ClientHello {
  readonly version: number;
  /** SHA-256 of the identity certificate that the client expects. */
  readonly keyHash: Uint8Array;
  readonly authPubKey: PublicKey<"X25519"> | null;
  readonly proxyServer: boolean;
  readonly service: ClientService | null;
}

const clientService: Codec<ClientService> = struct<ClientService>({
  role: letter<ServiceRole>({ messaging: "M", notifier: "N", proxy: "P" }),
  certChainPubKey,
});

export const clientHello: Codec<ClientHello> = {
  write(writer, value) {
    word16.write(writer, value.version, value.version);
    str.write(writer, value.keyHash, value.version);
    if (value.version >= VERSION.authKeys && value.authPubKey) dhKey.write(writer, value.authPubKey, value.version);
    if (value.version >= VERSION.proxyServerFlag) bool.write(writer, value.proxyServer, value.version);
    if (value.version >= VERSION.serviceCerts) maybe(clientService).write(writer, value.service, value.version);
  },
  read(reader) {
    const version = word16.read(reader, 0);
    const keyHash = strOf(KEY_HASH_LENGTH).read(reader, version);
    // The key has no Maybe tag: what does not read as one is not there (SMP transport, client hello).
    const authPubKey = version >= VERSION.authKeys ? reader.attempt(() => dhKey.read(reader, version)) ?? null : null;
    return {
      version,
      keyHash,
      authPubKey,
      proxyServer: version >= VERSION.proxyServerFlag ? bool.read(reader, version) : false,
      service: version >= VERSION.serviceCerts ? maybe(clientService).read(reader, version) : null,
    };
  },
};

/** The router's third block, only after a hello with a service. */
export type ServiceResponse =
  | { readonly type: "accepted"; readonly serviceId: Uint8Array }
  | { readonly type: "rejected"; readonly error: TransportError };

export const serviceResponse: Codec<ServiceResponse> = {
  write(writer, value, version) {
    responseType.write(writer, value.type, version);
    if (value.type === "accepted") str.write(writer, value.serviceId, version);
    else transportError.write(writer, value.error, version);
  },
  read(reader, version) {
    const type = responseType.read(reader, version);
    return type === "accepted"
      ? { type, serviceId: str.read(reader, version) }
      : { type, error: transportError.read(reader, version) };
  },
};
const responseType = letter<ServiceResponse["type"]>({ accepted: "R", rejected: "E" });

/** @throws DecodeError */
export function readServerHello(payload: Uint8Array): ServerHello {
  return decodePrefix(serverHello, payload);
}

/** @throws DecodeError */
export function readClientHello(payload: Uint8Array): ClientHello {
  return decodePrefix(clientHello, payload);
}

const PARAMETER = "challenge=";

/** The query by which a web client asks the router to prove who it is. */
export function challengeQuery(challenge: Uint8Array): string {
  return `?${PARAMETER}${base64urlUnpadded(challenge)}`;
}

/**
 * Finds the challenge in a request target as the official router does: first occurrence of `challenge=`, up to `&`,
 * unpadded base64url of exactly 32 bytes. Anything else counts as no challenge.
 */
export function findChallenge(target: string): Uint8Array | null {
  const start = target.indexOf(PARAMETER);
  if (start < 0) return null;
  const [value = ""] = target.slice(start + PARAMETER.length).split("&", 1);
  if (!/^[A-Za-z0-9_-]{43}$/.test(value)) return null;
  const challenge = fromBase64url(value);
  return challenge.length === CHALLENGE_LENGTH ? challenge : null;
}

/** The leaf key signs the challenge and the session id (raw, one after the other). */
export function proveWebIdentity(
  leaf: SecretKey<SignatureAlgorithm>,
  challenge: Uint8Array,
  sessionId: Uint8Array,
): Uint8Array {
  return sign(leaf, concat(challenge, sessionId));
}

export function verifyWebIdentity(
  leaf: PublicKey<SignatureAlgorithm>,
  challenge: Uint8Array,
  sessionId: Uint8Array,
  proof: Uint8Array,
): boolean {
  return verify(leaf, concat(challenge, sessionId), proof);
}
