import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { utf8 } from "#crypto/bytes";
import { parseServerAddress } from "#protocol/address";
import type { AgentOptions } from "../../../client/agent/options.ts";
import type { ProxyPolicy } from "../../../client/agent/rules/route.ts";
import { openWebSocket, type SocketFactory } from "../../../client/transport/socket.ts";
import { RelayProcess, removeFolder, temporaryFolder } from "../../support/relay-process.ts";
import { connectPeople, Person, type RelayPlace } from "./person.ts";

const LOCAL = { PROXY_PRIVATE: "on", PROXY_PORTS: "1-65535", NEW_QUEUES_PER_MINUTE: "0", MESSAGES_PER_MINUTE: "0" };

const folders: string[] = [];
function startRelay(env: Record<string, string> = LOCAL, options?: readonly string[]): Promise<RelayProcess> {
  const folder = temporaryFolder();
  folders.push(folder);
  return RelayProcess.start(folder, env, 0, options);
}

/** The same relay by its other local name, so that it counts as foreign to those who know only the first one's. */
function elsewhere({ info }: RelayProcess): RelayPlace {
  return { address: info.address.replace("127.0.0.1", "localhost"), url: info.url };
}

let one: RelayProcess;
let two: RelayProcess;
beforeAll(async () => {
  [one, two] = await Promise.all([startRelay(), startRelay()]);
});
afterAll(async () => {
  await Promise.all([one.stop(), two.stop()]);
  for (const folder of folders) removeFolder(folder);
});

/** Sees where a program connects to. */
class Watch {
  readonly ports = new Set<string>();

  readonly openSocket: SocketFactory = (url) => {
    this.ports.add(new URL(url).port);
    return openWebSocket(url);
  };

  /** Whether it ever connected to a relay. */
  saw({ info }: RelayProcess): boolean {
    return this.ports.has(new URL(info.url).port);
  }
}

interface Watched {
  readonly person: Person;
  readonly watch: Watch;
}

const people: Person[] = [];
afterEach(async () => {
  await Promise.all(people.splice(0).map((who) => who.stop()));
});

async function at(name: string, relays: readonly RelayPlace[], proxy?: Partial<ProxyPolicy>): Promise<Watched> {
  const watch = new Watch();
  const options: Partial<AgentOptions> = { openSocket: watch.openSocket, ...(proxy ? { proxy } : {}) };
  const person = await new Person(name, relays, options).start();
  people.push(person);
  return { person, watch };
}

/** Alice receives at the first relay and Bob at the second, and neither knows the other's. */
async function strangers(proxy?: Partial<ProxyPolicy>): Promise<{ alice: Watched; bob: Watched }> {
  return { alice: await at("Alice", [one.info], proxy), bob: await at("Bob", [elsewhere(two)], proxy) };
}

async function talk(from: Person, connection: string, to: Person, count: number): Promise<void> {
  const texts = Array.from({ length: count }, (_, i) => `${from.name} ${i}`);
  for (const text of texts) await from.send(connection, text);
  const received: string[] = [];
  while (received.length < count) received.push(await to.receive(new Uint8Array()));
  expect(received).toEqual(texts);
}

/** How each message that was sent went. */
function waysOf({ history }: Person): string[] {
  return history.flatMap((event) => (event.type === "sent" ? [event.isProxied ? "proxied" : "direct"] : []));
}

const repeat = (what: string, count: number): string[] => Array.from({ length: count }, () => what);

