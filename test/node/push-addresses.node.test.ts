import type { LookupOptions } from "node:dns";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { judgedLookup, resolveName } from "../../src/node/push-sender/addresses.ts";
import type { PushSenderOptions } from "../../src/node/push-sender.ts";
import { PushBench } from "../support/push-bench.ts";
import { PushService } from "../support/push-service.ts";

let service: PushService;
let running: PushBench | null = null;
const PRIVATE = { PUSH_PRIVATE: "on" };
const authorities = getCACertificates("default");

beforeAll(async () => {
  service = await PushService.start();
  setDefaultCACertificates([...authorities, service.ca]);
});

afterAll(async () => {
  setDefaultCACertificates(authorities);
  await service.stop();
});

afterEach(async () => {
  await running?.stop();
  running = null;
});

async function start(settings: Record<string, string> = PRIVATE, options: PushSenderOptions = {}): Promise<PushBench> {
  running = await PushBench.start(settings, options);
  return running;
}

const leadingTo = (...addresses: readonly string[]): PushSenderOptions => ({
  resolve: async () => addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })),
  time: 2_000,
});

/** What `net.connect` is told to connect to; the error's message when to nothing. */
function lookedUp(allowsPrivate: boolean, addresses: readonly string[], options: LookupOptions): Promise<unknown> {
  const lookup = judgedLookup(allowsPrivate, leadingTo(...addresses).resolve ?? resolveName);
  return new Promise((resolve) => {
    lookup("push.example.org", options, (error, address, family) => resolve(error ? error.message : family ?? address));
  });
}

const PRIVATE_ADDRESSES = ["127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "::1", "fe80::1", "fc00::1"];

it.each([
  ...PRIVATE_ADDRESSES, "0.0.0.0", "192.0.2.1", "198.18.0.1", "224.0.0.1", "255.255.255.255", "::", "fe80::1%lo", "::ffff:127.0.0.1",
  "::ffff:7f00:1", "64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::", "2001::1", "ff02::1", "2001:db8::1", "",
])("a name that leads to '%s' leads nowhere", async (address) => {
  expect(await lookedUp(false, [address], { all: true })).toContain("no address of the Internet");
  expect(await lookedUp(false, [address], { all: false })).toContain("no address of the Internet");
  const isPrivate = PRIVATE_ADDRESSES.includes(address);
  if (isPrivate) expect(await lookedUp(true, [address], { all: true })).toMatchObject([{ address }]);
  else expect(await lookedUp(true, [address], { all: true })).toContain("no address");
});

it("a name that leads to the Internet leads there, and only there", async () => {
  const addresses = ["10.0.0.1", "9.9.9.9", "::1", "2620:fe::fe"];
  const [four, six] = [{ address: "9.9.9.9", family: 4 }, { address: "2620:fe::fe", family: 6 }];
  expect(await lookedUp(false, addresses, { all: true })).toEqual([four, six]);
  expect(await lookedUp(false, addresses, { all: true, family: 6 })).toEqual([six]);
  expect(await lookedUp(false, addresses, {})).toBe(4);
  expect(await lookedUp(false, [], { all: true })).toContain("no address");
});

it("nothing is connected to behind such a name", async () => {
  const bench = await start({}, leadingTo("127.0.0.1"));
  const before = service.connections;
  expect(await bench.post(`https://push.example.org:${service.port}/push/1`)).toBeNull();
  expect(service.connections).toBe(before);
});

it.each(["localhost", "127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "router.local"])(
  "%s itself is not asked without PUSH_PRIVATE",
  async (host) => {
    const bench = await start({});
    const before = service.connections;
    expect(await bench.post(`https://${host}:${service.port}/push/1`)).toBeNull();
    expect(service.connections).toBe(before);
  },
);

it("of several addresses only those of the Internet are tried", async () => {
  const asked: string[] = [];
  const resolve = async (name: string): Promise<{ address: string; family: number }[]> => {
    asked.push(name);
    return [{ address: "127.0.0.1", family: 4 }, { address: "2001:db8::5", family: 6 }];
  };
  const bench = await start({}, { resolve, time: 2_000 });
  const before = service.connections;
  expect(await bench.post(`https://push.example.org:${service.port}/push/1`)).toBeNull();
  expect(asked).toStrictEqual(["push.example.org"]);
  expect(service.connections).toBe(before);
});

it("what leads nowhere is not asked with PUSH_PRIVATE either, what is private is", async () => {
  const bench = await start(PRIVATE, leadingTo("::ffff:127.0.0.1", "127.0.0.1"));
  const browser = service.subscribe();
  expect((await bench.post(browser.endpoint))?.status).toBe(400);
});
