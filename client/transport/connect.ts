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
import { signKey } from "#crypto/signed-key";
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
import { agreedVersion, CLIENT_VERSIONS, VERSION, type VersionRange } from "#protocol/version";
import { ConnectError, UsageError } from "../errors.ts";
import { attempt, type Attempt, type AttemptOptions, firstBlock, nextBlock, SMP } from "./attempt.ts";
import { type Channel, type ChannelService, SocketChannel } from "./channel.ts";

/** With what a service makes itself known: its certificates (DER, leaf first) and the leaf's key. */
export interface ServiceCredentials {
  readonly role: ServiceRole;
  readonly certChain: readonly Uint8Array[];
  readonly key: SecretKey<SignatureAlgorithm>;
}

export interface ConnectOptions extends AttemptOptions {
  /** Versions to offer; all that this client speaks unless given. */
  readonly versions?: VersionRange | undefined;
  readonly service?: ServiceCredentials | undefined;
}

/**
 * Connects to a relay and makes it prove that it is the one its address names: certificates, their signatures and
 * dates, fingerprint, signature over a fresh challenge. A relay that proves less is refused.
 * @throws ConnectError, UsageError
 */
export function connect(options: ConnectOptions): Promise<Channel> {
  return attempt(options, SMP, (under) => handshake(under, options));
}

async function handshake(under: Attempt, options: ConnectOptions): Promise<Channel> {
  const { socket, host } = under;
  const hello = await firstBlock(under, (block) => readServerHello(openClearBlock(block)));
  const { key, leaf } = verifyRelay(under, hello);
  const version = chooseVersion(under, options, hello);
  const clientKey = version >= VERSION.authKeys ? generateKeyPair("X25519") : null;
  const encrypts = clientKey && encryptsBlocks(version, false, true);
  const keys = encrypts ? agreeKeys(under, hello.sessionId, key, clientKey) : null;
  const offer = options.service ? offerService(options.service) : null;
  const answer = encode(clientHello, {
    version,
    keyHash: options.server.keyHash,
    authPubKey: clientKey?.publicKey ?? null,
    proxyServer: false,
    service: offer?.clientService ?? null,
  });
  void socket.send(clearBlock(answer));
  const service = offer ? await awaitService(under, offer) : null;
  return new SocketChannel(socket, {
    server: options.server,
    host,
    version,
    sessionId: hello.sessionId,
    leafKey: leaf.publicKey,
    routerKey: version >= VERSION.authKeys ? key : null,
    service,
    keys,
  });
}

/** SMP transport, router hello: what a web client has to verify, and nothing less. */
function verifyRelay(
  { server, host, challenge, clock }: Attempt,
  hello: ServerHello,
): VerifiedChain & { readonly key: PublicKey<"X25519"> } {
  const { authPubKey, webIdentityProof, sessionId } = hello;
  if (!authPubKey || !webIdentityProof) {
    const what = "the relay does not prove its identity to web clients; its operator must update it";
    throw new ConnectError(host, "noProof", what);
  }
  try {
    const verified = verifyCertChainPubKey(authPubKey, "X25519", clock.now());
    if (!equal(verified.identity, server.keyHash)) {
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

function chooseVersion({ host, isPrivate }: Attempt, options: ConnectOptions, hello: ServerHello): number {
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

async function awaitService(under: Attempt, offer: ServiceOffer): Promise<ChannelService> {
  const block = await nextBlock(under, "refused");
  try {
    const response = decodePrefix(serviceResponse, openClearBlock(block));
    if (response.type === "rejected") {
      const what = `the relay refused the service certificate (${response.error.type})`;
      throw new ConnectError(under.host, "refused", what);
    }
    return { serviceId: response.serviceId, fingerprint: offer.fingerprint, sessionKey: offer.sessionKey };
  } catch (cause) {
    if (!(cause instanceof DecodeError || cause instanceof CryptoError)) throw cause;
    throw new ConnectError(under.host, "malformed", "the relay's answer to the service cannot be read", { cause });
  }
}
