import { describe, expect, it } from "vitest";
import { equal, hex } from "#crypto/bytes";
import { dh, generateKeyPair, publicKeyOf } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import { forgetUnused, wakeAt } from "../../../src/relay/notification/delivery.ts";
import { newDevice, notificationIds } from "../../../src/relay/notification/ids.ts";
import { UNUSED_TTL } from "../../../src/relay/notification/limits.ts";
import { APNS, DeviceBench, OTHER_APNS, tagOf } from "../../support/device-bench.ts";
import { otherKey } from "../../support/queue-bench.ts";

describe("TNEW", () => {
  it.each(["Ed25519", "Ed448", "X25519"] as const)("registers with a key of %s and asks for a verification push", (algorithm) => {
    const bench = new DeviceBench({ keys: generateKeyPair(algorithm) });
    const outcome = bench.register();
    expect(outcome.answer).toMatchObject({ tag: "IDTKN", tokenId: bench.tokenId });
    expect(outcome.effects).toStrictEqual([]);
    expect(bench.due()).toStrictEqual({ kind: "verification", token: APNS, dhSecret: bench.secret(outcome), code: bench.code });
    expect(bench.code).toHaveLength(32);
    expect(tagOf(bench.run({ tag: "TCHK" }))).toBe("REGISTERED");
  });

  it("must be authorized by the key that it carries", () => {
    const bench = new DeviceBench();
    const command = { tag: "TNEW", token: APNS, verifyKey: bench.keys.publicKey, dhKey: bench.dhKeys.publicKey } as const;
    for (const key of [otherKey(), generateKeyPair("X25519").secretKey, null]) {
      expect(tagOf(bench.run(command, key))).toBe("AUTH");
    }
    expect(bench.store.writes).toBe(0);
  });

  it("that comes again has the same answer, the same code, and asks for the push again", () => {
    const bench = new DeviceBench();
    const [first, { code }] = [bench.register(), bench];
    bench.deliver();
    expect(bench.due()).toBeNull();
    expect(bench.register()).toStrictEqual(first);
    expect(bench.due()).toMatchObject({ kind: "verification", code });
    bench.deliver();
    bench.run({ tag: "TVFY", code });
    expect(bench.register()).toStrictEqual(first);
    expect(tagOf(bench.run({ tag: "TCHK" })), "an active token stays active").toBe("ACTIVE");
    expect(bench.due()).toMatchObject({ kind: "verification", code });
  });

  it("that comes again with another key of the device is AUTH", () => {
    const bench = new DeviceBench();
    bench.register();
    const { writes } = bench.store;
    const other = generateKeyPair("X25519").publicKey;
    const command = { tag: "TNEW", token: APNS, verifyKey: bench.keys.publicKey, dhKey: other } as const;
    expect(tagOf(bench.run(command))).toBe("AUTH");
    expect(bench.store.writes).toBe(writes);
  });

  it("makes a dead token a registered one", () => {
    const bench = new DeviceBench().activate();
    bench.subscribe();
    bench.hear(bench.store.subscriptions()[0]?.subId ?? new Uint8Array(0));
    bench.deliver({ type: "gone", reason: "UNREGISTERED" });
    expect(tagOf(bench.run({ tag: "TCHK" }))).toBe("INVALID,UNREGISTERED");
    const { code } = bench;
    expect(tagOf(bench.run({ tag: "TVFY", code })), "the code does not count now").toBe("AUTH");
    expect(tagOf(bench.register())).toBe("IDTKN");
    expect(tagOf(bench.run({ tag: "TCHK" }))).toBe("REGISTERED");
    expect(equal(bench.code, code)).toBe(true);
    expect(bench.deliver()).toMatchObject({ kind: "verification" });
    expect(tagOf(bench.run({ tag: "TVFY", code }))).toBe("OK");
    expect(bench.effects).toMatchObject([{ type: "activated" }, { type: "follow", subscriptions: [{ status: "INACTIVE" }] }]);
  });

  it("for a provider that is not set up is PROHIBITED, once it is known who asks", () => {
    const bench = new DeviceBench();
    bench.refuses = () => true;
    expect(tagOf(bench.register())).toBe("CMD PROHIBITED");
    const command = { tag: "TNEW", token: APNS, verifyKey: bench.keys.publicKey, dhKey: bench.dhKeys.publicKey } as const;
    expect(tagOf(bench.run(command, otherKey()))).toBe("AUTH");
    expect(bench.store.record()).toBeNull();
  });

  it("with a key of low order is refused before anything is written", () => {
    const bench = new DeviceBench();
    const dhKey = { algorithm: "X25519", raw: new Uint8Array(32) } as const;
    expect(tagOf(bench.run({ tag: "TNEW", token: APNS, verifyKey: bench.keys.publicKey, dhKey }))).toBe("CMD SYNTAX");
    expect(bench.store.writes).toBe(0);
  });

  it("that was led to the wrong store is AUTH, and overwrites nothing", () => {
    const bench = new DeviceBench().activate();
    const stranger = generateKeyPair("Ed25519");
    const command = { tag: "TNEW", token: APNS, verifyKey: stranger.publicKey, dhKey: bench.dhKeys.publicKey } as const;
    expect(tagOf(bench.run(command, stranger.secretKey))).toBe("AUTH");
    expect(tagOf(bench.run({ ...command, verifyKey: bench.keys.publicKey, token: OTHER_APNS }))).toBe("AUTH");
    expect(bench.store.record()?.token).toBe(APNS);
  });
});

