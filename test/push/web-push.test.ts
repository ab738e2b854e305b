import { describe, expect, it } from "vitest";
import { base64urlUnpadded, fromBase64url, utf8 } from "#crypto/bytes";
import { KeyError, PaddingError } from "#crypto/errors";
import { randomBytes } from "#crypto/random";
import { openNotificationData } from "#protocol/ntf/notification";
import { type DeviceToken, type WebPushToken, webPushToken } from "#protocol/ntf/token";
import { sealWebPush, WEB_PUSH_PLAINTEXT } from "../../src/push/encryption.ts";
import { allowedEndpoint, DEFAULT_ENDPOINT_POLICY, type EndpointPolicy } from "../../src/push/endpoint.ts";
import { importAgreementKey } from "../../src/push/p256.ts";
import { checkSubject, makeVapidKeys, readVapid } from "../../src/push/vapid.ts";
import { webPushProvider } from "../../src/push/web-push.ts";
import { answer, KINDS, NOW, SECRET, somePush } from "../support/some-push.ts";
import { isSignedBy, readJwt, WebPushReceiver } from "../support/web-push-receiver.ts";

const HOUR = 3_600_000;
const SUBJECT = "mailto:admin@relay.example.org";

describe("encryption", () => {
  it("makes the very bytes of the example in RFC 8291 (section 5)", async () => {
    const receiver = {
      p256dh: fromBase64url("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"),
      auth: fromBase64url("BTBZMqHH6r4Tts7J_aSIgg"),
    };
    const key = await importAgreementKey(fromBase64url("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"));
    const salt = fromBase64url("DGv6ra1nlYgDCS1FRnbzlw");
    const plaintext = utf8("When I grow up, I want to be a watermelon");
    const body = await sealWebPush(receiver, plaintext, { key, salt, paddedLength: plaintext.length });
    expect(base64urlUnpadded(key.publicKey)).toBe(
      "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8",
    );
    expect(base64urlUnpadded(body)).toBe(
      "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_"
        + "yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN",
    );
  });

  it("is opened by a receiver made of other libraries, whatever the length, and always has the same size", async () => {
    const receiver = new WebPushReceiver();
    for (const length of [0, 1, 2, 100, 3000, WEB_PUSH_PLAINTEXT - 1, WEB_PUSH_PLAINTEXT]) {
      const plaintext = randomBytes(length).map((byte) => byte | 1);
      const body = await sealWebPush(receiver, plaintext);
      expect(body).toHaveLength(4096);
      expect(receiver.open(body)).toStrictEqual(plaintext);
    }
    await expect(sealWebPush(receiver, new Uint8Array(WEB_PUSH_PLAINTEXT + 1))).rejects.toThrow(PaddingError);
  });

  it("never uses a key or a salt twice", async () => {
    const receiver = new WebPushReceiver();
    const bodies = await Promise.all(Array.from({ length: 20 }, () => sealWebPush(receiver, utf8("x"))));
    for (const [from, to] of [[0, 16], [21, 86]] as const) {
      expect(new Set(bodies.map((body) => base64urlUnpadded(body.slice(from, to)))).size).toBe(20);
    }
  });

  it("refuses keys that are no points of the curve", async () => {
    const { p256dh, auth } = new WebPushReceiver();
    const moved = p256dh.map((byte, i) => (i === 40 ? byte ^ 1 : byte));
    const zero = Uint8Array.of(4, ...new Uint8Array(64));
    for (const point of [moved, zero, p256dh.slice(0, 64), new Uint8Array(65), new Uint8Array(0)]) {
      await expect(sealWebPush({ p256dh: point, auth }, utf8("x"))).rejects.toThrow(KeyError);
    }
  });
});

