import { serialize } from "node:v8";
import { describe, expect, it } from "vitest";
import { randomBytes } from "#crypto/random";
import { PROXIED_SESSIONS } from "../../src/relay/limits.ts";
import { destinationOf, type ReadySession, withProxied } from "../../src/relay/session.ts";

const bucket = { tokens: 1.5, at: Date.now() };

/** As large as a session of a client can be. */
const LARGEST: ReadySession = {
  phase: "ready",
  version: 19,
  sessionId: randomBytes(64),
  secret: randomBytes(32),
  sharedSecret: randomBytes(32),
  receiveKey: randomBytes(32),
  sendKey: randomBytes(32),
  service: {
    serviceId: randomBytes(24),
    role: "messaging",
    fingerprint: randomBytes(32),
    sessionKey: randomBytes(32),
    isSubscribed: true,
  },
  newQueues: bucket,
  messages: bucket,
  relays: bucket,
  proxied: [],
  subscriptions: 50_000,
};

const proxied = (n: number) => ({ sessionId: randomBytes(42).with(0, n), destination: n.toString(16).padStart(64, "0") });

describe("the sessions with other relays that a connection remembers", () => {
  it("are the newest, and fit what is attached to its socket", () => {
    const all = Array.from({ length: PROXIED_SESSIONS + 3 }, (_, n) => proxied(n));
    const session = all.reduce(withProxied, LARGEST);
    expect(session.proxied).toEqual(all.slice(3));
    expect(all.map(({ sessionId }) => destinationOf(session, sessionId)))
      .toEqual([null, null, null, ...all.slice(3).map(({ destination }) => destination)]);
    expect(serialize({ layout: 2, session }).length).toBeLessThan(4096);
  });

  it("are remembered once, and longer when they are asked for again", () => {
    const [first, second] = [proxied(1), proxied(2)];
    const session = [first, second, first].reduce(withProxied, LARGEST);
    expect(session.proxied).toEqual([second, first]);
  });
});
