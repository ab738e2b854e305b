import { beforeAll, describe, expect, it } from "vitest";
import { base64, utf8 } from "#crypto/bytes";
import { openNotificationData } from "#protocol/ntf/notification";
import type { DeviceToken } from "#protocol/ntf/token";
import { fcmProvider } from "../../src/push/fcm.ts";
import { deliver, type Provider, type PushAnswer, type PushRequest, type SendRequest, Unreachable } from "../../src/push/provider.ts";
import { oneOf } from "../../src/push/providers.ts";
import type { DeliveryResult } from "../../src/relay/notification/ports.ts";
import { answer, KINDS, NOW, SECRET, somePush } from "../support/some-push.ts";
import { readJwt } from "../support/web-push-receiver.ts";

const TOKEN: DeviceToken = { provider: "fcm", token: "dGVzdA:APA91bH_x-y" };
const RSA = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256", modulusLength: 2048, publicExponent: Uint8Array.of(1, 0, 1) };
const MINUTE = 60_000;

let account: Record<string, string>;
let verifyKey: CryptoKey;

beforeAll(async () => {
  const pair = (await crypto.subtle.generateKey(RSA, true, ["sign", "verify"])) as CryptoKeyPair;
  verifyKey = pair.publicKey;
  const der = new Uint8Array((await crypto.subtle.exportKey("pkcs8", pair.privateKey)) as ArrayBuffer);
  account = {
    type: "service_account",
    project_id: "some-project",
    private_key_id: "abc123",
    private_key: `-----BEGIN PRIVATE KEY-----\n${base64(der)}\n-----END PRIVATE KEY-----\n`,
    client_email: "push@some-project.iam.gserviceaccount.com",
    token_uri: "https://oauth2.googleapis.com/token",
  };
});

const made = (change: Record<string, unknown> = {}): Promise<Provider> => fcmProvider(JSON.stringify({ ...account, ...change }));
const granted = (token = "ya29.token", seconds = 3599): PushAnswer =>
  answer(200, JSON.stringify({ access_token: token, expires_in: seconds, token_type: "Bearer" }));

/** Sends pushes to somebody who answers from a list, and keeps what was asked. */
function talk(...answers: (PushAnswer | Error)[]): { readonly send: SendRequest; readonly requests: PushRequest[] } {
  const requests: PushRequest[] = [];
  return {
    requests,
    send: (request) => {
      requests.push(request);
      const next = answers.shift();
      if (!next) throw new Error("nobody answers any more");
      return next instanceof Error ? Promise.reject(next) : Promise.resolve(next);
    },
  };
}

const bring = (provider: Provider, send: SendRequest, now = NOW): Promise<DeliveryResult> =>
  deliver(provider, somePush("check", TOKEN), send, () => now);

describe("the access token", () => {
  it("is asked for with a signed assertion (RFC 7523)", async () => {
    const { send, requests } = talk(granted(), answer(200, "{}"));
    expect(await bring(await made(), send)).toStrictEqual({ type: "sent" });
    const [first, second] = requests;
    expect(first?.url).toBe("https://oauth2.googleapis.com/token");
    const form = new URLSearchParams(String(first?.body));
    expect(form.get("grant_type")).toBe("urn:ietf:params:oauth:grant-type:jwt-bearer");
    const jwt = readJwt(form.get("assertion") ?? "");
    expect(jwt.header).toStrictEqual({ alg: "RS256", typ: "JWT", kid: "abc123" });
    expect(jwt.claims).toStrictEqual({
      iss: account["client_email"],
      scope: "https://www.googleapis.com/auth/firebase.messaging",
      aud: "https://oauth2.googleapis.com/token",
      iat: NOW / 1000,
      exp: NOW / 1000 + 3600,
    });
    expect(await crypto.subtle.verify(RSA, verifyKey, new Uint8Array(jwt.signature), new Uint8Array(jwt.signed))).toBe(true);
    expect(second?.headers["authorization"]).toBe("Bearer ya29.token");
  });

  it("serves until shortly before its end", async () => {
    const provider = await made();
    const { send, requests } = talk(granted("one"), answer(200), answer(200), granted("two"), answer(200));
    await bring(provider, send);
    await bring(provider, send, NOW + 54 * MINUTE);
    await bring(provider, send, NOW + 55 * MINUTE);
    expect(requests.map(({ headers }) => headers["authorization"])).toStrictEqual(
      [undefined, "Bearer one", "Bearer one", undefined, "Bearer two"],
    );
  });

  it("is dropped when FCM does not take it", async () => {
    const provider = await made();
    const refused = answer(401, '{"error":{"status":"UNAUTHENTICATED"}}');
    const { send, requests } = talk(granted("one"), refused, granted("two"), answer(200));
    expect(await bring(provider, send)).toMatchObject({ type: "retry" });
    expect(await bring(provider, send)).toStrictEqual({ type: "sent" });
    expect(requests.at(-1)?.headers["authorization"]).toBe("Bearer two");
  });

  it.each([
    ["the server is down", answer(503), "retry"],
    ["too many", answer(429, "", { "retry-after": "7" }), "retry"],
    ["refused", answer(400, '{"error":"invalid_grant"}'), "fix-configuration"],
    ["no JSON", answer(200, "<html>"), "fix-configuration"],
    ["no token", answer(200, "{}"), "fix-configuration"],
    ["a token that would be two headers", granted("a\r\nx: y"), "fix-configuration"],
    ["no time", granted("a", 0), "fix-configuration"],
    ["hardly any time", granted("a", 60), "fix-configuration"],
    ["a redirect", answer(302), "fix-configuration"],
  ])("%s", async (_, given, expected) => {
    const { send, requests } = talk(given);
    expect((await bring(await made(), send)).type).toBe(expected);
    expect(requests).toHaveLength(1);
  });

  it("that nobody grants is not asked for twice in one push; no answer is a retry, a mistake of ours an error", async () => {
    const { send } = talk(new Unreachable("no answer in 10 s"));
    expect(await bring(await made(), send)).toStrictEqual({ type: "retry", after: null, why: "no answer in 10 s" });
    await expect(bring(await made(), talk(new TypeError("bug")).send)).rejects.toThrow("bug");
  });
});