describe("each sends only through the own relay", () => {
  it("from the link on, over restarts", async () => {
    const { alice, bob } = await strangers();
    const { a, b } = await connectPeople(alice.person, bob.person);
    await Promise.all([talk(alice.person, a, bob.person, 20), talk(bob.person, b, alice.person, 20)]);
    await alice.person.restart();
    await bob.person.restart();
    await Promise.all([talk(alice.person, a, bob.person, 10), talk(bob.person, b, alice.person, 10)]);
    for (const { person } of [alice, bob]) await expect.poll(() => waysOf(person)).toEqual(repeat("proxied", 30));
    expect([alice.watch.saw(one), alice.watch.saw(two)]).toEqual([true, false]);
    expect([bob.watch.saw(one), bob.watch.saw(two)]).toEqual([false, true]);
  });

  it("with the short link of an invitation", async () => {
    const { alice, bob } = await strangers();
    const { connection: a, shortLink } = await alice.person.agent.invite({ data: utf8("Alice's link") });
    const link = shortLink ?? "";
    expect(await bob.person.agent.preview(link)).toMatchObject({ type: "invitation", data: utf8("Alice's link") });
    const b = await bob.person.agent.join(link, utf8("Bob"));
    const { confirmation } = await alice.person.next("confirmation");
    await alice.person.agent.allow(a, confirmation, utf8("Alice"));
    await Promise.all([alice.person.next("connected"), bob.person.next("connected")]);
    await talk(bob.person, b, alice.person, 3);
    expect([alice.watch.saw(two), bob.watch.saw(one)]).toEqual([false, false]);
  });

  it("with the short link of an address", async () => {
    const { alice, bob } = await strangers();
    const { shortLink } = await alice.person.agent.createAddress({ data: utf8("Alice's address") });
    expect(await bob.person.agent.preview(shortLink ?? "")).toMatchObject({ type: "contact", data: utf8("Alice's address") });
    const b = await bob.person.agent.join(shortLink ?? "", utf8("Bob"));
    const { request } = await alice.person.next("request");
    await alice.person.agent.accept(request, utf8("Alice"));
    const { confirmation } = await bob.person.next("confirmation");
    await bob.person.agent.allow(b, confirmation, utf8("Bob"));
    await Promise.all([alice.person.next("connected"), bob.person.next("connected")]);
    await talk(bob.person, b, alice.person, 3);
    expect([alice.watch.saw(two), bob.watch.saw(one)]).toEqual([false, false]);
  });

  it("tells that a link was used by somebody else, as the foreign relay says", async () => {
    const { alice, bob } = await strangers();
    const eve = await at("Eve", [elsewhere(two)]);
    const { shortLink } = await alice.person.agent.invite();
    await bob.person.agent.preview(shortLink ?? "");
    await expect(eve.person.agent.preview(shortLink ?? "")).rejects.toMatchObject({ code: "PROTOCOL", error: { type: "AUTH" } });
    expect(eve.watch.saw(one)).toBe(false);
  });
});

describe("a relay with a gateway", () => {
  let behind: RelayProcess;
  let gateway: RelayPlace;
  beforeAll(async () => {
    behind = await startRelay(LOCAL, ["--tls-port", "0"]);
    // Its queues are at an address where nothing but TLS is spoken; its own people connect elsewhere.
    gateway = { address: (behind.info.gateway ?? "").replace("127.0.0.1", "localhost"), url: behind.info.url };
  });
  afterAll(() => behind.stop());

  it("is reached through the own relay, over TLS, as classic servers are", async () => {
    const alice = await at("Alice", [one.info], { fallback: "prohibit" });
    const bob = await at("Bob", [gateway], { fallback: "prohibit" });
    const { connection: b, shortLink } = await bob.person.agent.invite({ data: utf8("Bob's link") });
    expect(shortLink).toContain("localhost");
    const a = await alice.person.agent.join(shortLink ?? "", utf8("Alice"));
    const { confirmation } = await bob.person.next("confirmation");
    await bob.person.agent.allow(b, confirmation, utf8("Bob"));
    await Promise.all([alice.person.next("connected"), bob.person.next("connected")]);
    await Promise.all([talk(alice.person, a, bob.person, 10), talk(bob.person, b, alice.person, 10)]);
    for (const { person } of [alice, bob]) await expect.poll(() => waysOf(person)).toEqual(repeat("proxied", 10));
    expect([...alice.watch.ports]).toEqual([new URL(one.info.url).port]);
    expect([...bob.watch.ports]).toEqual([new URL(behind.info.url).port]);
  });

  it("is reached directly by its own people, though the peer's address names the gateway", async () => {
    const bob = await at("Bob", [gateway]);
    const carol = await at("Carol", [behind.info]);
    const { a } = await connectPeople(carol.person, bob.person);
    await talk(carol.person, a, bob.person, 3);
    await expect.poll(() => waysOf(carol.person)).toEqual(repeat("direct", 3));
    expect([...carol.watch.ports]).toEqual([new URL(behind.info.url).port]);
  });
});