describe("VAPID", () => {
  it("signs who asks, for which service and until when, as RFC 8292 has it", async () => {
    const keys = await makeVapidKeys();
    expect([keys.publicKey.length, keys.privateKey.length]).toStrictEqual([87, 43]);
    const vapid = await readVapid(keys.privateKey, SUBJECT);
    expect(vapid.publicKey).toBe(keys.publicKey);
    const header = await vapid.authorization("https://push.example.org:8443", NOW);
    const { t = "", k } = /^vapid t=(?<t>[A-Za-z0-9_.-]+), k=(?<k>[A-Za-z0-9_-]{87})$/.exec(header)?.groups ?? {};
    expect(k).toBe(keys.publicKey);
    const jwt = readJwt(t);
    expect(jwt.header).toStrictEqual({ typ: "JWT", alg: "ES256" });
    expect(jwt.claims).toStrictEqual({ aud: "https://push.example.org:8443", exp: NOW / 1000 + 12 * 3600, sub: SUBJECT });
    expect(isSignedBy(jwt, fromBase64url(keys.publicKey))).toBe(true);
    expect(isSignedBy({ ...jwt, signed: utf8("x") }, fromBase64url(keys.publicKey))).toBe(false);
  });

  it("signs once for each service, until the token is near its end or the clock was put back", async () => {
    const vapid = await readVapid((await makeVapidKeys()).privateKey, SUBJECT);
    const first = await vapid.authorization("https://a.example.org", NOW);
    expect(await vapid.authorization("https://a.example.org", NOW + 10 * HOUR)).toBe(first);
    expect(await vapid.authorization("https://b.example.org", NOW)).not.toBe(first);
    expect(await vapid.authorization("https://a.example.org", NOW + 11 * HOUR)).not.toBe(first);
    const later = await vapid.authorization("https://a.example.org", NOW + 11 * HOUR);
    expect(await vapid.authorization("https://a.example.org", NOW)).not.toBe(later);
  });

  it("remembers only so many services", async () => {
    const vapid = await readVapid((await makeVapidKeys()).privateKey, SUBJECT);
    const first = await vapid.authorization("https://first.example.org", NOW);
    for (let i = 0; i < 64; i++) await vapid.authorization(`https://s${i}.example.org`, NOW);
    expect(await vapid.authorization("https://first.example.org", NOW)).not.toBe(first);
  });

  it("takes keys as PEM too", async () => {
    const { publicKey } = await readVapid(PEM, "https://relay.example.org/");
    expect(publicKey).toHaveLength(87);
    expect((await readVapid(PEM.replaceAll("\n", "\\n"), SUBJECT)).publicKey).toBe(publicKey);
  });

  it.each(["", "x", "AAAA", "*", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", "A".repeat(43)])(
    "refuses a key that is none: %j",
    async (key) => {
      await expect(readVapid(key, SUBJECT)).rejects.toThrow("key");
    },
  );

  it.each(["mailto:a@b.org", "https://example.org", "https://example.org/contact"])("takes a contact: %s", (subject) => {
    expect(checkSubject(subject)).toBe(subject);
  });

  it.each([
    "", "a@b.org", "mailto:", "mailto:a", "mailto:a@localhost", "mailto:a@x.local", "mailto:<a@b.org>",
    "mailto:a b@c.org", "http://example.org",
    "https://localhost", "https://", "https://intranet/", "https://relay.test/",
  ])("refuses a contact that push services would refuse: %j", (subject) => {
    expect(() => checkSubject(subject)).toThrow("contact");
  });
});

// Made with: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256; of no use anywhere.
const PEM = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgyZ/94SSe0vzUIGc0
QX71FBUdtpVV2gyEY3PHFd+UjJShRANCAARD/XvM1TKtxkgcTAjG25473XZ5VZVE
tC+MOHUyCgx+WvYLfkQbexVAjltmNXd0AJd7af4UIueWIhYJZH0KsZSb
-----END PRIVATE KEY-----
`;

const { p256dh: POINT, auth: AUTH } = new WebPushReceiver();
const at = (endpoint: string): WebPushToken => webPushToken(endpoint, AUTH, POINT);
const OPEN: EndpointPolicy = { ports: [{ from: 1, to: 65_535 }], hosts: null, allowsPrivate: true };

describe("endpoints", () => {
  it.each([
    "https://fcm.googleapis.com/fcm/send/abc:def",
    "https://updates.push.services.mozilla.com/wpush/v2/gAAAA",
    "https://web.push.apple.com/QGuQyavXutnMH",
    "https://wns2-by3p.notify.windows.com/w/?token=BQYAAAB%2bX",
    "https://ntfy.example.org:8443/upABC?up=1",
    "https://1.1.1.1/x",
  ])("of the Internet are allowed: %s", (endpoint) => {
    expect(allowedEndpoint(at(endpoint), DEFAULT_ENDPOINT_POLICY)?.href).toBe(endpoint);
  });

  it.each([
    "https://localhost/x", "https://127.0.0.1/x", "https://10.0.0.1/x", "https://192.168.1.5:8443/x",
    "https://169.254.169.254/latest/meta-data", "https://ntfy.lan/x", "https://metadata.google.internal/x", "https://printer/x",
  ])("of one's own network only where the operator wants it: %s", (endpoint) => {
    expect(allowedEndpoint(at(endpoint), DEFAULT_ENDPOINT_POLICY)).toBeNull();
    expect(allowedEndpoint(at(endpoint), OPEN)?.href).toBe(endpoint);
  });

  it.each([
    "https://0.0.0.0/x", "https://2130706433/x", "https://0x7f.1/x", "https://127.1/x", "https://a..b/x",
    "https://example.org./x", "https://abc.onion/x", "https://-a.org/x", "https://224.0.0.1/x",
  ])("that lead nowhere good are refused: %s", (endpoint) => {
    expect(allowedEndpoint(at(endpoint), OPEN)).toBeNull();
  });

  it("on ports of other services, or beside the operator's list, are refused", () => {
    for (const port of [22, 25, 80, 444, 1023]) {
      expect(allowedEndpoint(at(`https://push.example.org:${port}/x`), DEFAULT_ENDPOINT_POLICY)).toBeNull();
    }
    const listed = { ...DEFAULT_ENDPOINT_POLICY, hosts: ["web.push.apple.com", ".mozilla.com"] };
    expect(allowedEndpoint(at("https://web.push.apple.com/x"), listed)).not.toBeNull();
    expect(allowedEndpoint(at("https://updates.push.services.mozilla.com/x"), listed)).not.toBeNull();
    expect(allowedEndpoint(at("https://mozilla.com.example.org/x"), listed)).toBeNull();
    expect(allowedEndpoint(at("https://xweb.push.apple.com/x"), listed)).toBeNull();
    expect(allowedEndpoint(at(`https://push.example.org/${"x".repeat(500)}`), OPEN)).toBeNull();
  });

  it("mean the same to whoever posts: dots in a path lead to no other host", () => {
    const url = allowedEndpoint(at("https://push.example.org/a/../..//evil.example.org/@x"), DEFAULT_ENDPOINT_POLICY);
    expect(url?.host).toBe("push.example.org");
  });
});

