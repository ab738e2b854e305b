import { DurableObject } from "cloudflare:workers";
import { authenticate, verifyAuthenticator } from "#crypto/authenticator";
import { dh, generateKeyPair, sign, verify } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import { openBlock, sealBlock } from "#protocol/block";
import { ID_LENGTH, maxMessageLength, SESSION_ID_LENGTH } from "#protocol/limits";
import { sealReceivedMessage } from "#protocol/message";

/** The least that an object can do with a block of a client. */
export class Echo extends DurableObject {
  override async fetch(): Promise<Response> {
    const { 0: client, 1: socket } = new WebSocketPair();
    this.ctx.acceptWebSocket(socket);
    return new Response(null, { status: 101, webSocket: client });
  }

  override webSocketMessage(socket: WebSocket, data: ArrayBuffer | string): void {
    socket.send(data);
  }

  override webSocketClose(socket: WebSocket): void {
    socket.close();
  }
}

const VERSION = 19;
/** What surrounds a body in a SEND or MSG: count, length, ids, authorization, tag. */
const AROUND_BODY = 150;
/** Lengths of the contents of an ACK block and of an answer's. */
const [ACK, OK] = [160, 56];

/** Every cryptographic step that one message costs the relay, on inputs of the usual sizes. */
function steps(): Record<string, () => unknown> {
  const chain = randomBytes(32);
  const bodyLength = maxMessageLength(VERSION);
  const session = generateKeyPair("X25519");
  const sender = generateKeyPair("X25519");
  const recipient = generateKeyPair("Ed25519");
  const secret = dh(session.secretKey, generateKeyPair("X25519").publicKey);
  const corrId = randomBytes(ID_LENGTH);
  const send = randomBytes(bodyLength + SESSION_ID_LENGTH + 60);
  const ack = randomBytes(ACK - 64);
  const body = randomBytes(bodyLength);
  const authenticator = authenticate(sender.secretKey, session.publicKey, corrId, send);
  const signature = sign(recipient.secretKey, ack);
  const received = { type: "message", ts: 1_700_000_000, notification: false, body } as const;
  const blocks = { send: sealBlock(chain, randomBytes(bodyLength + AROUND_BODY)).block, ack: sealBlock(chain, randomBytes(ACK)).block };
  const [msg, ok] = [randomBytes(bodyLength + AROUND_BODY), randomBytes(OK)];
  return {
    "open the SEND block": () => openBlock(chain, blocks.send).content(),
    "verify the X25519 authenticator": () => verifyAuthenticator(session.secretKey, sender.publicKey, corrId, send, authenticator),
    "seal the MSG body": () => sealReceivedMessage(secret, corrId, received),
    "seal the MSG block": () => sealBlock(chain, msg),
    "open the ACK block": () => openBlock(chain, blocks.ack).content(),
    "verify the Ed25519 signature": () => verify(recipient.publicKey, ack, signature),
    "seal the answer to SEND": () => sealBlock(chain, ok),
    "seal the answer to ACK": () => sealBlock(chain, ok),
  };
}

let cached: Record<string, () => unknown> | null = null;

interface Env {
  readonly ECHO: DurableObjectNamespace;
}

/** A WebSocket: the echo. `?times=N&step=NAME`: does one step so often. Else the names of the steps. */
const worker: ExportedHandler<Env> = {
  fetch(request, env) {
    if (request.headers.get("upgrade") !== null) return env.ECHO.get(env.ECHO.newUniqueId()).fetch(request);
    const all = cached ??= steps();
    const query = new URL(request.url).searchParams;
    const step = all[query.get("step") ?? ""];
    if (!step) return Response.json(Object.keys(all));
    for (let i = Number(query.get("times")); i > 0; i--) step();
    return Response.json({});
  },
};

// The platform finds its entry point only as the default export.
// oxlint-disable-next-line import/no-default-export
export { worker as default };
