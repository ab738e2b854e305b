import { exports } from "cloudflare:workers";
import type { Server } from "#protocol/address";
import { verifyCertChainPubKey } from "#protocol/certchain";
import { type KnownRelay, NtfWireClient } from "./ntf-wire-client.ts";
import { type Socket, WireClient, type WireOptions } from "./wire-client.ts";

/** Opens a socket to the relay in this runtime. */
export async function openSocket(query = "", path = "/any/path"): Promise<Socket> {
  const response = await exports.default.fetch(
    new Request(`http://relay.test${path}${query}`, { headers: { upgrade: "websocket" } }),
  );
  const socket = response.webSocket;
  if (!socket) throw new Error(`no socket: ${response.status} ${await response.text()}`);
  socket.binaryType = "arraybuffer";
  socket.accept();
  return socket as Socket;
}

export function connect(options?: WireOptions): Promise<WireClient> {
  return WireClient.connect(openSocket, options);
}

/** Who the relay is, from its SMP hello. */
async function knownRelay(): Promise<KnownRelay> {
  const client = await connect();
  client.close();
  if (!client.hello.authPubKey) throw new Error("the router proves nothing");
  const { leaf, identity } = verifyCertChainPubKey(client.hello.authPubKey, "X25519", Date.now());
  return { keyHash: identity, key: leaf.publicKey };
}

export const openNtf = (): Promise<NtfWireClient> => NtfWireClient.open((query) => openSocket(query, "/ntf"));

export async function connectNtf(version?: number): Promise<NtfWireClient> {
  const [relay, client] = await Promise.all([knownRelay(), openNtf()]);
  return client.greet(relay, version);
}

/** The relay as queues of its own name it. */
export async function thisServer(): Promise<Server> {
  return { hosts: ["relay.example.org"], port: "", keyHash: (await knownRelay()).keyHash };
}
