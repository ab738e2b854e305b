import { equal } from "#crypto/bytes";
import { PaddingError } from "#crypto/errors";
import { generateKeyPair } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import { signKey } from "#crypto/signed-key";
import { DecodeError, encode } from "#protocol/codec";
import { proveWebIdentity } from "#protocol/handshake";
import { SESSION_ID_LENGTH } from "#protocol/limits";
import { ntfBlock, openNtfBlock } from "#protocol/ntf/block";
import type { NtfCommand } from "#protocol/ntf/commands";
import { type NtfClientHello, ntfServerHello, readNtfClientHello } from "#protocol/ntf/handshake";
import { LEGACY_NTF_VERSIONS, NTF_VERSIONS } from "#protocol/ntf/version";
import { isInRange, type VersionRange } from "#protocol/version";
import { identityFingerprint, type OnlineIdentity } from "../identity.ts";
import { type Bucket, take } from "../limits.ts";
import { type Arrival, HandshakeRefused } from "../session.ts";
import { NTF_COMMANDS_PER_MINUTE } from "./limits.ts";

/** What a connection that has sent its hello waits with. Session states are plain data that survive hibernation. */
export interface NtfHelloSession {
  readonly phase: "hello";
  readonly sessionId: Uint8Array;
  readonly versions: VersionRange;
  /** Raw X25519 secret key of this session. */
  readonly secret: Uint8Array;
}

/** A connection that does commands. */
export interface NtfReadySession {
  readonly phase: "ready";
  readonly version: number;
  readonly sessionId: Uint8Array;
  readonly secret: Uint8Array;
  readonly commands: Bucket | null;
  /** TNEW and TRPL, which cause pushes. */
  readonly registering: Bucket | null;
}

/** A new connection: its state and the server hello, signed by the same online key as the relay's. */
export function openNtfSession(
  identity: OnlineIdentity,
  { challenge, gateway }: Arrival,
): { readonly session: NtfHelloSession; readonly block: Uint8Array } {
  const { publicKey, secretKey } = generateKeyPair("X25519");
  const sessionId = gateway?.sessionId ?? randomBytes(SESSION_ID_LENGTH);
  const versions = gateway?.alpn === false ? LEGACY_NTF_VERSIONS : NTF_VERSIONS;
  // Only over a session id of its own does the server sign what a stranger chose.
  const proves = challenge !== null && gateway === null;
  const hello = encode(ntfServerHello, {
    versions,
    sessionId,
    signedKey: signKey(publicKey, identity.key),
    webIdentityProof: proves ? proveWebIdentity(identity.key, challenge, sessionId) : null,
  });
  return { session: { phase: "hello", sessionId, versions, secret: secretKey.secret }, block: ntfBlock(hello) };
}

function readHello(block: Uint8Array): NtfClientHello {
  try {
    return readNtfClientHello(openNtfBlock(block));
  } catch (error) {
    if (error instanceof DecodeError || error instanceof PaddingError) {
      throw new HandshakeRefused("client hello is malformed", { cause: error });
    }
    throw error;
  }
}

/** Checks the client hello. @throws HandshakeRefused */
export function acceptNtfHello(state: NtfHelloSession, block: Uint8Array, identity: OnlineIdentity): NtfReadySession {
  const { keyHash, version } = readHello(block);
  if (!equal(keyHash, identityFingerprint(identity))) throw new HandshakeRefused("client expects another server");
  if (!isInRange(version, state.versions)) throw new HandshakeRefused("client speaks another version");
  const { sessionId, secret } = state;
  return { phase: "ready", version, sessionId, secret, commands: null, registering: null };
}

/** Counts a command against the limits of its connection. Null: over one of them, it is answered QUOTA. */
export function admitNtf(session: NtfReadySession, { tag }: NtfCommand, now: number): NtfReadySession | null {
  const commands = take(session.commands, NTF_COMMANDS_PER_MINUTE.all, now);
  if (!commands) return null;
  if (tag !== "TNEW" && tag !== "TRPL") return { ...session, commands };
  const registering = take(session.registering, NTF_COMMANDS_PER_MINUTE.registering, now);
  return registering && { ...session, commands, registering };
}
