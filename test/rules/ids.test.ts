import { describe, expect, it } from "vitest";
import { hex } from "#crypto/bytes";
import { randomBytes } from "#crypto/random";
import { idScheme } from "../../src/relay/ids.ts";
import { take } from "../../src/relay/limits.ts";

describe("ids", () => {
  it("of one queue lead to one another with the secret, and look independent without", () => {
    const scheme = idScheme(randomBytes(32));
    const other = idScheme(randomBytes(32));
    let equalBits = 0;
    const count = 2000;
    for (let i = 0; i < count; i++) {
      const senderId = randomBytes(24);
      const { recipientId, notifierId } = scheme.idsOf(senderId);
      expect(scheme.senderOfRecipient(recipientId)).toEqual(senderId);
      expect(scheme.senderOfNotifier(notifierId)).toEqual(senderId);
      expect(other.senderOfRecipient(recipientId)).not.toEqual(senderId);
      expect(scheme.senderOfNotifier(recipientId)).not.toEqual(senderId);
      senderId.forEach((byte, j) => {
        let same = ~(byte ^ (recipientId[j] ?? 0)) & 0xff;
        for (; same; same &= same - 1) equalBits++;
      });
    }
    // Half of the bits agree by chance: 5 standard deviations of a fair coin thrown 192 * 2000 times.
    const throws = 192 * count;
    expect(Math.abs(equalBits - throws / 2)).toBeLessThan(5 * Math.sqrt(throws) / 2);
  });

  it("that differ in one bit lead to places that have nothing in common", () => {
    const scheme = idScheme(randomBytes(32));
    const id = randomBytes(24);
    const near = id.map((byte, i) => (i === 23 ? byte ^ 1 : byte));
    const [a, b] = [scheme.idsOf(id).recipientId, scheme.idsOf(near).recipientId];
    const differing = a.reduce((sum, byte, i) => sum + (byte === b[i] ? 0 : 1), 0);
    expect(differing).toBeGreaterThan(16);
  });

  it("of one notifier after another are all different, and all lead to the queue", () => {
    const scheme = idScheme(randomBytes(32));
    const senderId = randomBytes(24);
    const { notifierId: first } = scheme.idsOf(senderId);
    const seen = new Set<string>();
    let id = first;
    for (let i = 0; i < 600; i++) {
      expect(scheme.senderOfNotifier(id)).toEqual(senderId);
      seen.add(hex(id));
      id = scheme.nextNotifierId(id);
    }
    expect(seen.size).toBe(600);
  });

  it("of a wrong length lead nowhere", () => {
    const scheme = idScheme(randomBytes(32));
    expect(scheme.senderOfRecipient(randomBytes(23))).toBeNull();
    for (const length of [0, 23, 25, 27]) expect(scheme.senderOfNotifier(new Uint8Array(length))).toBeNull();
  });
});

describe("a token bucket", () => {
  it("gives its capacity at once, then as much a minute, and never more than its capacity", () => {
    let bucket = take(null, 3, 0);
    for (let i = 0; i < 2; i++) bucket = bucket && take(bucket, 3, 0);
    expect(bucket).not.toBeNull();
    if (!bucket) return;
    expect(take(bucket, 3, 0)).toBeNull();
    expect(take(bucket, 3, 19_999)).toBeNull();
    expect(take(bucket, 3, 20_000)).toEqual({ tokens: 0, at: 20_000 });
    expect(take(bucket, 3, 3_600_000)).toEqual({ tokens: 2, at: 3_600_000 });
    expect(take(bucket, 0, 0)).not.toBeNull();
  });
});
