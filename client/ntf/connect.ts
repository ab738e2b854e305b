import { CryptoError } from "#crypto/errors";
import type { PublicKey, SignatureAlgorithm } from "#crypto/keys";
import { encode } from "#protocol/codec";
import { verifyWebIdentity } from "#protocol/handshake";
import { ntfBlock, openNtfBlock } from "#protocol/ntf/block";
import { ntfClientHello, type NtfServerHello, readNtfServerHello, verifyNtfServerHello } from "#protocol/ntf/handshake";
import { NOTIFICATIONS_PATH, NTF_BLOCK_SIZE } from "#protocol/ntf/limits";
import { NTF_VERSION, NTF_VERSIONS } from "#protocol/ntf/version";
import { agreedVersion } from "#protocol/version";
import { ConnectError } from "../errors.ts";
import { attempt, type Attempt, type AttemptOptions, firstBlock, type Spoken } from "../transport/attempt.ts";
import { connect } from "../transport/connect.ts";
import { NtfChannel } from "./channel.ts";

const NTF: Spoken = { name: "notification server", blockSize: NTF_BLOCK_SIZE, path: NOTIFICATIONS_PATH };

type LeafKey = PublicKey<SignatureAlgorithm>;

/** What a server is known by once it has shown its certificates. */
export interface NtfPeer {
  readonly channel: NtfChannel;
  /** Of its certificate: good for further connections, until the server has another one. */
  readonly leafKey: LeafKey;
}

/**
 * Connects to the notification server of a relay (NTF, transport) and makes it prove that it is the one its address
 * names. Its hello has no room for certificates, and a WebSocket does not show those of TLS: they are taken from a
 * connection to the relay that it belongs to, which has the same identity. `known`: what an earlier connection answered.
 * @throws ConnectError, UsageError
 */
export async function connectNtf(options: AttemptOptions, known: LeafKey | null = null): Promise<NtfPeer> {
  if (known === null) return connectWith(options, await leafKeyOf(options));
  try {
    return await connectWith(options, known);
  } catch (error) {
    if (!(error instanceof ConnectError && error.failure === "identity")) throw error;
    return connectWith(options, await leafKeyOf(options));
  }
}

async function leafKeyOf(options: AttemptOptions): Promise<LeafKey> {
  const channel = await connect(options);
  channel.close();
  return channel.leafKey;
}

async function connectWith(options: AttemptOptions, leafKey: LeafKey): Promise<NtfPeer> {
  return { channel: await attempt(options, NTF, (under) => handshake(under, leafKey)), leafKey };
}

async function handshake(under: Attempt, leafKey: LeafKey): Promise<NtfChannel> {
  const { socket, server, host, isPrivate } = under;
  // Its blocks are not encrypted, and among them are keys.
  if (!isPrivate) {
    throw new ConnectError(host, "refused", "notifications are not asked for over ws://, which encrypts nothing; use wss://");
  }
  const hello = await firstBlock(under, (block) => readNtfServerHello(openNtfBlock(block)));
  const serverKey = verifyServer(under, hello, leafKey);
  const version = agreedVersion({ min: NTF_VERSION.authBatch, max: NTF_VERSIONS.max }, hello.versions);
  if (version === null) {
    const { min, max } = hello.versions;
    const what = `the notification server speaks versions ${min} to ${max}; the older side must be updated`;
    throw new ConnectError(host, "version", what);
  }
  void socket.send(ntfBlock(encode(ntfClientHello, { version, keyHash: server.keyHash })));
  return new NtfChannel(socket, { host, version, sessionId: hello.sessionId, serverKey });
}

function verifyServer({ host, challenge }: Attempt, hello: NtfServerHello, leafKey: LeafKey): PublicKey<"X25519"> {
  const { webIdentityProof, sessionId } = hello;
  try {
    const key = verifyNtfServerHello(hello, leafKey);
    if (key && webIdentityProof && verifyWebIdentity(leafKey, challenge, sessionId, webIdentityProof)) return key;
  } catch (cause) {
    if (!(cause instanceof CryptoError)) throw cause;
    const what = `the notification server's key is not signed by its relay: ${cause.message}`;
    throw new ConnectError(host, "identity", what, { cause });
  }
  if (!webIdentityProof) {
    throw new ConnectError(host, "noProof", "the notification server does not prove its identity to web clients");
  }
  const what = "the notification server's proof of identity is wrong; somebody may stand in between";
  throw new ConnectError(host, "identity", what);
}