describe("TVFY", () => {
  it("with the code makes the token active, also twice, and has other registrations of it forgotten", () => {
    const bench = new DeviceBench();
    bench.register();
    bench.deliver();
    expect(tagOf(bench.run({ tag: "TCHK" })), "the provider took the push").toBe("CONFIRMED");
    for (let times = 0; times < 2; times++) {
      expect(tagOf(bench.run({ tag: "TVFY", code: bench.code }))).toBe("OK");
      expect(bench.effects).toStrictEqual([{ type: "activated", token: APNS }]);
    }
    expect(tagOf(bench.run({ tag: "TCHK" }))).toBe("ACTIVE");
    const { writes } = bench.store;
    bench.run({ tag: "TVFY", code: bench.code });
    expect(bench.store.writes).toBe(writes);
  });

  it("does not wait for the server to hear that the push arrived", () => {
    const bench = new DeviceBench();
    bench.register();
    const push = bench.due();
    expect(tagOf(bench.run({ tag: "TVFY", code: bench.code }))).toBe("OK");
    expect(bench.deliver()).toStrictEqual(push);
    expect(tagOf(bench.run({ tag: "TCHK" })), "and it is not confirmed only").toBe("ACTIVE");
  });

  it("with any other code is AUTH", () => {
    const bench = new DeviceBench();
    bench.register();
    const { code } = bench;
    const oneBit = code.map((byte, i) => (i === 31 ? byte ^ 1 : byte));
    for (const forged of [randomBytes(32), new Uint8Array(0), code.slice(0, 31), Uint8Array.of(...code, 0), oneBit]) expect(tagOf(bench.run({ tag: "TVFY", code: forged }))).toBe("AUTH");
    expect(tagOf(bench.run({ tag: "TCHK" }))).toBe("REGISTERED");
  });
});

describe("every command on a token", () => {
  const commands = [{ tag: "TCHK" }, { tag: "TDEL" }, { tag: "TCRN", minutes: 20 }, { tag: "TRPL", token: OTHER_APNS }] as const;

  it("is AUTH with another key, for another id, and for a token that does not exist", () => {
    const bench = new DeviceBench().activate();
    for (const command of [...commands, { tag: "TVFY", code: bench.code } as const]) {
      for (const key of [otherKey(), generateKeyPair("X25519").secretKey, generateKeyPair("Ed448").secretKey]) {
        expect(tagOf(bench.run(command, key)), command.tag).toBe("AUTH");
      }
      expect(tagOf(bench.run(command, undefined, randomBytes(24))), command.tag).toBe("AUTH");
      expect(tagOf(new DeviceBench().run(command)), command.tag).toBe("AUTH");
    }
    expect(bench.store.writes).toBe(0);
  });

  it("notes by one write a day that the token is in use", () => {
    const bench = new DeviceBench().activate();
    const DAY = 86_400_000;
    for (const [after, writes] of [[1000, 0], [DAY, 1], [DAY + 5, 1], [3 * DAY, 2]] as const) {
      bench.now = 1_800_000_000_000 + after;
      bench.run({ tag: "TCHK" });
      expect(bench.store.writes).toBe(writes);
    }
  });
});

