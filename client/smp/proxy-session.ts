import { EMPTY, equal } from "#crypto/bytes";
import { CryptoError, PaddingError } from "#crypto/errors";
import { dh, generateKeyPair, type KeyPair, type PublicKey } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import { AddressError, KEY_HASH_LENGTH, parseHost, type Server } from "#protocol/address";
import { verifyCertChainPubKey } from "#protocol/certchain";
import { DecodeError } from "#protocol/codec";
import type { Command, CommandOf, CommandTag, Message, MessageOf } from "#protocol/commands";
import { openForwardedResponse, sealForwarded } from "#protocol/commands/proxy";
import { FORWARDED_PADDED, ID_LENGTH } from "#protocol/limits";
import {
  encodeBatch,
  type RawTransmission,
  readBatch,
  readTransmission,
  TransmissionError,
} from "#protocol/transmission";
import { agreedVersion, VERSION, type VersionRange } from "#protocol/version";
import { ProxyError, UnexpectedAnswerError, UsageError } from "../errors.ts";
import type { RequestOptions } from "./request.ts";
import { checkAnswer, type CommandSession, readMessage, writeCommand } from "./transmit.ts";

/** A proxy and the relay behind it, by names for people. */
export interface ProxyPath {
  /** Of the proxy. */
  readonly host: string;
  readonly destination: string;
}

function isHost(text: string): boolean {
  try {
    return parseHost(text) !== "";
  } catch (error) {
    if (!(error instanceof AddressError)) throw error;
    return false;
  }
}

/** `host[:port]` of a relay that this client does not connect to. What is no host is not repeated: it may be anything. */
export function nameOf({ hosts, port }: Server): string {
  const host = hosts.find(isHost) ?? "a relay without an address";
  const name = host.includes(":") ? `[${host}]` : host;
  return /^\d{1,5}$/.test(port) ? `${name}:${port}` : name;
}

/** Peers may name anything as their relay; with some of it no proxy could do anything. @throws UsageError */
export function checkAddress({ hosts, port, keyHash }: Server): void {
  const isPort = port === "" || (/^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535);
  if (isPort && hosts.some(isHost) && keyHash.length === KEY_HASH_LENGTH) return;
  throw new UsageError("what is given as the relay's address is none: it needs a host, a port and a fingerprint");
}

/** Where commands go, in the same words everywhere. */
export function hostOf({ host, destination }: ProxyPath): string {
  return `${destination} (through ${host})`;
}

/** The session of a proxy with a destination that has proved who it is. Commands in it are the destination's alone. */
export interface ProxySession extends CommandSession {
  readonly path: ProxyPath;
  readonly routerKey: PublicKey<"X25519">;
  readonly service: null;
}

/** The longest session id for which PFWD still fits a block. */
const SESSION_ID_MAX = 42;

/**
 * Takes what a proxy says of a destination (PKEY). The proxy is not believed: the certificates must hold, be those of
 * the relay that the address names, and their leaf must have signed the session's key. `now`: milliseconds since 1970.
 * @throws ProxyError `identity`, or `host` where no version is in common
 */
export function acceptSession(
  path: ProxyPath,
  server: Server,
  { sessionId, versions, certChainPubKey }: Omit<MessageOf<"PKEY">, "tag">,
  own: VersionRange,
  now: number,
): ProxySession {
  if (sessionId.length === 0 || sessionId.length > SESSION_ID_MAX) {
    throw new ProxyError(path, "identity", `a session id of ${sessionId.length} bytes is none that can be used`);
  }
  const routerKey = verifyDestination(path, server, certChainPubKey, now);
  const version = agreedVersion({ min: Math.max(own.min, VERSION.proxy), max: own.max }, versions);
  if (version === null) {
    const what = `the relay behind it speaks versions ${versions.min} to ${versions.max}, this client up to ${own.max}`;
    throw new ProxyError(path, "host", `${what}; the older one must be updated`);
  }
  return { path, host: hostOf(path), version, sessionId, routerKey, service: null };
}

