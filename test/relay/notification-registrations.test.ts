import { runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { WebPushToken } from "#protocol/ntf/token";
import { Device } from "../../src/objects/device.ts";
import { DeviceTokens } from "../../src/objects/device-tokens.ts";
import { UNUSED_TTL } from "../../src/relay/notification/limits.ts";
import type { Registrations } from "../../src/relay/notification/registrations.ts";
import { breakCalls, until } from "../support/failing-objects.ts";
import { after, alarmOf, tokensOf } from "../support/ntf-device.ts";
import { Phone } from "../support/ntf-phone.ts";
import { namedNtf } from "../support/ntf-wire-client.ts";
import { PushInbox } from "../support/push-inbox.ts";
import { connectNtf } from "../support/workerd-relay.ts";

// What a device token knows of its registrations, when something comes late or to nothing.

const inbox = new PushInbox();

beforeEach(() => {
  inbox.listen();
  vi.spyOn(console, "error").mockImplementation(() => undefined);
});
afterEach(() => vi.restoreAllMocks());

const newPhone = async (endpoint = inbox.subscribe()): Promise<Phone> => new Phone(await connectNtf(), endpoint);

const knownOf = async ({ endpoint }: Phone): Promise<Registrations | undefined> =>
  await runInDurableObject(await tokensOf(endpoint.token), (_, state) => state.storage.kv.get<Registrations>("state"));

describe("a registration", () => {
  it("that is over and has not heard so does not end the valid one when it is verified", async () => {
    const first = await newPhone();
    await first.register();
    const code = await first.code();
    const second = await newPhone(first.endpoint);
    await second.register();
    breakCalls(Device, "forget", 1, "before");
    expect(await second.named({ tag: "TVFY", code: await second.code() })).toBe("OK");
    expect(await first.named({ tag: "TVFY", code })).toBe("ERR AUTH");
    expect(await after(60_000, await tokensOf(first.endpoint.token))).toBe(true);
    expect(await first.named({ tag: "TCHK" })).toBe("ERR AUTH");
    expect(await second.named({ tag: "TCHK" })).toBe("ACTIVE");
    expect(await after(180_000, await tokensOf(first.endpoint.token))).toBe(true);
    expect(await knownOf(second)).toMatchObject({ entries: [{ isActive: true }], forgotten: [] });
  });

  it("that comes again before the former one is released stays known, and gets no second name", async () => {
    const phone = await (await newPhone()).activate();
    let isAnew = false;
    const { prototype } = DeviceTokens;
    const { release } = prototype;
    vi.spyOn(prototype, "release").mockImplementationOnce(async function (this: DeviceTokens, ...args) {
      await until(() => isAnew);
      await release.apply(this, args);
    });
    const deleted = new Phone(await connectNtf(), phone.endpoint);
    const former = phone.tokenId;
    const gone = phone.client.ask({ tag: "TDEL" }, phone.keys.secretKey, former);
    await vi.waitFor(() => expect(prototype.release).toHaveBeenCalled());
    phone.client = deleted.client;
    await phone.register();
    expect(phone.tokenId).toEqual(former);
    isAnew = true;
    expect(namedNtf(await gone)).toBe("OK");
    expect((await knownOf(phone))?.entries).toHaveLength(1);
    await phone.register();
    expect(phone.tokenId).toEqual(former);
    await vi.waitFor(async () => expect(await phone.named({ tag: "TVFY", code: await phone.code() })).toBe("OK"));
  });

  it("with a key of low order leaves nothing", async () => {
    const phone = await newPhone();
    const { endpoint: { token }, keys: { publicKey: verifyKey } } = phone;
    const dhKey = { algorithm: "X25519", raw: new Uint8Array(32) } as const;
    expect(await phone.named({ tag: "TNEW", token, verifyKey, dhKey })).toContain("SYNTAX");
    expect(await knownOf(phone)).toBeUndefined();
  });

  it("that never came to its device is forgotten after a month", async () => {
    const phone = await newPhone();
    breakCalls(Device, "handle", 1, "before");
    await expect(phone.register()).rejects.toThrow("STORE");
    expect((await knownOf(phone))?.entries).toHaveLength(1);
    const object = await tokensOf(phone.endpoint.token);
    expect(await alarmOf(object)).toBeGreaterThan(Date.now() + UNUSED_TTL - 60_000);
    expect(await after(UNUSED_TTL, object)).toBe(true);
    expect(await knownOf(phone)).toBeUndefined();
    expect(await alarmOf(object)).toBeNull();
  });

  it("of the token that is everybody's and sends nothing has nothing to do with others of it", async () => {
    const token = { provider: "apns_null", token: "test_ntf_token" } as const;
    const phones = await Promise.all(Array.from({ length: 12 }, () => newPhone()));
    for (const phone of phones) await phone.register(token);
    for (const phone of phones) expect(await phone.named({ tag: "TCHK" })).toBe("CONFIRMED");
    expect(await phones[0]?.named({ tag: "TDEL" })).toBe("OK");
    expect(await runInDurableObject(await tokensOf(token), (_, state) => [...state.storage.kv.list()])).toEqual([]);
  });
});

describe("an endpoint", () => {
  const variant = ({ token }: Phone["endpoint"], change: Partial<WebPushToken>): WebPushToken => {
    if (token.provider !== "webpush") throw new Error("no Web Push");
    return { ...token, ...change };
  };

  it("is rung only so often, whatever keys strangers name, and however they write it", async () => {
    const owner = await (await newPhone()).activate();
    const { endpoint } = owner;
    const changes: readonly Partial<WebPushToken>[] = [
      { port: "443" },
      { host: variant(endpoint, {}).host.toUpperCase() },
      ...Array.from({ length: 10 }, (_, i) => ({ auth: new Uint8Array(16).fill(i) })),
    ];
    const answers: string[] = [];
    for (const change of changes) {
      const stranger = await newPhone(endpoint);
      answers.push(await stranger.register(variant(endpoint, change)).then(() => "IDTKN", String));
    }
    expect(answers.filter((answer) => answer === "IDTKN").length).toBeLessThanOrEqual(6);
    expect(answers.filter((answer) => answer.includes("QUOTA")).length).toBeGreaterThanOrEqual(6);
    expect(await owner.named({ tag: "TCHK" })).toBe("ACTIVE");
  });

  it("whose keys are renewed keeps its registration", async () => {
    const phone = await (await newPhone()).activate();
    const renewed = variant(phone.endpoint, { auth: new Uint8Array(16).fill(9) });
    expect(await phone.named({ tag: "TRPL", token: renewed })).toBe("OK");
    expect(await knownOf(phone)).toMatchObject({ entries: [{ token: renewed, isActive: false }], forgotten: [] });
    expect(["REGISTERED", "CONFIRMED"]).toContain(await phone.named({ tag: "TCHK" }));
  });
});
