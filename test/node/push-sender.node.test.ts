import { once } from "node:events";
import { createServer as createTcpServer, type AddressInfo } from "node:net";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { openNotificationData } from "#protocol/ntf/notification";
import type { DeviceToken } from "#protocol/ntf/token";
import type { PushSenderOptions } from "../../src/node/push-sender.ts";
import { type ApnsConfig, apnsProvider } from "../../src/push/apns.ts";
import { DEFAULT_ENDPOINT_POLICY } from "../../src/push/endpoint.ts";
import { deliver, type Provider, type SendRequest, Unreachable } from "../../src/push/provider.ts";
import { makeVapidKeys, readVapid, type Vapid } from "../../src/push/vapid.ts";
import { webPushProvider } from "../../src/push/web-push.ts";
import type { DeliveryResult } from "../../src/relay/notification/ports.ts";
import { ApnsServer } from "../support/apns-server.ts";
import { PushBench } from "../support/push-bench.ts";
import { PushService } from "../support/push-service.ts";
import { TcpProxy } from "../support/tcp-proxy.ts";
import { KINDS, SECRET, somePush } from "../support/some-push.ts";

let service: PushService;
let apns: ApnsServer;
let bench: PushBench;
let vapid: Vapid;
const PRIVATE = { PUSH_PRIVATE: "on" };
/** Milliseconds after which Apple gets another signature. */
const HALF_HOUR = 1_800_000;
const authorities = getCACertificates("default");

beforeAll(async () => {
  service = await PushService.start();
  apns = await ApnsServer.start();
  vapid = await readVapid((await makeVapidKeys()).privateKey, "mailto:operator@smp.example.org");
  setDefaultCACertificates([...authorities, service.ca, apns.ca]);
});

afterAll(async () => {
  setDefaultCACertificates(authorities);
  await Promise.all([service.stop(), apns.stop()]);
});

afterEach(() => bench.stop());

async function start(settings: Record<string, string> = PRIVATE, options: PushSenderOptions = {}): Promise<void> {
  bench = await PushBench.start(settings, options);
}

/** As the Worker does it. */
const send: SendRequest = async ({ url, headers, body }) => {
  const answer = await bench.post(url, headers, body);
  if (!answer) throw new Unreachable("no answer");
  const read = (name: string): string | null => (answer.headers[name] as string | undefined) ?? null;
  return { status: answer.status, header: read, body: answer.body };
};

function push(
  provider: Provider,
  token: DeviceToken,
  kind: (typeof KINDS)[number] = "messages",
  clock = Date.now,
): Promise<DeliveryResult> {
  return deliver(provider, somePush(kind, token), send, clock);
}

const web = (): Provider => webPushProvider(vapid, { ...DEFAULT_ENDPOINT_POLICY, allowsPrivate: true });
const operator = ({ topic, teamId, keyId, privateKey, origin }: ApnsServer): ApnsConfig => ({
  topic,
  teamId,
  keyId,
  privateKey,
  testOrigin: origin,
});
const apple = (): Promise<Provider> => apnsProvider(operator(apns));

