import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { base64urlUnpadded, concat, fromBase64url, utf8 } from "#crypto/bytes";
import { generateKeyPair } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import { signKey } from "#crypto/signed-key";
import { proveWebIdentity, verifyWebIdentity } from "#protocol/handshake";
import {
  type GatewayClaim,
  GatewayClaimError,
  readGatewayClaim,
  signGatewayClaim,
  verifyGatewayClaim,
} from "../../src/relay/gateway-claim.ts";

const NOW = Date.UTC(2026, 10, 1);
const relay = generateKeyPair("Ed25519");

const claimOf = (change: Partial<GatewayClaim> = {}): GatewayClaim =>
  ({ sessionId: randomBytes(32), alpn: true, time: NOW, ...change });
const verified = (text: string, now = NOW): GatewayClaim => verifyGatewayClaim(text, relay.publicKey, now);
/** Bytes before the signature of a claim with a session id of so many bytes. */
const bodyLength = (idLength: number): number => 1 + idLength + 1 + 8;

describe("the claim of a gateway", () => {
  it("tells the relay what the gateway knows of its client", () => {
    for (const length of [12, 32, 48, 64]) {
      for (const alpn of [true, false]) {
        const claim = claimOf({ sessionId: randomBytes(length), alpn });
        expect(verified(signGatewayClaim(claim, relay.secretKey))).toEqual(claim);
      }
    }
  });

  it("is a header's value whatever key signs it", () => {
    const keys = generateKeyPair("Ed448");
    const claim = claimOf({ sessionId: randomBytes(64) });
    const text = signGatewayClaim(claim, keys.secretKey);
    expect(text).toMatch(/^[\w-]+$/);
    expect(text.length).toBeLessThan(300);
    expect(verifyGatewayClaim(text, keys.publicKey, NOW)).toEqual(claim);
  });

  it("is made for no session id that TLS cannot have", () => {
    for (const length of [0, 11, 65, 255]) {
      expect(() => signGatewayClaim(claimOf({ sessionId: randomBytes(length) }), relay.secretKey)).toThrow(RangeError);
    }
  });

  it("is not needed by those who come without a gateway", () => {
    expect(readGatewayClaim(null, relay.secretKey, NOW)).toBeNull();
    expect(() => readGatewayClaim("", relay.secretKey, NOW)).toThrow(GatewayClaimError);
    const claim = claimOf();
    expect(readGatewayClaim(signGatewayClaim(claim, relay.secretKey), relay.secretKey, NOW)).toEqual(claim);
  });
});

describe("a claim that does not hold", () => {
  it("is changed in any bit", () => {
    const bytes = fromBase64url(signGatewayClaim(claimOf(), relay.secretKey));
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const changed = bytes.slice();
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ 1 << (bit & 7);
      expect(() => verified(base64urlUnpadded(changed))).toThrow(GatewayClaimError);
    }
  });

  it("is cut off or goes on", () => {
    const bytes = fromBase64url(signGatewayClaim(claimOf(), relay.secretKey));
    for (let length = 1; length < bytes.length; length++) {
      expect(() => verified(base64urlUnpadded(bytes.subarray(0, length)))).toThrow(GatewayClaimError);
    }
    for (const more of [1, 64, 4000]) {
      expect(() => verified(base64urlUnpadded(concat(bytes, new Uint8Array(more))))).toThrow(GatewayClaimError);
    }
  });

  it("is not even one", () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.base64String(), fc.constant("=")), (text) => {
      expect(() => verified(text)).toThrow(GatewayClaimError);
    }));
  });

  it("is signed by another relay, or by this one's CA", () => {
    const text = signGatewayClaim(claimOf(), generateKeyPair("Ed25519").secretKey);
    expect(() => verified(text)).toThrow("online key");
  });

  it("has a signature of its session id, or of nothing", () => {
    const claim = claimOf();
    const body = fromBase64url(signGatewayClaim(claim, relay.secretKey)).subarray(0, bodyLength(32));
    expect(() => verified(base64urlUnpadded(body))).toThrow(GatewayClaimError);
    expect(() => verified(base64urlUnpadded(concat(body, new Uint8Array(64))))).toThrow(GatewayClaimError);
  });

  it("comes from another time", () => {
    const text = signGatewayClaim(claimOf(), relay.secretKey);
    for (const off of [-120_000, -1, 0, 1, 120_000]) expect(verified(text, NOW + off).time).toBe(NOW);
    expect(() => verified(text, NOW + 120_001)).toThrow("120 s old");
    expect(() => verified(text, NOW - 120_001)).toThrow("120 s in the future");
    expect(() => verified(text, NOW + 365 * 86_400_000)).toThrow("set the clocks");
  });
});

describe("other signatures of the online key", () => {
  /** A header with the body of a claim and a signature that was made for something else. */
  const dressed = (claim: GatewayClaim, signature: Uint8Array): string => {
    const body = fromBase64url(signGatewayClaim(claim, relay.secretKey)).subarray(0, bodyLength(claim.sessionId.length));
    return base64urlUnpadded(concat(body, signature));
  };

  it("a proof for a web client is no claim, whatever that client chooses as its challenge", () => {
    const claim = claimOf();
    const body = fromBase64url(signGatewayClaim(claim, relay.secretKey)).subarray(0, bodyLength(32));
    const challenges = [body.subarray(0, 32), utf8("smp-edge gateway claim 1: the session of a TLS client").subarray(0, 32)];
    for (const challenge of challenges) {
      for (const sessionId of [claim.sessionId, body.subarray(0, 32), body]) {
        const proof = proveWebIdentity(relay.secretKey, challenge, sessionId);
        expect(() => verified(dressed(claim, proof))).toThrow("online key");
      }
    }
  });

  it("a signed session key is no claim", () => {
    const signed = signKey(generateKeyPair("X25519").publicKey, relay.secretKey);
    expect(() => verified(base64urlUnpadded(signed))).toThrow(GatewayClaimError);
    expect(() => verified(dressed(claimOf(), signed.subarray(-64)))).toThrow("online key");
  });

  it("a claim proves nothing to a web client", () => {
    // The shortest and the longest claim: neither is ever the 64 bytes that a proof signs.
    for (const length of [12, 64]) {
      const claim = claimOf({ sessionId: randomBytes(length) });
      const bytes = fromBase64url(signGatewayClaim(claim, relay.secretKey));
      const signature = bytes.subarray(-64);
      const body = bytes.subarray(0, -64);
      for (const challenge of [body.subarray(0, 32), randomBytes(32)]) {
        expect(verifyWebIdentity(relay.publicKey, challenge, claim.sessionId, signature)).toBe(false);
        expect(verifyWebIdentity(relay.publicKey, challenge, body.subarray(32), signature)).toBe(false);
      }
    }
  });
});