describe("a push", () => {
  const made = async () => {
    const receiver = new WebPushReceiver();
    const vapid = await readVapid((await makeVapidKeys()).privateKey, SUBJECT);
    const token = webPushToken("https://push.example.org:8443/sub/1?a", receiver.auth, receiver.p256dh);
    return { receiver, token, vapid, provider: webPushProvider(vapid, DEFAULT_ENDPOINT_POLICY) };
  };

  it.each(KINDS)("of kind %s is a request of constant size that only the device can read", async (kind) => {
    const { receiver, token, vapid, provider } = await made();
    const push = somePush(kind, token);
    const prepared = await provider.prepare(push, NOW);
    if (prepared.type !== "request") throw new Error(prepared.type);
    const { url, headers, body } = prepared.request;
    expect(url).toBe("https://push.example.org:8443/sub/1?a");
    expect(headers).toStrictEqual({
      authorization: await vapid.authorization("https://push.example.org:8443", NOW),
      "content-encoding": "aes128gcm",
      "content-type": "application/octet-stream",
      ttl: { verification: "86400", messages: "2592000", check: "3600" }[kind],
      urgency: kind === "check" ? "normal" : "high",
      ...(kind === "check" ? { topic: "check" } : {}),
    });
    expect(body).toHaveLength(4096);
    const opened = openNotificationData(SECRET, receiver.openJson(body));
    if (push.kind === "messages") expect(opened).toStrictEqual({ type: "messages", messages: push.messages });
    if (push.kind === "verification") expect(opened).toStrictEqual({ type: "verification", code: push.code });
    if (push.kind === "check") expect(opened).toStrictEqual({ type: "check" });
  });

  it("to a key that is no point, or to an endpoint that is not allowed any more, ends the token", async () => {
    const { token, vapid, provider } = await made();
    const gone = { type: "result", result: { type: "gone", reason: "BAD" } };
    const moved = { ...token, p256dh: token.p256dh.map((byte, i) => (i === 40 ? byte ^ 1 : byte)) };
    expect(await provider.prepare(somePush("check", moved), NOW)).toStrictEqual(gone);
    const strict = webPushProvider(vapid, { ...DEFAULT_ENDPOINT_POLICY, hosts: ["other.example.org"] });
    expect(strict.allows(token)).toBe(false);
    expect(await strict.prepare(somePush("check", token), NOW)).toStrictEqual(gone);
    const apns: DeviceToken = { provider: "apns_prod", token: "ab" };
    expect(provider.allows(apns)).toBe(false);
  });

  it.each([
    [200, "sent"], [201, "sent"], [202, "sent"], [204, "sent"],
    [404, "gone UNREGISTERED"], [410, "gone UNREGISTERED"],
    [400, "gone BAD"], [405, "gone BAD"], [413, "gone BAD"], [301, "gone BAD"], [308, "gone BAD"],
    [302, "retry"], [307, "retry"], [408, "retry"], [425, "retry"], [429, "retry"], [500, "retry"], [503, "retry"],
  ])("that is answered %i is %s", async (status, expected) => {
    const { token, provider } = await made();
    const result = provider.read(answer(status), somePush("check", token), NOW);
    expect(result.type === "gone" ? `gone ${result.reason}` : result.type).toBe(expected);
  });

  it.each([[401, "", 300_000], [403, "", 300_000], [403, "900", 900_000]])(
    "for which %i comes, as for a wrong key, with Retry-After %j, is tried again after %i ms: nobody is told, and some day it ends",
    async (status, value, after) => {
      const { token, provider } = await made();
      const result = provider.read(answer(status, "", { "retry-after": value }), somePush("check", token), NOW);
      expect(result).toMatchObject({ type: "retry", after });
    },
  );

  it.each([
    ["120", 120_000], ["0", 0], ["Fri, 15 Jan 2027 08:01:00 GMT", 60_000], ["Fri, 15 Jan 2027 07:00:00 GMT", 0],
    ["", null], ["soon", null], ["-5", null], ["1e9", null], ["99999999999999", null],
  ])("that is to be tried again after %j", async (value, after) => {
    const { token, provider } = await made();
    const result = provider.read(answer(429, "", { "retry-after": value }), somePush("check", token), NOW);
    expect(result).toMatchObject({ type: "retry", after });
  });
});
