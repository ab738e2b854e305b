import type { Command, Message } from "#protocol/commands";
import { type ClientOptions, SmpClient } from "../../../client/smp/client.ts";
import type { ClientEvent } from "../../../client/smp/request.ts";
import { connect } from "../../../client/transport/connect.ts";
import { FakeClock } from "./fake-clock.ts";
import { FakeRouter } from "./fake-router.ts";

/** A client connected to a fake router, and what it was told. */
export interface ClientWorld {
  readonly router: FakeRouter;
  readonly clock: FakeClock;
  readonly client: SmpClient;
  readonly events: ClientEvent[];
}

export async function world(options: ClientOptions = {}, version = 19): Promise<ClientWorld> {
  const router = new FakeRouter();
  const clock = new FakeClock();
  const versions = { min: 6, max: version };
  const channel = await connect({ server: router.server, openSocket: router.openSocket, clock, versions });
  const client = new SmpClient(channel, { ...options, clock });
  const events: ClientEvent[] = [];
  void (async () => {
    for await (const event of client.events) events.push(event);
  })();
  return { router, clock, client, events };
}

/** An id of 24 times the same byte. */
export const id = (byte: number): Uint8Array => new Uint8Array(24).fill(byte);

export const OK: Message = { tag: "OK" };
export const SOK: Message = { tag: "SOK", serviceId: null };
export const AUTH: Message = { tag: "ERR", error: { type: "AUTH" } };
export const NO_MSG: Message = { tag: "ERR", error: { type: "NO_MSG" } };
export const PING: Command = { tag: "PING" };
export const SUB: Command = { tag: "SUB" };
export const OFF: Command = { tag: "OFF" };
