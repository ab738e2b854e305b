import { describe, expect, it } from "vitest";
import { generateKeyPair } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import { type FollowClaim, FollowingClaims } from "../../../src/relay/notification/following-claims.ts";
import { FOLLOWER } from "../../../src/relay/notification/limits.ts";
import { authSecret } from "../../support/queue-bench.ts";

const AT = 1_800_000_000_000;
const notifierKey = authSecret(generateKeyPair("Ed25519"));

const one = (change: Partial<FollowClaim> = {}): FollowClaim => ({
  notifierId: randomBytes(24),
  subId: randomBytes(24),
  device: randomBytes(16),
  notifierKey,
  ...change,
});

describe("claims of queues", () => {
  it("are known for some minutes, or until they are taken back", () => {
    const claims = new FollowingClaims();
    const { notifierId } = one();
    const [first, second] = [one({ notifierId }), one({ notifierId })];
    claims.add(first, AT);
    claims.add(second, AT + 10);
    expect(claims.of(notifierId, AT + FOLLOWER.claim)).toStrictEqual([first, second]);
    expect(claims.of(notifierId, AT + FOLLOWER.claim + 1)).toStrictEqual([second]);
    claims.remove(second);
    expect(claims.of(notifierId, AT)).toStrictEqual([first]);
    expect(claims.of(randomBytes(24), AT)).toStrictEqual([]);
  });

  it("that are made again count from then on, once", () => {
    const claims = new FollowingClaims();
    const claim = one();
    claims.add(claim, AT);
    claims.add(claim, AT + 10);
    expect(claims.size).toBe(1);
    expect(claims.of(claim.notifierId, AT + FOLLOWER.claim + 10)).toStrictEqual([claim]);
  });

  it("of one queue are few, and the oldest give way", () => {
    const claims = new FollowingClaims();
    const { notifierId } = one();
    const all = Array.from({ length: 10 }, () => one({ notifierId }));
    for (const claim of all) claims.add(claim, AT);
    expect(claims.of(notifierId, AT)).toStrictEqual(all.slice(-FOLLOWER.claimsOfQueue));
    expect(claims.size).toBe(FOLLOWER.claimsOfQueue);
  });

  it("of one device take only their share, and all together a bounded place", () => {
    const claims = new FollowingClaims();
    const [other, device] = [one(), randomBytes(16)];
    claims.add(other, AT);
    const all = Array.from({ length: FOLLOWER.claimsOfDevice + 5 }, () => one({ device }));
    for (const claim of all) claims.add(claim, AT);
    expect(claims.size).toBe(FOLLOWER.claimsOfDevice + 1);
    expect(claims.of(other.notifierId, AT)).toHaveLength(1);
    expect(all.map(({ notifierId }) => claims.of(notifierId, AT).length).indexOf(1)).toBe(5);
    for (let i = 0; i < FOLLOWER.claims; i++) claims.add(one(), AT);
    expect(claims.size).toBe(FOLLOWER.claims);
    expect(claims.of(other.notifierId, AT)).toStrictEqual([]);
  });
});
