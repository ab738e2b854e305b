import type { IncomingMessage } from "node:http";
import { WebSocket } from "ws";
import { randomBytes } from "#crypto/random";
import { GATEWAY_HEADER, signGatewayClaim } from "../../relay/gateway-claim.ts";
import type { Credentials } from "./credentials.ts";
import { GatewayError, reasonOf } from "./reason.ts";
import type { RelayPlace } from "./relay-url.ts";

const ANSWER_TIME = 15_000;
const SESSION_ID_LENGTH = 32;

const LONGEST_REASON = 300;

async function refusal(place: RelayPlace, response: IncomingMessage): Promise<never> {
  let text = "";
  for await (const part of response.setEncoding("utf8")) text += String(part);
  const what = `refuses this gateway (${response.statusCode}): ${text.slice(0, LONGEST_REASON)}`;
  throw new GatewayError(`the relay at ${place.pages} ${what}`);
}

/**
 * Opens one connection as for a client and ends it: what would fail for everybody is told at the start.
 * @throws GatewayError when the relay does not take claims of this gateway
 */
export async function probe(place: RelayPlace, credentials: Credentials): Promise<void> {
  const claim = { sessionId: randomBytes(SESSION_ID_LENGTH), alpn: true, time: Date.now() };
  const headers = { [GATEWAY_HEADER]: signGatewayClaim(claim, credentials.identity.key) };
  const socket = new WebSocket(place.socket, { headers, handshakeTimeout: ANSWER_TIME, perMessageDeflate: false });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.on("open", resolve);
      socket.on("error", reject);
      socket.on("unexpected-response", (_, response) => void refusal(place, response).catch(reject));
    });
  } catch (cause) {
    if (cause instanceof GatewayError) throw cause;
    throw new GatewayError(`the relay at ${place.pages} takes no WebSocket (${reasonOf(cause)})`, { cause });
  } finally {
    socket.on("error", () => undefined);
    socket.terminate();
  }
}