describe("Web Push over HTTP/1.1", () => {
  it.each(KINDS)("a push of kind %s reaches the browser, which decrypts it", async (kind) => {
    await start();
    const browser = service.subscribe(vapid.publicKey);
    expect(await push(web(), browser.token, kind)).toStrictEqual({ type: "sent" });
    const got = await browser.next();
    expect(got).toMatchObject({ size: 4096, vapid: vapid.publicKey, urgency: kind === "check" ? "normal" : "high" });
    const type = kind === "check" ? "check" : kind === "messages" ? "messages" : "verification";
    expect(openNotificationData(SECRET, JSON.parse(got.text))).toMatchObject({ type });
    expect(service.refused).toStrictEqual([]);
  });

  it("keeps a connection for the next push", async () => {
    await start();
    const browser = service.subscribe();
    const before = service.connections;
    for (let count = 0; count < 10; count++) await push(web(), browser.token);
    expect(browser.received).toHaveLength(10);
    expect(service.connections - before).toBe(1);
  });

  it("brings the service's answers as they are, follows no redirect and reads only so much", async () => {
    await start();
    const browser = service.subscribe();
    const location = service.subscribe().endpoint;
    browser.replies.push(
      { status: 429, headers: { "retry-after": "17", "set-cookie": "a=b" }, body: "slow" },
      { status: 307, headers: { location } },
      { status: 500, body: "x".repeat(1_000_000) },
    );
    const before = service.requests;
    const slow = await bench.post(browser.endpoint);
    expect(slow).toMatchObject({ status: 429, body: "slow", headers: { "retry-after": "17" } });
    expect(slow?.headers["set-cookie"]).toBeUndefined();
    expect((await bench.post(browser.endpoint))?.status).toBe(307);
    expect((await bench.post(browser.endpoint))?.body).toHaveLength(8_192);
    expect(service.requests - before, "nothing else was asked").toBe(3);
  });

  it("a service that is silent, breaks off or is not there has no answer, and no status is made up", async () => {
    await start(PRIVATE, { time: 2_000 });
    const browser = service.subscribe();
    browser.replies.push("broken", "silent");
    expect(await push(web(), browser.token)).toMatchObject({ type: "retry" });
    const began = performance.now();
    expect(await push(web(), browser.token)).toMatchObject({ type: "retry" });
    expect(performance.now() - began).toBeGreaterThan(1_900);
    expect(await bench.post("https://127.0.0.1:1/x")).toBeNull();
    expect(await push(web(), browser.token), "and then it goes on").toStrictEqual({ type: "sent" });
    expect(bench.troubles, "endpoints are named by users").toStrictEqual([]);
  });

  it("a service under an unknown authority gets nothing", async () => {
    setDefaultCACertificates(authorities);
    try {
      await start();
      const browser = service.subscribe();
      const before = service.requests;
      expect(await bench.post(browser.endpoint)).toBeNull();
      expect(service.requests).toBe(before);
    } finally {
      setDefaultCACertificates([...authorities, service.ca, apns.ca]);
    }
  });

  it("a request that the Worker gives up ends here too", async () => {
    await start();
    const browser = service.subscribe();
    browser.replies.push("silent");
    const gone = new AbortController();
    const { abandoned } = service;
    const asked = bench.post(browser.endpoint, {}, "x", gone.signal);
    const before = service.requests;
    while (service.requests === before) await pause(5);
    expect(service.abandoned).toBe(abandoned);
    gone.abort();
    expect(await asked).toBeNull();
    await expect.poll(() => service.abandoned).toBe(abandoned + 1);
  });

  it("one slow service holds nobody else, and so many pushes wait for it", async () => {
    await start();
    const slow = await PushService.start();
    setDefaultCACertificates([...authorities, service.ca, apns.ca, slow.ca]);
    const sleeper = slow.subscribe();
    sleeper.replies.push(...Array<"silent">(400).fill("silent"));
    const gone = new AbortController();
    let refused = 0;
    const waiting = Array.from({ length: 300 }, async () => {
      const answer = await bench.post(sleeper.endpoint, {}, "x", gone.signal);
      if (answer === null && !gone.signal.aborted) refused++;
    });
    await expect.poll(() => refused, { timeout: 10_000, message: "those for whom there is no place" }).toBe(300 - 16 - 16);
    const browser = service.subscribe();
    expect(await push(web(), browser.token)).toStrictEqual({ type: "sent" });
    expect(slow.requests).toBeLessThanOrEqual(16);
    gone.abort();
    await Promise.all(waiting);
    expect(refused).toBe(268);
    await slow.stop();
  });
});

