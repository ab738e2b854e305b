import { beforeAll, describe, expect, it } from "vitest";
import { base64, fromBase64url, utf8 } from "#crypto/bytes";
import { openNotificationData } from "#protocol/ntf/notification";
import type { DeviceToken } from "#protocol/ntf/token";
import { type ApnsConfig, apnsPayload, apnsProvider } from "../../src/push/apns.ts";
import { importSigningPkcs8 } from "../../src/push/p256.ts";
import { readPrivateKeyPem } from "../../src/push/pem.ts";
import type { Provider, PushRequest } from "../../src/push/provider.ts";
import { answer, KINDS, NOW, SECRET, somePush } from "../support/some-push.ts";
import { isSignedBy, readJwt } from "../support/web-push-receiver.ts";

const MINUTE = 60_000;
const TOKEN: DeviceToken = { provider: "apns_prod", token: "0a".repeat(32) };
const ECDSA = { name: "ECDSA", namedCurve: "P-256" } as const;

let config: ApnsConfig;
let publicKey: Uint8Array;

beforeAll(async () => {
  const { privateKey } = (await crypto.subtle.generateKey(ECDSA, true, ["sign", "verify"])) as CryptoKeyPair;
  const der = new Uint8Array((await crypto.subtle.exportKey("pkcs8", privateKey)) as ArrayBuffer);
  const lines = base64(der).replaceAll(/.{64}/g, "$&\n");
  config = {
    topic: "org.example.chat",
    teamId: "ABCDE12345",
    keyId: "KEYID67890",
    privateKey: `-----BEGIN PRIVATE KEY-----\n${lines}\n-----END PRIVATE KEY-----\n`,
    testOrigin: null,
  };
  ({ publicKey } = await importSigningPkcs8(readPrivateKeyPem(config.privateKey)));
});

async function request(provider: Provider, kind: (typeof KINDS)[number], token = TOKEN, now = NOW): Promise<PushRequest> {
  const prepared = await provider.prepare(somePush(kind, token), now);
  if (prepared.type !== "request") throw new Error(prepared.type);
  return prepared.request;
}

const bearer = ({ headers }: PushRequest): string => (headers["authorization"] ?? "").replace("bearer ", "");

describe("a push through APNs", () => {
  it.each(KINDS)("of kind %s is what Apple and the official app expect", async (kind) => {
    const provider = await apnsProvider(config);
    const push = somePush(kind, TOKEN);
    const prepared = await provider.prepare(push, NOW);
    if (prepared.type !== "request") throw new Error(prepared.type);
    const { url, headers, body } = prepared.request;
    expect(url).toBe(`https://api.push.apple.com/3/device/${TOKEN.token}`);
    const isAlert = kind === "messages";
    const { authorization, ...others } = headers;
    expect(authorization).toMatch(/^bearer /);
    expect(others).toStrictEqual({
      "apns-topic": "org.example.chat",
      "apns-push-type": isAlert ? "alert" : "background",
      ...(isAlert ? {} : { "apns-priority": "5" }),
      "content-type": "application/json",
    });
    if (typeof body !== "string") throw new Error("not text");
    expect(utf8(body).length, "Apple's limit").toBeLessThanOrEqual(4096);
    const { aps, notificationData, ...more } = JSON.parse(body) as Record<string, unknown>;
    expect(more).toStrictEqual({});
    expect(aps).toStrictEqual(
      isAlert
        ? { "mutable-content": 1, alert: "Encrypted message or another app event", category: "NTF_CAT_CHECK_MESSAGE" }
        : { "content-available": 1 },
    );
    const opened = openNotificationData(SECRET, notificationData);
    if (push.kind === "messages") expect(opened).toStrictEqual({ type: "messages", messages: push.messages });
    if (push.kind === "verification") expect(opened).toStrictEqual({ type: "verification", code: push.code });
    if (push.kind === "check") expect(opened).toStrictEqual({ type: "check" });
  });

  it("has the fields in the order of the official payloads", () => {
    expect(apnsPayload("check", { checkMessages: true })).toBe(
      '{"aps":{"content-available":1},"notificationData":{"checkMessages":true}}',
    );
  });

  it("goes where its environment is; a stand-in must be set up; the null provider sends nothing", async () => {
    const provider = await apnsProvider(config);
    const sandbox = { provider: "apns_dev", token: "00" } as const;
    const test = { provider: "apns_test", token: "00" } as const;
    expect((await request(provider, "check", sandbox)).url).toBe("https://api.sandbox.push.apple.com/3/device/00");
    expect(provider.allows(test)).toBe(false);
    expect(await provider.prepare(somePush("check", test), NOW)).toMatchObject({ result: { type: "fix-configuration" } });
    const withStandIn = await apnsProvider({ ...config, testOrigin: "https://localhost:2197" });
    expect(withStandIn.allows(test)).toBe(true);
    expect((await request(withStandIn, "check", test)).url).toBe("https://localhost:2197/3/device/00");
    const nobody = { provider: "apns_null", token: "test_ntf_token" } as const;
    expect(provider.allows(nobody)).toBe(true);
    const sent = { type: "result", result: { type: "sent" } };
    expect(await provider.prepare(somePush("verification", nobody), NOW)).toStrictEqual(sent);
    expect(provider.allows({ provider: "fcm", token: "x" })).toBe(false);
  });
});

