import { equal } from "#crypto/bytes";
import { chainRoles, fingerprint, type VerifiedChain } from "#crypto/certificate";
import { CryptoError } from "#crypto/errors";
import {
  dh,
  generateKeyPair,
  type KeyPair,
  type PublicKey,
  type SecretKey,
  type SignatureAlgorithm,
} from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import { signKey } from "#crypto/signed-key";
import type { Server } from "#protocol/address";
import { chainKeys, type ChainKeys, clearBlock, encryptsBlocks, openClearBlock } from "#protocol/block";
import { verifyCertChainPubKey } from "#protocol/certchain";
import { DecodeError, decodePrefix, encode } from "#protocol/codec";
import {
  clientHello,
  type ClientService,
  readServerHello,
  type ServerHello,
  serviceResponse,
  type ServiceRole,
  verifyWebIdentity,
} from "#protocol/handshake";
import { CHALLENGE_LENGTH } from "#protocol/limits";
import { agreedVersion, CLIENT_VERSIONS, VERSION, type VersionRange } from "#protocol/version";
import { type Clock, systemClock } from "../clock.ts";
import { ConnectError, UsageError } from "../errors.ts";
import { type Channel, type ChannelService, SocketChannel } from "./channel.ts";
import { BlockSocket, openWebSocket, type SocketFactory } from "./socket.ts";
import { connectUrl, isLoopback } from "./url.ts";

/** With what a service makes itself known: its certificates (DER, leaf first) and the leaf's key. */
export interface ServiceCredentials {
  readonly role: ServiceRole;
  readonly certChain: readonly Uint8Array[];
  readonly key: SecretKey<SignatureAlgorithm>;
}

export interface ConnectOptions {
  /** The relay and its identity, as its address names them. */
  readonly server: Server;
  /** Where to connect if not to the server's first host: `wss://` or `ws://`. Its query is replaced. */
  readonly url?: string | undefined;
  /** Versions to offer; all that this client speaks unless given. */
  readonly versions?: VersionRange | undefined;
  readonly service?: ServiceCredentials | undefined;
  /** Milliseconds for the socket and the handshake together: 15,000 unless given. */
  readonly timeout?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly openSocket?: SocketFactory | undefined;
  readonly clock?: Clock | undefined;
}

const CONNECT_TIMEOUT = 15_000;

/** What one attempt knows. */
interface Attempt {
  readonly options: ConnectOptions;
  readonly socket: BlockSocket;
  readonly challenge: Uint8Array;
  readonly host: string;
  /** Whether nobody between the two ends can read along. */
  readonly isPrivate: boolean;
  readonly clock: Clock;
}

/**
 * Connects to a relay and makes it prove that it is the one its address names: certificates, their signatures and
 * dates, fingerprint, signature over a fresh challenge. A relay that proves less is refused.
 * @throws ConnectError, UsageError
 */
export async function connect(options: ConnectOptions): Promise<Channel> {
  const clock = options.clock ?? systemClock;
  const challenge = randomBytes(CHALLENGE_LENGTH);
  const url = connectUrl(options.server, options.url, challenge);
  if (options.signal?.aborted) throw aborted(url.host, options.signal);
  const socket = new BlockSocket(open(options.openSocket ?? openWebSocket, url), clock);
  const isPrivate = url.protocol === "wss:" || isLoopback(url.hostname);
  const attempt = { options, socket, challenge, host: url.host, isPrivate, clock };
  try {
    return await inTime(attempt, handshake(attempt));
  } catch (error) {
    socket.close();
    throw error;
  }
}

function open(openSocket: SocketFactory, url: URL): ReturnType<SocketFactory> {
  try {
    return openSocket(url.href);
  } catch (cause) {
    const what = `this platform opens no socket to ${url.host}; pages loaded over https may only use wss://`;
    throw new UsageError(what, { cause });
  }
}

function aborted(host: string, signal: AbortSignal): ConnectError {
  return new ConnectError(host, "aborted", "connecting was given up", { cause: signal.reason });
}

function inTime<T>({ options, host, clock }: Attempt, work: Promise<T>): Promise<T> {
  const { signal, timeout = CONNECT_TIMEOUT } = options;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      if (signal) reject(aborted(host, signal));
    };
    const cancel = clock.after(timeout, () => {
      const what = `no handshake within ${timeout} ms; check the network and try again`;
      reject(new ConnectError(host, "timeout", what));
    });
    signal?.addEventListener("abort", onAbort);
    work.then(resolve, reject).finally(() => {
      cancel();
      signal?.removeEventListener("abort", onAbort);
    });
  });
}

async function handshake(attempt: Attempt): Promise<Channel> {
  const { socket, options, host } = attempt;
  await Promise.race([socket.opened, socket.closed]);
  const hello = readHello(attempt, await nextBlock(attempt, "unreachable"));
  const { key } = verifyRelay(attempt, hello);
  const version = chooseVersion(attempt, hello);
  const clientKey = version >= VERSION.authKeys ? generateKeyPair("X25519") : null;
  const encrypts = clientKey && encryptsBlocks(version, false, true);
  const keys = encrypts ? agreeKeys(attempt, hello.sessionId, key, clientKey) : null;
  const offer = options.service ? offerService(options.service) : null;
  const answer = encode(clientHello, {
    version,
    keyHash: options.server.keyHash,
    authPubKey: clientKey?.publicKey ?? null,
    proxyServer: false,
    service: offer?.clientService ?? null,
  });
  void socket.send(clearBlock(answer));
  const service = offer ? await awaitService(attempt, offer) : null;
  return new SocketChannel(socket, {
    server: options.server,
    host,
    version,
    sessionId: hello.sessionId,
    routerKey: version >= VERSION.authKeys ? key : null,
    service,
    keys,
  });
}