it("strangers who name ever more hosts get only so many connections, at nobody else's cost, and then it goes on", async () => {
  const mute = createTcpServer((socket) => void socket.on("error", () => undefined)).listen(0, "127.0.0.1");
  await once(mute, "listening");
  const { port } = mute.address() as AddressInfo;
  let connections = 0;
  const asked: string[] = [];
  mute.on("connection", () => connections++);
  await start({ ...PRIVATE, ...apns.settings }, { most: 20, resolve: async (name) => {
    asked.push(name);
    return [{ address: "127.0.0.1", family: 4 }];
  } });
  const gone = new AbortController();
  const waiting = Array.from({ length: 50 }, (_, i) =>
    bench.post(`https://push-${i}.example.org:${port}/x`, {}, "x", gone.signal)
  );
  await expect.poll(() => connections, { timeout: 10_000 }).toBe(20);
  const browser = service.subscribe();
  expect(await push(web(), browser.token)).toMatchObject({ type: "retry" });
  expect(await push(await apple(), apns.device().deviceToken), "whom the operator chose").toStrictEqual({ type: "sent" });
  const windows = bench.post("https://wns2.notify.windows.com/w/?token=x", {}, "x", gone.signal);
  await expect.poll(() => asked, { timeout: 10_000, message: "whom browsers choose" }).toContain("wns2.notify.windows.com");
  gone.abort();
  await Promise.all([...waiting, windows]);
  await expect.poll(() => push(web(), browser.token), { timeout: 10_000 }).toStrictEqual({ type: "sent" });
  expect(connections).toBe(20);
  mute.close();
});