describe("TRPL", () => {
  it("keeps id, secret and subscriptions, and must be verified with a new code", () => {
    const bench = new DeviceBench().activate();
    const [subId, before] = [bench.subscribe(), bench.store.record()];
    expect(tagOf(bench.run({ tag: "TRPL", token: OTHER_APNS }))).toBe("OK");
    expect(bench.effects).toStrictEqual([{ type: "replaced", from: APNS, to: OTHER_APNS }]);
    expect(tagOf(bench.run({ tag: "TCHK" }))).toBe("REGISTERED");
    expect(tagOf(bench.run({ tag: "TVFY", code: before?.regCode ?? randomBytes(32) }))).toBe("AUTH");
    expect(bench.hear(subId), "nobody is told before it is verified").toBe(false);
    expect(bench.deliver()).toMatchObject({ kind: "verification", token: OTHER_APNS, dhSecret: before?.dhSecret });
    expect(tagOf(bench.run({ tag: "TVFY", code: bench.code }))).toBe("OK");
    expect(bench.hear(subId)).toBe(true);
    expect(bench.due()).toMatchObject({ kind: "messages", token: OTHER_APNS });
  });

  it("while a push to the former token is under way: what became of that one counts for nothing", () => {
    const bench = new DeviceBench();
    bench.register();
    const former = bench.due();
    if (!former) throw new Error("no push");
    bench.run({ tag: "TRPL", token: OTHER_APNS });
    bench.report(former, { type: "gone", reason: "BAD" });
    expect(tagOf(bench.run({ tag: "TCHK" }))).toBe("REGISTERED");
    bench.report(former, { type: "sent" });
    expect(bench.due()).toMatchObject({ kind: "verification", token: OTHER_APNS });
    bench.deliver({ type: "retry", after: null, why: "x" });
    expect(bench.nextAt()).toBe(10_000);
    bench.run({ tag: "TRPL", token: OTHER_APNS });
    expect(bench.effects, "the same token again is no other").toStrictEqual([]);
    expect(bench.nextAt(), "and is not put off for what failed before").toBe(0);
  });

  it("to the same token, twice: a push with the first code does not count as the second's", () => {
    const bench = new DeviceBench().activate();
    bench.run({ tag: "TRPL", token: OTHER_APNS });
    const former = bench.due();
    if (!former) throw new Error("no push");
    bench.run({ tag: "TRPL", token: OTHER_APNS });
    bench.report(former, { type: "sent" });
    expect(bench.due()).toMatchObject({ kind: "verification", code: bench.code });
  });

  it("to a provider that is not set up is PROHIBITED and changes nothing", () => {
    const bench = new DeviceBench().activate();
    bench.refuses = ({ provider }) => provider === "apns_dev";
    expect(tagOf(bench.run({ tag: "TRPL", token: { provider: "apns_dev", token: "00" } }))).toBe("CMD PROHIBITED");
    expect(bench.store.writes).toBe(0);
  });
});

describe("TDEL and forgetting", () => {
  it("removes the token with its subscriptions; then everything is AUTH", () => {
    const bench = new DeviceBench().activate();
    const [first, second] = [bench.subscribe(), bench.subscribe()];
    expect(tagOf(bench.run({ tag: "TDEL" }))).toBe("OK");
    expect(bench.effects).toMatchObject([
      { type: "released", token: APNS },
      { type: "unfollow", subscriptions: [{ subId: first }, { subId: second }] },
    ]);
    expect(bench.nextAt()).toBeNull();
    expect(wakeAt(bench.store, bench.limits, bench.now)).toBeNull();
    expect(tagOf(bench.run({ tag: "TDEL" }))).toBe("AUTH");
    expect(tagOf(bench.run({ tag: "SCHK" }, undefined, first))).toBe("AUTH");
  });

  it("what nobody verified or uses is forgotten after a month, an active token never", () => {
    const bench = new DeviceBench();
    bench.register();
    bench.deliver();
    const at = wakeAt(bench.store, bench.limits, bench.now) ?? 0;
    expect(at - bench.now).toBeGreaterThan(UNUSED_TTL - 86_400_000);
    expect(forgetUnused(bench.store, at - 1)).toStrictEqual([]);
    expect(forgetUnused(bench.store, at)).toStrictEqual([{ type: "released", token: APNS }]);
    expect(bench.store.record()).toBeNull();
    const active = new DeviceBench().activate();
    expect(forgetUnused(active.store, active.now + 100 * UNUSED_TTL)).toStrictEqual([]);
    expect(wakeAt(active.store, active.limits, active.now)).toBeNull();
  });
});

describe("TCRN", () => {
  it.each([[0, "OK"], [1, "QUOTA"], [19, "QUOTA"], [20, "OK"], [65_535, "OK"]] as const)(
    "of %i minutes is %s",
    (minutes, answer) => {
      expect(tagOf(new DeviceBench().activate().run({ tag: "TCRN", minutes }))).toBe(answer);
    },
  );
});

describe("ids", () => {
  const ids = notificationIds(new Uint8Array(32).fill(5));

  it("lead to their token, and to no other server's", () => {
    const [device, others] = [newDevice(), notificationIds(new Uint8Array(32).fill(6))];
    const [tokenId, subId] = [ids.tokenId(device), ids.newSubId(device)];
    expect(ids.deviceOfToken(tokenId)).toStrictEqual(device);
    expect(ids.deviceOfSub(subId)).toStrictEqual(device);
    expect(hex(ids.newSubId(device))).not.toBe(hex(subId));
    expect(others.deviceOfToken(tokenId)).toBeNull();
    expect(ids.deviceOfToken(subId), "a subscription is no token").toBeNull();
  });

  it("that nobody gave lead nowhere", () => {
    for (const length of [0, 1, 23, 24, 25, 255]) expect(ids.deviceOfToken(randomBytes(length))).toBeNull();
    for (const length of [0, 16, 23, 25, 255]) expect(ids.deviceOfSub(randomBytes(length))).toBeNull();
  });
});

it("the secret of a token is that of its two keys", () => {
  const bench = new DeviceBench();
  const outcome = bench.register();
  const record = bench.store.record();
  const own = { algorithm: "X25519", secret: record?.dhKey ?? new Uint8Array(32) } as const;
  expect(dh(own, bench.dhKeys.publicKey)).toStrictEqual(bench.secret(outcome));
  expect(outcome.answer).toMatchObject({ dhKey: publicKeyOf(own) });
});
