import { fromHex } from "#crypto/bytes";
import { generateKeyPair } from "#crypto/keys";
import type { Message } from "#protocol/commands";
import type { KeptQueue } from "../../../client/smp/kept.ts";
import { RelayConnection, type RelayEvent, type RelayOptions } from "../../../client/smp/relay-connection.ts";
import { FakeClock } from "./fake-clock.ts";
import { FakeRouter } from "./fake-router.ts";

export const key = generateKeyPair("Ed25519").secretKey;
const relayKeys = generateKeyPair("X25519");
export const id = (n: number): Uint8Array => fromHex(n.toString(16).padStart(48, "0"));
export const queue = (n: number, kind: KeptQueue["kind"] = "recipient"): KeptQueue => ({ entityId: id(n), key, kind });
export const SOK: Message = { tag: "SOK", serviceId: null };

/** A relay as {@link FakeRouter} plays it, and the connection to it. */
export interface RelayWorld {
  readonly router: FakeRouter;
  readonly clock: FakeClock;
  readonly relay: RelayConnection;
  readonly events: RelayEvent[];
  /** Types of the events so far, forgotten once told. */
  told(): string[];
}

export function relayWorld(options: Partial<RelayOptions> = {}): RelayWorld {
  const router = new FakeRouter();
  router.answer = ({ parsed }) => {
    if (parsed.tag === "PING") return { tag: "PONG" };
    if (parsed.tag !== "NEW") return parsed.tag === "SUB" || parsed.tag === "NSUB" ? SOK : { tag: "OK" };
    const rest = { queueMode: null, linkId: null, serviceId: null, serverNtfCreds: null };
    return { tag: "IDS", rcvId: id(77), sndId: id(78), rcvPublicDhKey: relayKeys.publicKey, ...rest };
  };
  const clock = new FakeClock();
  const relay = new RelayConnection({ server: router.server, openSocket: router.openSocket, clock, ...options });
  const events: RelayEvent[] = [];
  void (async () => {
    for await (const event of relay.events) events.push(event);
  })();
  let seen = 0;
  const told = (): string[] => {
    const types = events.slice(seen).map(({ type }) => type);
    seen = events.length;
    return types;
  };
  return { router, clock, relay, events, told };
}
