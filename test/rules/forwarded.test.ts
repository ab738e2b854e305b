import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EMPTY, utf8 } from "#crypto/bytes";
import { boxNoPad } from "#crypto/box";
import { dh, generateKeyPair, publicKeyOf } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import { encode } from "#protocol/codec";
import type { Command } from "#protocol/commands";
import { fwdTransmission, openForwardedResponse, openRres, sealForwarded } from "#protocol/commands/proxy";
import { encodeBatch, readBatch } from "#protocol/transmission";
import { admit, refusal } from "../../src/relay/admit.ts";
import { BadForwarding, openCommand } from "../../src/relay/forwarded.ts";
import { DEFAULT_LIMITS, PRXY_PER_MINUTE } from "../../src/relay/limits.ts";
import type { ReadySession } from "../../src/relay/session.ts";
import { type Behind, innerTransmission } from "../support/forwarding.ts";
import { mutated, mutations } from "../support/mutate.ts";

const relayKeys = generateKeyPair("X25519");
const SESSION: ReadySession = {
  phase: "ready",
  version: 19,
  sessionId: randomBytes(32),
  secret: relayKeys.secretKey.secret,
  sharedSecret: randomBytes(32),
  receiveKey: null,
  sendKey: null,
  service: null,
  newQueues: null,
  messages: null,
  relays: null,
  proxied: [],
  subscriptions: 0,
};
const proxySecret = SESSION.sharedSecret ?? EMPTY;
const relay: Behind = { sessionId: SESSION.sessionId, key: publicKeyOf(relayKeys.secretKey), version: 19 };
const SEND: Command = { tag: "SEND", notification: false, body: utf8("body") };

/** What becomes of what a proxy forwards; fails on anything but the errors that the protocol has. */
function outcome(corrId: Uint8Array, sealed: Uint8Array): "refused" | "answered" | "done" {
  try {
    const { received, seal } = openCommand(SESSION, corrId, sealed);
    const [reply, what] = "reply" in received
      ? [received.reply, "answered"] as const
      : [{ ...received.request, message: { tag: "OK" } as const }, "done"] as const;
    expect(seal(reply).tag).toBe("RRES");
    return what;
  } catch (error) {
    if (error instanceof BadForwarding) return "refused";
    throw error;
  }
}

describe("what a proxy forwards", () => {
  const corrId = randomBytes(24);
  const fwdCorrId = randomBytes(24);
  const commandKeys = generateKeyPair("X25519");
  const secret = dh(commandKeys.secretKey, relay.key);
  const batch = encodeBatch([innerTransmission(relay, SEND, null, randomBytes(24), fwdCorrId)]);
  const wrapped = encode(fwdTransmission, {
    fwdCorrId,
    fwdVersion: 19,
    fwdKey: commandKeys.publicKey,
    fwdTransmission: sealForwarded(secret, fwdCorrId, batch),
  });
  const wrap = (inner: Uint8Array): Uint8Array =>
    boxNoPad(proxySecret, corrId, encode(fwdTransmission, {
      fwdCorrId,
      fwdVersion: 19,
      fwdKey: commandKeys.publicKey,
      fwdTransmission: sealForwarded(secret, fwdCorrId, inner),
    }));

  it("is done when nothing is wrong with it", () => {
    expect(outcome(corrId, boxNoPad(proxySecret, corrId, wrapped))).toBe("done");
    expect(outcome(corrId, wrap(batch))).toBe("done");
  });

  it("may be broken inside the box of the proxy in any way: it is refused or does what it says", () => {
    fc.assert(fc.property(mutations, (damage) => {
      outcome(corrId, boxNoPad(proxySecret, corrId, mutated(wrapped, damage)));
    }), { numRuns: 60 });
  });

  it("may be broken inside the box of the client in any way: its client is told", () => {
    fc.assert(fc.property(mutations, (damage) => {
      outcome(corrId, wrap(mutated(batch, damage)));
    }), { numRuns: 60 });
  });

  it("is answered with one transmission for its client alone, the nonces reversed", () => {
    const { received, seal } = openCommand(SESSION, corrId, wrap(batch));
    if (!("request" in received)) throw new Error("refused");
    const answer = seal({ corrId: fwdCorrId, entityId: received.request.entityId, message: { tag: "OK" } });
    if (answer.tag !== "RRES") throw new Error("not sealed");
    const { fwdCorrId: echoed, fwdResponse } = openRres(proxySecret, corrId, answer.encFwdResponse);
    expect([echoed, fwdResponse.length]).toEqual([fwdCorrId, 16_242]);
    expect(readBatch(openForwardedResponse(secret, fwdCorrId, fwdResponse))).toHaveLength(1);
    expect(() => openForwardedResponse(proxySecret, fwdCorrId, fwdResponse)).toThrow();
  });

  it("is known again by the key and the nonce that its client has made for it alone", () => {
    const onceOf = (sealed: Uint8Array): string => openCommand(SESSION, corrId, sealed).once;
    const otherNonce = randomBytes(24);
    const other = boxNoPad(proxySecret, corrId, encode(fwdTransmission, {
      fwdCorrId: otherNonce,
      fwdVersion: 19,
      fwdKey: commandKeys.publicKey,
      fwdTransmission: sealForwarded(secret, otherNonce, batch),
    }));
    expect(onceOf(wrap(batch))).toBe(onceOf(wrap(batch)));
    expect(onceOf(other)).not.toBe(onceOf(wrap(batch)));
  });
});

describe("a client of a proxy", () => {
  const server = { hosts: ["a.test"], port: "", keyHash: randomBytes(32) };
  const prxy: Command = { tag: "PRXY", server, basicAuth: null };
  const pfwd: Command = { tag: "PFWD", version: 19, key: relay.key, encTransmission: EMPTY };

  function admitted(command: Command, limits = DEFAULT_LIMITS): number {
    let session: ReadySession | null = SESSION;
    for (let count = 0; count < 1_000; count++) {
      session = admit(session, command, limits, 0, 0);
      if (!session) return count;
    }
    return 1_000;
  }

  it("asks for so many sessions a minute, and sends as many messages as anybody", () => {
    expect(admitted(prxy)).toBe(PRXY_PER_MINUTE);
    expect(admitted(pfwd, { ...DEFAULT_LIMITS, messagesPerMinute: 7 })).toBe(7);
    expect(admitted(pfwd, { ...DEFAULT_LIMITS, messagesPerMinute: 0 })).toBe(1_000);
  });

  it("takes a refusal for a passing fault", () => {
    for (const command of [prxy, pfwd]) {
      expect(refusal(command)).toEqual({ type: "PROXY", proxyErr: { type: "BROKER", brokerErr: { type: "TIMEOUT" } } });
    }
    expect(refusal(SEND)).toEqual({ type: "QUOTA" });
    expect(refusal({ tag: "RFWD", encFwdTransmission: EMPTY })).toMatchObject({ type: "STORE" });
  });

  it("looks up as many links as it may send messages", () => {
    const limits = { ...DEFAULT_LIMITS, messagesPerMinute: 7 };
    expect(admitted({ tag: "LGET" }, limits)).toBe(7);
    expect(admitted({ tag: "LKEY", key: generateKeyPair("X25519").publicKey }, limits)).toBe(7);
  });
});