describe("APNs over HTTP/2", () => {
  it.each(KINDS)("a push of kind %s reaches the phone", async (kind) => {
    await start(apns.settings);
    const phone = apns.device();
    expect(await push(await apple(), phone.deviceToken, kind)).toStrictEqual({ type: "sent" });
    const got = await phone.next();
    expect(got.size).toBeLessThanOrEqual(4096);
    expect(openNotificationData(SECRET, got.notificationData)).toMatchObject({ type: kind });
    expect(apns.refused).toStrictEqual([]);
  });

  it("many pushes share one session, and no more streams are open than the server allows", async () => {
    const narrow = await ApnsServer.start(3);
    setDefaultCACertificates([...authorities, narrow.ca]);
    await start(narrow.settings);
    narrow.delay = 5;
    const phone = narrow.device();
    const provider = await apnsProvider(operator(narrow));
    const results = await Promise.all(Array.from({ length: 60 }, () => push(provider, phone.deviceToken)));
    expect(results).toStrictEqual(Array.from({ length: 60 }, () => ({ type: "sent" })));
    expect(narrow).toMatchObject({ sessions: 1, requests: 60, mostAtOnce: 3 });
    setDefaultCACertificates([...authorities, service.ca, apns.ca]);
    await narrow.stop();
  });

  it("Apple's refusals arrive with their reason", async () => {
    await start(apns.settings);
    const phone = apns.device();
    const provider = await apple();
    phone.replies.push(
      { status: 410, reason: "Unregistered" },
      { status: 400, reason: "BadDeviceToken" },
      { status: 429, reason: "TooManyRequests" },
      { status: 503, reason: "ServiceUnavailable", headers: { "retry-after": "120" } },
      { status: 403, reason: "ExpiredProviderToken" },
    );
    const token = phone.deviceToken;
    expect(await push(provider, token)).toStrictEqual({ type: "gone", reason: "UNREGISTERED" });
    expect(await push(provider, token)).toStrictEqual({ type: "gone", reason: "BAD" });
    expect(await push(provider, token)).toMatchObject({ type: "retry", after: null });
    expect(await push(provider, token)).toMatchObject({ type: "retry", after: 120_000 });
    const justSigned = (): number => Date.now() - (Date.now() % HALF_HOUR);
    expect(await push(provider, token, "messages", justSigned)).toMatchObject({ type: "fix-configuration" });
    expect(await push(provider, { ...token, token: "ff".repeat(32) }), "of no phone").toMatchObject({ reason: "BAD" });
    expect(await push(provider, token)).toStrictEqual({ type: "sent" });
  });

  it.each(["goaway", "refused"] as const)("a push that was not begun with (%s) is sent once more", async (reply) => {
    await start(apns.settings);
    const phone = apns.device();
    const provider = await apple();
    await push(provider, phone.deviceToken);
    const before = apns.sessions;
    phone.replies.push(reply);
    expect(await push(provider, phone.deviceToken)).toStrictEqual({ type: "sent" });
    expect(phone.received).toHaveLength(2);
    expect(apns.sessions - before).toBe(reply === "goaway" ? 1 : 0);
  });

  it("a kept session that broke is replaced; one that breaks every time has no answer", async () => {
    await start(apns.settings);
    const phone = apns.device();
    const provider = await apple();
    await push(provider, phone.deviceToken);
    apns.endSessions();
    expect(await push(provider, phone.deviceToken)).toStrictEqual({ type: "sent" });
    phone.replies.push("broken");
    expect(await push(provider, phone.deviceToken)).toStrictEqual({ type: "sent" });
    phone.replies.push("broken", "broken", "broken");
    expect(await push(provider, phone.deviceToken)).toMatchObject({ type: "retry" });
    phone.replies.length = 0;
    expect(await push(provider, phone.deviceToken)).toStrictEqual({ type: "sent" });
  });

  it("silence for one push ends that push; the others and the session go on", async () => {
    await start(apns.settings, { time: 2_000 });
    const phone = apns.device();
    const provider = await apple();
    await push(provider, phone.deviceToken);
    const before = apns.sessions;
    phone.replies.push("silent");
    const lost = push(provider, phone.deviceToken);
    const others = [push(provider, phone.deviceToken), push(provider, phone.deviceToken)];
    expect(await lost).toMatchObject({ type: "retry" });
    expect(await Promise.all(others)).toStrictEqual([{ type: "sent" }, { type: "sent" }]);
    expect(await push(provider, phone.deviceToken), "after a ping").toStrictEqual({ type: "sent" });
    expect(apns.sessions).toBe(before);
  });

  it("a session that the network forgot is noticed by a ping, and replaced", async () => {
    const network = await TcpProxy.open(Number(new URL(apns.origin).port));
    const origin = `https://localhost:${network.port}`;
    await start({ APNS_TEST_ORIGIN: origin }, { time: 7_000 });
    const phone = apns.device();
    const provider = await apnsProvider({ ...operator(apns), testOrigin: origin });
    expect(await push(provider, phone.deviceToken)).toStrictEqual({ type: "sent" });
    network.freeze();
    expect(await push(provider, phone.deviceToken), "heard a moment ago, so nobody asks").toMatchObject({ type: "retry" });
    expect(await push(provider, phone.deviceToken)).toStrictEqual({ type: "sent" });
    await network.close();
  });

  it("where nobody speaks HTTP/2 no push is sent otherwise, and the operator hears of it once", async () => {
    await start({ APNS_TEST_ORIGIN: service.origin });
    const before = service.requests;
    expect(await bench.post(`${service.origin}/3/device/00`)).toBeNull();
    expect(await bench.post(`${service.origin}/3/device/00`)).toBeNull();
    expect(service.requests).toBe(before);
    expect(bench.troubles).toHaveLength(1);
    expect(bench.troubles[0]).toContain("localhost does not answer");
  });

  it("a host that takes the connection and says nothing is given up in time", async () => {
    const mute = createTcpServer(() => undefined).listen(0, "127.0.0.1");
    await once(mute, "listening");
    const { port } = mute.address() as AddressInfo;
    await start({ APNS_TEST_ORIGIN: `https://127.0.0.1:${port}` }, { time: 300 });
    expect(await bench.post(`https://127.0.0.1:${port}/3/device/00`)).toBeNull();
    mute.close();
  });
});

it("only pushes are sent: nothing but POST to a host", async () => {
  await start();
  const before = service.requests;
  expect(await bench.post("https://localhost/../", {}, "x".repeat(20_000)), "too long").toBeNull();
  expect(service.requests).toBe(before);
});
