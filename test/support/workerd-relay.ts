import { exports } from "cloudflare:workers";
import { type Socket, WireClient, type WireOptions } from "./wire-client.ts";

/** Opens a socket to the relay in this runtime. */
export async function openSocket(query = ""): Promise<Socket> {
  const response = await exports.default.fetch(
    new Request(`http://relay.test/any/path${query}`, { headers: { upgrade: "websocket" } }),
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
