import { randomBytes } from "#crypto/random";
import { challengeQuery } from "#protocol/handshake";
import { CHALLENGE_LENGTH } from "#protocol/limits";
import { ForwardingError, networkErr, transportErr } from "../../relay/destination.ts";
import { BadFrame, toBlock } from "../frame.ts";
import { Arrivals, type Carriage, type OpenedCarriage } from "./carriage.ts";
import type { Outside } from "./outside.ts";

const CLOSED = networkErr({ type: "failedError" });
const NO_RELAY = networkErr({ type: "connectError", connectError: "no WebSocket" });

/** @throws ForwardingError */
async function upgrade(outside: Outside, url: string, signal: AbortSignal): Promise<WebSocket> {
  try {
    const response = await outside.fetch(url, { headers: { upgrade: "websocket" }, redirect: "manual", signal });
    const socket = response.webSocket;
    if (response.status === 101 && socket) return socket;
    await response.body?.cancel();
  } catch (cause) {
    throw new ForwardingError(NO_RELAY, { cause });
  }
  throw new ForwardingError(NO_RELAY);
}

/**
 * Opens a WebSocket to a relay at `origin` and waits for its hello. When `signal` aborts everything is closed.
 * @throws ForwardingError
 */
export async function openWebSocket(outside: Outside, origin: string, signal: AbortSignal): Promise<OpenedCarriage> {
  const challenge = randomBytes(CHALLENGE_LENGTH);
  const socket = await upgrade(outside, `${origin}/${challengeQuery(challenge)}`, signal);
  const arrivals = new Arrivals();
  const end = (error: ForwardingError): void => {
    arrivals.end(error);
    socket.close();
  };
  socket.binaryType = "arraybuffer";
  socket.addEventListener("message", ({ data }) => {
    try {
      arrivals.block(toBlock(data as ArrayBuffer | string));
    } catch (cause) {
      if (!(cause instanceof BadFrame)) throw cause;
      end(new ForwardingError(transportErr({ type: "badBlock" }), { cause }));
    }
  });
  socket.addEventListener("close", () => end(new ForwardingError(CLOSED)));
  socket.addEventListener("error", ({ error }) => end(new ForwardingError(CLOSED, { cause: error })));
  signal.addEventListener("abort", () => end(new ForwardingError(CLOSED)));
  socket.accept();
  if (signal.aborted) end(new ForwardingError(CLOSED));
  const carriage: Carriage = {
    get buffered() {
      return socket.bufferedAmount;
    },
    send: (block) => socket.send(block),
    close: () => end(new ForwardingError(CLOSED)),
  };
  return { carriage, arrivals, hello: await arrivals.first, proof: { kind: "web", challenge } };
}