describe("when a relay fails", () => {
  it("messages wait for a foreign one", { timeout: 90_000 }, async () => {
    const folder = temporaryFolder();
    folders.push(folder);
    let foreign = await RelayProcess.start(folder, LOCAL);
    const port = Number(new URL(foreign.info.url).port);
    try {
      const alice = await at("Alice", [one.info]);
      const bob = await at("Bob", [elsewhere(foreign)]);
      const { a } = await connectPeople(alice.person, bob.person);
      await talk(alice.person, a, bob.person, 3);
      await foreign.kill();
      const texts = ["first", "second", "third"];
      for (const text of texts) await alice.person.send(a, text);
      await sleep(3_000);
      foreign = await RelayProcess.start(folder, LOCAL, port);
      // Both relays remember for half a minute that it was down.
      await expect.poll(() => waysOf(alice.person), { timeout: 60_000 }).toEqual(repeat("proxied", 6));
      expect([await bob.person.receive(), await bob.person.receive(), await bob.person.receive()]).toEqual(texts);
      expect(alice.watch.saw(foreign)).toBe(false);
      await bob.person.stop();
    } finally {
      await foreign.stop();
    }
  });

  it("messages go through another own one", async () => {
    const three = await startRelay();
    const alice = await at("Alice", [one.info, three.info]);
    const bob = await at("Bob", [elsewhere(two)]);
    const [first, third] = [one, three].map(({ info }) => parseServerAddress(info.address));
    if (!first || !third) throw new Error("there are two");
    alice.person.agent.setServers([first]);
    const { a } = await connectPeople(alice.person, bob.person);
    alice.person.agent.setServers([third]);
    await talk(alice.person, a, bob.person, 3);
    alice.person.agent.setServers([third, first]);
    await three.kill();
    await talk(alice.person, a, bob.person, 3);
    await expect.poll(() => waysOf(alice.person)).toEqual(repeat("proxied", 6));
    expect([alice.watch.saw(three), alice.watch.saw(two)]).toEqual([true, false]);
  });
});

describe("an own relay that reaches no others", () => {
  let strict: RelayProcess;
  beforeAll(async () => {
    // It connects to nothing on this machine.
    strict = await startRelay({ ...LOCAL, PROXY_PRIVATE: "off" });
  });
  afterAll(() => strict.stop());

  it("leads to direct connections where they are allowed", async () => {
    const alice = await at("Alice", [strict.info], { fallback: "allow" });
    const bob = await at("Bob", [elsewhere(two)]);
    const { a } = await connectPeople(alice.person, bob.person);
    await talk(alice.person, a, bob.person, 3);
    await expect.poll(() => waysOf(alice.person)).toEqual(repeat("direct", 3));
    expect(alice.watch.saw(two)).toBe(true);
  });

  it.each(["prohibit", "allowProtected"] as const)("makes everything wait with fallback %s", async (fallback) => {
    const alice = await at("Alice", [strict.info], { fallback });
    const bob = await at("Bob", [elsewhere(two)]);
    const { link } = await bob.person.agent.invite();
    const a = await alice.person.agent.join(link, utf8("Alice"));
    const { error } = await alice.person.next("error");
    expect(error).toMatchObject({ code: "PROXY", failure: "host" });
    expect(alice.watch.saw(two)).toBe(false);
    // What waits goes on once the application decides otherwise.
    await alice.person.restart({ proxy: { fallback: "allow" } });
    const { connection: b, confirmation } = await bob.person.next("confirmation");
    await bob.person.agent.allow(b, confirmation, utf8("Bob"));
    await Promise.all([alice.person.next("connected"), bob.person.next("connected")]);
    await alice.person.restart({ proxy: { fallback } });
    await alice.person.send(a, "waits");
    expect(await alice.person.next("delayed")).toMatchObject({ connection: a, error: { code: "PROXY", failure: "host" } });
    await alice.person.restart({ proxy: { mode: "never" } });
    expect(await bob.person.receive()).toBe("waits");
  });
});

describe("modes", () => {
  it("never: everything is direct", async () => {
    const { alice, bob } = await strangers({ mode: "never" });
    const { a, b } = await connectPeople(alice.person, bob.person);
    await Promise.all([talk(alice.person, a, bob.person, 3), talk(bob.person, b, alice.person, 3)]);
    for (const { person, watch } of [alice, bob]) {
      await expect.poll(() => waysOf(person)).toEqual(repeat("direct", 3));
      expect([watch.saw(one), watch.saw(two)]).toEqual([true, true]);
    }
  });

  it("always: through another own relay even to one's own", async () => {
    const alice = await at("Alice", [one.info, elsewhere(two)], { mode: "always" });
    const bob = await at("Bob", [one.info, elsewhere(two)], { mode: "always" });
    const { a, b } = await connectPeople(alice.person, bob.person);
    await Promise.all([talk(alice.person, a, bob.person, 3), talk(bob.person, b, alice.person, 3)]);
    for (const { person } of [alice, bob]) await expect.poll(() => waysOf(person)).toEqual(repeat("proxied", 3));
  });
});