function verifyDestination(
  path: ProxyPath,
  server: Server,
  certChainPubKey: MessageOf<"PKEY">["certChainPubKey"],
  now: number,
): PublicKey<"X25519"> {
  try {
    const { identity, key } = verifyCertChainPubKey(certChainPubKey, "X25519", now);
    if (equal(identity, server.keyHash)) return key;
  } catch (cause) {
    if (!(cause instanceof CryptoError)) throw cause;
    throw new ProxyError(path, "identity", `the certificates that it shows do not hold: ${cause.message}`, { cause });
  }
  throw new ProxyError(path, "identity", "it shows another relay than the address names; check the address");
}

/** The commands that a relay takes from a proxy. */
const FORWARDED: ReadonlySet<CommandTag> = new Set<CommandTag>(["SEND", "SKEY", "LKEY", "LGET"]);

/** A command in its box, and what opens the answer. */
export interface SealedCommand {
  readonly command: Command;
  readonly entityId: Uint8Array;
  /** Nonce of the box and correlation id inside and outside: 24 bytes. */
  readonly corrId: Uint8Array;
  /** 32 bytes; of this command alone. */
  readonly secret: Uint8Array;
  readonly pfwd: CommandOf<"PFWD">;
}

/**
 * Seals one command for the destination, authorized for its session with the proxy (SMP transport, proxied carriage).
 * `fresh`: a key pair and 24 random bytes, never used before.
 * @throws UsageError for what the destination would refuse; ProxyError `identity` when its key is unusable
 */
export function sealCommand(
  session: ProxySession,
  command: Command,
  { entityId = EMPTY, key }: Pick<RequestOptions, "entityId" | "key">,
  fresh: { readonly keys: KeyPair<"X25519">; readonly corrId: Uint8Array } = {
    keys: generateKeyPair("X25519"),
    corrId: randomBytes(ID_LENGTH),
  },
): SealedCommand {
  if (!FORWARDED.has(command.tag)) throw new UsageError(`${command.tag} is not a command that proxies forward`);
  const { keys, corrId } = fresh;
  const batch = encodeBatch([writeCommand(session, { command, entityId, corrId, key })]);
  try {
    const secret = dh(keys.secretKey, session.routerKey);
    const encTransmission = sealForwarded(secret, corrId, batch);
    const pfwd: CommandOf<"PFWD"> = { tag: "PFWD", version: session.version, key: keys.publicKey, encTransmission };
    return { command, entityId, corrId, secret, pfwd };
  } catch (cause) {
    if (cause instanceof PaddingError) {
      const what = `its ${batch.length} bytes are more than the ${FORWARDED_PADDED - 2} that proxies forward`;
      throw new UsageError(`${command.tag} cannot be sent: ${what}`, { cause });
    }
    if (!(cause instanceof CryptoError)) throw cause;
    throw new ProxyError(session.path, "identity", "the session key that it shows is unusable", { cause });
  }
}

/**
 * The destination's answer; ERR is an answer like others. It can come from nobody else, and answers nothing else.
 * @throws UnexpectedAnswerError
 */
export function openAnswer(session: ProxySession, sealed: SealedCommand, encResponse: Uint8Array): Message {
  const raw = readResponse(session, sealed, encResponse);
  if (!equal(raw.corrId, sealed.corrId)) {
    throw new UnexpectedAnswerError(session.host, `the answer to ${sealed.command.tag} is one to another command`);
  }
  const answer = checkAnswer(session.host, sealed, raw.entityId, readMessage(session, raw));
  if (answer instanceof UnexpectedAnswerError) throw answer;
  return answer;
}

function readResponse(
  session: ProxySession,
  { secret, corrId, command }: SealedCommand,
  encResponse: Uint8Array,
): RawTransmission {
  try {
    const [first, ...more] = readBatch(openForwardedResponse(secret, corrId, encResponse));
    if (first && more.length === 0) return readTransmission(session, first);
  } catch (cause) {
    const isKnown = cause instanceof CryptoError || cause instanceof DecodeError || cause instanceof TransmissionError;
    if (!isKnown) throw cause;
    const what = `the answer to ${command.tag} does not open or cannot be read; the proxy may have changed it`;
    throw new UnexpectedAnswerError(session.host, what, { cause });
  }
  throw new UnexpectedAnswerError(session.host, `${command.tag} was answered more than once`);
}
