import type { ConnectionOptions } from "node:tls";
import { equal } from "#crypto/bytes";
import { fingerprint, readCertificate, verifyChain } from "#crypto/certificate";
import type { Server } from "#protocol/address";
import { NTF_BLOCK_SIZE } from "#protocol/ntf/limits";
import { NtfWireClient } from "./ntf-wire-client.ts";
import { connectTls, peerChain, TlsBlocks } from "./tls-client.ts";

/** As official apps offer it for notification servers; the rest is as for SMP. */
export const NTF_ALPN = ["ntf/1"];

/**
 * A client of a notification server that does what official apps do; whatever they would refuse fails. With the version
 * it has said its hello, with null it has only heard the server's.
 */
export async function connectNtfNative(
  server: Server,
  version: number | null = 3,
  tls: ConnectionOptions = {},
): Promise<NtfWireClient> {
  const socket = await connectTls(server, { ALPNProtocols: NTF_ALPN, ...tls });
  const chain = peerChain(socket);
  verifyChain(chain, Date.now());
  const [leaf = new Uint8Array(), identity = new Uint8Array()] = chain;
  if (!equal(fingerprint(identity), server.keyHash)) throw new Error("another server answers than the address names");
  const client = await NtfWireClient.open(async () => new TlsBlocks(socket, NTF_BLOCK_SIZE));
  const finished = socket.getFinished();
  if (!finished || !equal(client.hello.sessionId, finished)) throw new Error("the session id is not that of the TLS session");
  return version === null ? client : client.greet({ keyHash: server.keyHash, key: readCertificate(leaf).publicKey }, version);
}
