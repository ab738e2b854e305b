import { expect } from "vitest";
import { ConnectError } from "../../../client/errors.ts";
import { connect, type ConnectOptions } from "../../../client/transport/connect.ts";
import { FakeClock } from "./fake-clock.ts";
import type { FakeRouter } from "./fake-router.ts";

export function connectTo(router: FakeRouter, more: Partial<ConnectOptions> = {}): ReturnType<typeof connect> {
  return connect({ server: router.server, openSocket: router.openSocket, clock: new FakeClock(), ...more });
}

/** Why connecting failed. */
export async function failureOf(work: Promise<unknown>): Promise<ConnectError> {
  const error = await work.then(() => null, (reason: unknown) => reason);
  expect(error).toBeInstanceOf(ConnectError);
  return error as ConnectError;
}
