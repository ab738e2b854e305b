import { connect } from "cloudflare:sockets";
import type { Env } from "../env.ts";

/** The network beyond this relay. */
export interface Outside {
  fetch(url: string, init: RequestInit): Promise<Response>;
  connect(address: SocketAddress, options: SocketOptions): Socket;
}

/** On this machine a network that refuses addresses by itself, on Cloudflare the one there is. */
export function outsideOf(env: Env): Outside {
  return env.OUTSIDE ?? { fetch: (url, init) => fetch(url, init), connect };
}