describe("the provider token", () => {
  it("is ES256 with raw r and s, of key and team", async () => {
    const jwt = readJwt(bearer(await request(await apnsProvider(config), "check")));
    expect(jwt.header).toStrictEqual({ alg: "ES256", kid: "KEYID67890" });
    expect(jwt.claims).toStrictEqual({ iss: "ABCDE12345", iat: NOW / 1000 });
    expect(isSignedBy(jwt, publicKey)).toBe(true);
    expect(fromBase64url(bearer(await request(await apnsProvider(config), "check")).split(".")[2] ?? "")).toHaveLength(64);
  });

  it("is the same for half an hour, and by the clock for all that have the key", async () => {
    const [provider, elsewhere] = [await apnsProvider(config), await apnsProvider(config)];
    const first = bearer(await request(provider, "check"));
    expect(bearer(await request(provider, "messages", TOKEN, NOW + 30 * MINUTE - 1))).toBe(first);
    expect(bearer(await request(elsewhere, "messages", TOKEN, NOW + 29 * MINUTE))).toBe(first);
    const second = bearer(await request(provider, "messages", TOKEN, NOW + 30 * MINUTE));
    expect(second).not.toBe(first);
    expect(isSignedBy(readJwt(second), publicKey)).toBe(true);
    expect(bearer(await request(elsewhere, "messages", TOKEN, NOW + 31 * MINUTE))).toBe(second);
    expect(readJwt(bearer(await request(provider, "check", TOKEN, NOW - MINUTE))).claims, "the clock was put back").toMatchObject(
      { iat: NOW / 1000 - 30 * 60 },
    );
  });

  it("is made anew when Apple says that it expired, but not every time", async () => {
    const provider = await apnsProvider(config);
    const expired = answer(403, '{"reason":"ExpiredProviderToken"}');
    const push = somePush("check", TOKEN);
    const first = bearer(await request(provider, "check"));
    expect(provider.read(expired, push, NOW + 25 * MINUTE)).toMatchObject({ type: "retry", after: 0 });
    const second = bearer(await request(provider, "check", TOKEN, NOW + 25 * MINUTE));
    expect(second).not.toBe(first);
    expect(readJwt(second).claims).toMatchObject({ iat: NOW / 1000 + 25 * 60 });
    expect(provider.read(expired, push, NOW + 26 * MINUTE)).toMatchObject({ type: "fix-configuration" });
    expect(bearer(await request(provider, "check", TOKEN, NOW + 26 * MINUTE))).toBe(second);
  });
});

describe("Apple's answers", () => {
  it.each([
    [200, "", "sent"],
    [400, "BadDeviceToken", "gone BAD"],
    [400, "DeviceTokenNotForTopic", "gone TOPIC"],
    [400, "TopicDisallowed", "fix-configuration"],
    [400, "MissingTopic", "fix-configuration"],
    [403, "InvalidProviderToken", "fix-configuration"],
    [403, "Forbidden", "fix-configuration"],
    [404, "BadPath", "fix-configuration"],
    [410, "Unregistered", "gone UNREGISTERED"],
    [410, "ExpiredToken", "gone EXPIRED"],
    [410, "SomethingNew", "retry"],
    [413, "PayloadTooLarge", "fix-configuration"],
    [429, "TooManyRequests", "retry"],
    [429, "TooManyProviderTokenUpdates", "retry"],
    [500, "InternalServerError", "retry"],
    [503, "ServiceUnavailable", "retry"],
    [503, "Shutdown", "retry"],
  ])("%i %s: %s", async (status, reason, expected) => {
    const provider = await apnsProvider(config);
    const result = provider.read(answer(status, JSON.stringify({ reason })), somePush("check", TOKEN), NOW);
    expect(result.type === "gone" ? `gone ${result.reason}` : result.type).toBe(expected);
  });

  it.each(["", "null", "[]", "{", '"x"', '{"reason":1}', '{"__proto__":{"reason":"BadDeviceToken"}}', "x".repeat(5000)])(
    "that are no JSON of Apple's end no token: %j",
    async (body) => {
      const provider = await apnsProvider(config);
      for (const status of [400, 410, 500]) {
        expect(provider.read(answer(status, body), somePush("check", TOKEN), NOW).type).not.toBe("gone");
      }
    },
  );
});

it.each([
  [{ topic: "" }, "topic"],
  [{ topic: "a\nb" }, "topic"],
  [{ teamId: "abc" }, "team"],
  [{ keyId: "" }, "key id"],
  [{ privateKey: "x" }, "BEGIN"],
  [{ privateKey: "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----" }, "P-256"],
  [{ privateKey: "-----BEGIN PRIVATE KEY-----\nA===A\n-----END PRIVATE KEY-----" }, "damaged"],
])("settings that cannot work are refused: %j", async (change, what) => {
  await expect(apnsProvider({ ...config, ...change })).rejects.toThrow(what);
});