describe("a push through FCM", () => {
  it.each(KINDS)("of kind %s is a data message within the limits", async (kind) => {
    const provider = await made();
    const { send, requests } = talk(granted(), answer(200));
    const push = somePush(kind, TOKEN);
    await deliver(provider, push, send, () => NOW);
    const [, request] = requests;
    expect(request?.url).toBe("https://fcm.googleapis.com/v1/projects/some-project/messages:send");
    const { message } = JSON.parse(String(request?.body)) as {
      readonly message: { readonly token: string; readonly data: Record<string, string>; readonly android: object };
    };
    expect(message.token).toBe(TOKEN.provider === "fcm" ? TOKEN.token : "");
    expect(utf8(JSON.stringify(message.data)).length).toBeLessThanOrEqual(4096);
    expect(message.android).toMatchObject({ priority: kind === "check" ? "NORMAL" : "HIGH" });
    const opened = openNotificationData(SECRET, JSON.parse(message.data["notificationData"] ?? ""));
    expect(opened.type).toBe(kind);
    if (push.kind === "messages") expect(opened).toStrictEqual({ type: "messages", messages: push.messages });
  });

  const fcmError = (errorCode: string, message = ""): string =>
    JSON.stringify({ error: { status: "X", message, details: [{ "@type": "x" }, { "@type": "y", errorCode }] } });

  it.each([
    [404, fcmError("UNREGISTERED"), "gone UNREGISTERED"],
    [403, fcmError("SENDER_ID_MISMATCH"), "gone TOPIC"],
    [400, fcmError("INVALID_ARGUMENT", "The registration token is not a valid FCM registration token"), "gone BAD"],
    [400, fcmError("INVALID_ARGUMENT", "Invalid value at 'message'"), "fix-configuration"],
    [401, fcmError("THIRD_PARTY_AUTH_ERROR"), "fix-configuration"],
    [403, '{"error":{"status":"PERMISSION_DENIED"}}', "fix-configuration"],
    [404, "<html>", "fix-configuration"],
    [429, fcmError("QUOTA_EXCEEDED"), "retry"],
    [500, fcmError("INTERNAL"), "retry"],
    [503, fcmError("UNAVAILABLE"), "retry"],
    [200, '{"name":"projects/x/messages/1"}', "sent"],
  ])("that is answered %i %s is %s", async (status, body, expected) => {
    const result = (await made()).read(answer(status, body), somePush("check", TOKEN), NOW);
    expect(result.type === "gone" ? `gone ${result.reason}` : result.type).toBe(expected);
  });

  it("waits a minute when a quota is used up and nothing is said", async () => {
    const provider = await made();
    const push = somePush("check", TOKEN);
    expect(provider.read(answer(429), push, NOW)).toMatchObject({ after: MINUTE });
    expect(provider.read(answer(429, "", { "retry-after": "5" }), push, NOW)).toMatchObject({ after: 5000 });
  });
});

it.each([
  ["no JSON", "x", "JSON"],
  ["no object", "null", "project_id"],
  ["no key", JSON.stringify({ project_id: "p", client_email: "e" }), "private_key"],
])("a service account that is none is refused: %s", async (_, file, what) => {
  await expect(fcmProvider(file)).rejects.toThrow(what);
});

it("a service account that leads elsewhere is refused", async () => {
  await expect(made({ token_uri: "http://oauth2.googleapis.com/token" })).rejects.toThrow("https");
  await expect(made({ project_id: "../x" })).rejects.toThrow("project");
  await expect(made({ private_key: "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----" })).rejects.toThrow("RSA");
});

describe("several providers as one", () => {
  it("each take their own tokens; nobody's are refused; apns_null works without Apple", async () => {
    const all = oneOf([await made()]);
    expect(all.allows(TOKEN)).toBe(true);
    expect(all.allows({ provider: "apns_prod", token: "ab" })).toBe(false);
    expect(await deliver(all, somePush("check", { provider: "apns_prod", token: "ab" }), talk().send, () => NOW)).toMatchObject({
      type: "fix-configuration",
    });
    const nobody = { provider: "apns_null", token: "test_ntf_token" } as const;
    expect(all.allows(nobody)).toBe(true);
    expect(await deliver(all, somePush("verification", nobody), talk().send, () => NOW)).toStrictEqual({ type: "sent" });
    const { send } = talk(granted(), answer(404, '{"error":{"details":[{"errorCode":"UNREGISTERED"}]}}'));
    expect(await bring(all, send)).toStrictEqual({ type: "gone", reason: "UNREGISTERED" });
  });
});