async function nextBlock({ socket, host }: Attempt, failure: "unreachable" | "refused"): Promise<Uint8Array> {
  const { value } = await socket.blocks.next();
  if (value) return value;
  const { code, reason, violation } = await socket.closed;
  if (violation !== null) throw new ConnectError(host, "malformed", `${violation}; this is no SMP relay`);
  const detail = `close code ${code}${reason === "" ? "" : `, ${reason}`}`;
  if (failure === "refused") throw new ConnectError(host, failure, `the relay ended the handshake (${detail})`);
  throw new ConnectError(host, failure, `no relay answers there (${detail}); check the address and the network`);
}

function readHello({ host }: Attempt, block: Uint8Array): ServerHello {
  try {
    return readServerHello(openClearBlock(block));
  } catch (cause) {
    if (!(cause instanceof DecodeError || cause instanceof CryptoError)) throw cause;
    throw new ConnectError(host, "malformed", "the relay's hello cannot be read; this is no SMP relay", { cause });
  }
}

/** SMP transport, router hello: what a web client has to verify, and nothing less. */
function verifyRelay(
  { options, host, challenge, clock }: Attempt,
  hello: ServerHello,
): VerifiedChain & { readonly key: PublicKey<"X25519"> } {
  const { authPubKey, webIdentityProof, sessionId } = hello;
  if (!authPubKey || !webIdentityProof) {
    const what = "the relay does not prove its identity to web clients; its operator must update it";
    throw new ConnectError(host, "noProof", what);
  }
  try {
    const verified = verifyCertChainPubKey(authPubKey, "X25519", clock.now());
    if (!equal(verified.identity, options.server.keyHash)) {
      throw new ConnectError(host, "identity", "another relay answers than the address names; check the address");
    }
    if (!verifyWebIdentity(verified.leaf.publicKey, challenge, sessionId, webIdentityProof)) {
      throw new ConnectError(host, "identity", "the relay's proof of identity is wrong; somebody may stand in between");
    }
    return verified;
  } catch (cause) {
    if (!(cause instanceof CryptoError)) throw cause;
    throw new ConnectError(host, "identity", `the relay's certificates do not hold: ${cause.message}`, { cause });
  }
}

function chooseVersion({ options, host, isPrivate }: Attempt, hello: ServerHello): number {
  const own = options.versions ?? CLIENT_VERSIONS;
  const version = agreedVersion(own, hello.versions);
  if (version === null) {
    const { min, max } = hello.versions;
    const what = `the relay speaks versions ${min} to ${max}, this client ${own.min} to ${own.max}`;
    throw new ConnectError(host, "version", `${what}; the older one must be updated`);
  }
  if (options.service && version < VERSION.serviceCerts) {
    throw new ConnectError(host, "version", `services need version ${VERSION.serviceCerts}, agreed was ${version}`);
  }
  // The hello's versions are not signed: without TLS somebody in between could talk both ends out of encryption.
  if (!isPrivate && version < VERSION.blockEncryption) {
    const what = `version ${version} encrypts no blocks and ws:// encrypts nothing at all; use wss://`;
    throw new ConnectError(host, "version", what);
  }
  return version;
}

function agreeKeys(
  { host }: Attempt,
  sessionId: Uint8Array,
  routerKey: PublicKey<"X25519">,
  clientKey: KeyPair<"X25519">,
): ChainKeys {
  try {
    return chainKeys(sessionId, dh(clientKey.secretKey, routerKey));
  } catch (cause) {
    if (!(cause instanceof CryptoError)) throw cause;
    throw new ConnectError(host, "identity", "the relay's session key is unusable", { cause });
  }
}

interface ServiceOffer {
  readonly clientService: ClientService;
  readonly sessionKey: SecretKey<"Ed25519">;
  readonly fingerprint: Uint8Array;
}

function offerService({ role, certChain, key }: ServiceCredentials): ServiceOffer {
  const roles = chainRoles(certChain);
  if (roles.kind !== "valid" && roles.kind !== "self") {
    throw new UsageError(`a service has 1 to 4 certificates, not ${certChain.length}`);
  }
  const { publicKey, secretKey } = generateKeyPair("Ed25519");
  return {
    clientService: { role, certChainPubKey: { certChain, signedKey: signKey(publicKey, key) } },
    sessionKey: secretKey,
    fingerprint: fingerprint(roles.kind === "self" ? roles.leaf : roles.identity),
  };
}

async function awaitService(attempt: Attempt, offer: ServiceOffer): Promise<ChannelService> {
  const block = await nextBlock(attempt, "refused");
  try {
    const response = decodePrefix(serviceResponse, openClearBlock(block));
    if (response.type === "rejected") {
      const what = `the relay refused the service certificate (${response.error.type})`;
      throw new ConnectError(attempt.host, "refused", what);
    }
    return { serviceId: response.serviceId, fingerprint: offer.fingerprint, sessionKey: offer.sessionKey };
  } catch (cause) {
    if (!(cause instanceof DecodeError || cause instanceof CryptoError)) throw cause;
    throw new ConnectError(attempt.host, "malformed", "the relay's answer to the service cannot be read", { cause });
  }
}
