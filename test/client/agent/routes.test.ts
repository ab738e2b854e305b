import { describe, expect, it } from "vitest";
import { EMPTY } from "#crypto/bytes";
import { formatServerAddress, parseServerAddress, type Server } from "#protocol/address";
import type { Message } from "#protocol/commands";
import type { ErrorType } from "#protocol/errors";
import type { ProxyPolicy } from "../../../client/agent/rules/route.ts";
import { OwnRelays } from "../../../client/agent/runtime/own-relays.ts";
import { Relays } from "../../../client/agent/runtime/relays.ts";
import { Routes } from "../../../client/agent/runtime/routes.ts";
import { send } from "../../../client/smp/calls.ts";
import { FakeClock, settle } from "../support/fake-clock.ts";
import { FakeDestination, forwardTo } from "../support/fake-destination.ts";
import { FakeRouter, makeFakeIdentity } from "../support/fake-router.ts";
import { id, OK } from "../support/client-world.ts";

const BASIC_AUTH: ErrorType = { type: "PROXY", proxyErr: { type: "BASIC_AUTH" } };
const HOST: ErrorType = { type: "PROXY", proxyErr: { type: "BROKER", brokerErr: { type: "HOST" } } };
const NETWORK: ErrorType = {
  type: "PROXY",
  proxyErr: { type: "BROKER", brokerErr: { type: "NETWORK", networkError: { type: "failedError" } } },
};

function routerAt(host: string): FakeRouter {
  const identity = makeFakeIdentity();
  return new FakeRouter({ ...identity, server: { ...identity.server, hosts: [host] } });
}

/** Two own relays that forward to a foreign one, which can be reached directly too. */
class World {
  readonly clock = new FakeClock();
  readonly home = routerAt("home.example.org");
  readonly second = routerAt("second.example.org");
  readonly foreign = routerAt("foreign.example.org");
  readonly destination = new FakeDestination(this.foreign.identity);
  readonly routers = [this.home, this.second, this.foreign];
  readonly own: OwnRelays;
  readonly routes: Routes;
  /** Hosts that refuse connections. */
  readonly down = new Set<string>();
  readonly ways: string[] = [];

  constructor(policy: Partial<ProxyPolicy> = {}, password: string | null = "secret") {
    for (const router of [this.home, this.second]) forwardTo(router, this.destination);
    this.foreign.answer = () => OK;
    const openSocket: FakeRouter["openSocket"] = (url) => {
      const { hostname } = new URL(url);
      const router = this.routers.find(({ server }) => server.hosts[0] === hostname);
      if (!router) throw new Error(`there is no ${hostname}`);
      const socket = router.openSocket(url);
      const isDown = this.down.has(hostname);
      if (isDown) router.welcome = () => socket.drop();
      else router.welcome = (session) => session.greet();
      return socket;
    };
    const relays = new Relays({ clock: this.clock, openSocket }, () => undefined);
    this.own = new OwnRelays([this.home, this.second].map(({ server }) => ({ ...server, password })));
    this.routes = new Routes(relays, this.own, this.clock, policy);
    // The first of two.
    this.clock.chance = 0.4;
  }

  /** Sends a message to a relay: the host of the proxy, or `directly`. */
  async send(server: Server = this.foreign.server, profile = "main"): Promise<string> {
    const onWay = (relayKey: string): void => void this.ways.push(relayKey);
    const { proxy } = await this.routes.run(profile, server, (relay) => send(relay, id(1), null, EMPTY), onWay);
    return proxy?.hosts[0] ?? "directly";
  }

  refuse(router: FakeRouter, error: ErrorType): void {
    router.answer = (): Message => ({ tag: "ERR", error });
  }

  /** How often each relay was connected to: home, second, foreign. */
  get connections(): number[] {
    return [this.home, this.second, this.foreign].map(({ sessions }) => sessions.length);
  }
}

describe("commands for a foreign relay", () => {
  it("go through one own relay, always the same, and never directly", async () => {
    const world = new World();
    for (let i = 0; i < 5; i++) expect(await world.send()).toBe("home.example.org");
    expect(world.connections).toEqual([1, 0, 0]);
    expect(world.home.session.commands.filter((tag) => tag === "PRXY")).toHaveLength(1);
    expect(world.home.session.requests[0]?.parsed).toMatchObject({ basicAuth: "secret" });
    expect(world.ways.every((key) => key.includes("home.example.org"))).toBe(true);
  });

  it("of another profile have a connection and a choice of their own", async () => {
    const world = new World();
    expect(await world.send(undefined, "main")).toBe("home.example.org");
    world.clock.chance = 0.9;
    expect(await world.send(undefined, "work")).toBe("second.example.org");
    expect(await world.send(undefined, "main")).toBe("home.example.org");
    expect(world.connections).toEqual([1, 1, 0]);
  });

  it("go directly in mode never, and to own relays", async () => {
    const never = new World({ mode: "never" });
    expect(await never.send()).toBe("directly");
    expect(never.connections).toEqual([0, 0, 1]);
    const unknown = new World();
    unknown.home.answer = () => OK;
    expect(await unknown.send(unknown.home.server)).toBe("directly");
    expect(unknown.connections).toEqual([1, 0, 0]);
  });

  it("go directly to the own relay that the address of a gateway names", async () => {
    const world = new World();
    world.home.answer = () => OK;
    expect(await world.send({ ...world.home.server, hosts: ["gateway.example.org"], port: "5223" })).toBe("directly");
    expect(world.connections).toEqual([1, 0, 0]);
  });

  it("go through the relays that are configured now", async () => {
    const world = new World();
    await world.send();
    world.own.replace([{ ...world.second.server, password: null }]);
    expect(await world.send()).toBe("second.example.org");
    expect(world.second.session.requests[0]?.parsed).toMatchObject({ basicAuth: null });
  });
});

describe("an own relay that is down", () => {
  it("is left for another one at the next attempt", async () => {
    const world = new World();
    world.down.add("home.example.org");
    const failing = expect(world.send()).rejects.toMatchObject({ code: "DISCONNECTED" });
    await world.clock.advance(25_000);
    await failing;
    expect(await world.send()).toBe("second.example.org");
    expect(await world.send()).toBe("second.example.org");
    expect(world.connections[2]).toBe(0);
  });

  it("is tried again when it is the only one", async () => {
    const world = new World();
    world.own.replace([{ ...world.home.server, password: null }]);
    world.down.add("home.example.org");
    const failing = expect(world.send()).rejects.toMatchObject({ code: "DISCONNECTED" });
    await world.clock.advance(25_000);
    await failing;
    world.down.clear();
    const sending = world.send();
    await world.clock.advance(60_000);
    expect(await sending).toBe("home.example.org");
    expect(world.connections[2]).toBe(0);
  });

  it("in the middle is left at once for one that is connected", async () => {
    const world = new World();
    world.second.answer = () => OK;
    await world.send(world.second.server);
    forwardTo(world.second, world.destination);
    expect(await world.send()).toBe("home.example.org");
    world.down.add("home.example.org");
    world.home.session.socket.drop();
    await settle();
    expect(await world.send()).toBe("second.example.org");
    // There is no need to go back.
    world.down.clear();
    expect(await world.send()).toBe("second.example.org");
    expect(world.connections[2]).toBe(0);
  });

  it("is left for one that is connected", async () => {
    const world = new World();
    const third = routerAt("third.example.org");
    forwardTo(third, world.destination);
    world.routers.push(third);
    world.own.replace([...world.own.servers, { ...third.server, password: null }]);
    world.clock.chance = 0.9;
    expect(await world.send()).toBe("third.example.org");
    world.clock.chance = 0.4;
    world.refuse(world.second, NETWORK);
    const other = { ...world.foreign.server, port: "443" };
    await expect(world.send(other)).rejects.toMatchObject({ host: "second.example.org", failure: "unreachable" });
    expect(await world.send(other)).toBe("third.example.org");
    expect(world.connections).toEqual([0, 1, 0]);
  });
});

describe("a relay that no proxy reaches", () => {
  it("is reached through another one, if any does", async () => {
    const world = new World({ fallback: "allow" });
    world.refuse(world.home, HOST);
    expect(await world.send()).toBe("second.example.org");
    expect(await world.send()).toBe("second.example.org");
    expect(world.connections[2]).toBe(0);
    // It forwards to others.
    expect(world.home.session.commands).toEqual(["PRXY"]);
    forwardTo(world.home, world.destination);
    expect(await world.send({ ...world.foreign.server, port: "443" })).toBe("home.example.org");
  });

  it("is gone to directly where that is allowed", async () => {
    const world = new World({ fallback: "allow" });
    for (const router of [world.home, world.second]) world.refuse(router, HOST);
    expect(await world.send()).toBe("directly");
    expect(world.ways.map((key) => key.includes("foreign"))).toEqual([false, false, true]);
    expect(await world.send()).toBe("directly");
    // What was asked half a minute ago is asked again.
    await world.clock.advance(30_000);
    forwardTo(world.second, world.destination);
    expect(await world.send()).toBe("second.example.org");
  });

  it.each(["prohibit", "allowProtected"] as const)("is waited for with fallback %s", async (fallback) => {
    const world = new World({ fallback });
    for (const router of [world.home, world.second]) world.refuse(router, HOST);
    for (let i = 0; i < 3; i++) await expect(world.send()).rejects.toMatchObject({ code: "PROXY", failure: "host" });
    expect(world.connections).toEqual([1, 1, 0]);
  });

  it("is waited for while it is only down, whatever is allowed", async () => {
    const world = new World({ fallback: "allow" });
    for (const router of [world.home, world.second]) world.refuse(router, NETWORK);
    for (let i = 0; i < 3; i++) await expect(world.send()).rejects.toMatchObject({ code: "PROXY", failure: "unreachable" });
    expect(world.connections[2]).toBe(0);
  });

  it("because its address is none, is given up at once", async () => {
    for (const fallback of ["allow", "prohibit"] as const) {
      const world = new World({ fallback });
      await expect(world.send({ ...world.foreign.server, port: "x" })).rejects.toMatchObject({ code: "USAGE" });
      expect(world.connections).toEqual([0, 0, 0]);
    }
  });

  it("and that cannot be reached directly either is told of as the proxy told it", async () => {
    const world = new World({ fallback: "allow" });
    for (const router of [world.home, world.second]) world.refuse(router, HOST);
    world.down.add("foreign.example.org");
    const failing = expect(world.send()).rejects.toMatchObject({ code: "PROXY", failure: "host" });
    await world.clock.advance(60_000);
    await failing;
    const onion = { ...world.foreign.server, hosts: ["foreign.onion"] };
    await expect(world.send(onion)).rejects.toThrow(/ERR PROXY BROKER HOST.*nor directly: .*only onion hosts/);
    await expect(world.send(onion)).rejects.toMatchObject({ code: "USAGE" });
  });

  it("may say no itself, directly", async () => {
    const world = new World({ fallback: "allow" });
    for (const router of [world.home, world.second]) world.refuse(router, HOST);
    world.refuse(world.foreign, { type: "AUTH" });
    await expect(world.send()).rejects.toMatchObject({ code: "PROTOCOL", error: { type: "AUTH" } });
  });
});

describe("an own relay that does not forward", () => {
  it("is passed over, and not asked again for ten minutes", async () => {
    const world = new World();
    world.refuse(world.home, BASIC_AUTH);
    expect(await world.send()).toBe("second.example.org");
    const other = parseServerAddress(formatServerAddress({ ...world.foreign.server, port: "443" }));
    expect(await world.send(other)).toBe("second.example.org");
    expect(world.home.session.commands).toEqual(["PRXY"]);
    await world.clock.advance(600_000);
    forwardTo(world.home, world.destination);
    world.own.replace([{ ...world.home.server, password: "new" }]);
    expect(await world.send()).toBe("home.example.org");
    expect(world.connections[2]).toBe(0);
  });

  it("when no other one does: the relay is gone to directly where that is allowed", async () => {
    const world = new World({ fallback: "allow" });
    for (const router of [world.home, world.second]) world.refuse(router, BASIC_AUTH);
    for (let i = 0; i < 4; i++) expect(await world.send()).toBe("directly");
    expect([world.home, world.second].map(({ session }) => session.commands)).toEqual([["PRXY"], ["PRXY"]]);
  });

  it("when no other one does: it is asked again and again where nothing else is allowed", async () => {
    const world = new World({ fallback: "prohibit" });
    for (const router of [world.home, world.second]) world.refuse(router, BASIC_AUTH);
    await expect(world.send()).rejects.toMatchObject({ failure: "notAllowed" });
    await expect(world.send()).rejects.toMatchObject({ failure: "notAllowed" });
    forwardTo(world.second, world.destination);
    expect(await world.send()).toBe("second.example.org");
    expect(world.connections[2]).toBe(0);
  });

  it("because it is none, or cannot be connected to, counts as one", async () => {
    const world = new World({ fallback: "prohibit" });
    world.own.replace([]);
    await expect(world.send()).rejects.toThrow(/no relay that could forward is configured/);
    world.own.replace([{ ...world.home.server, hosts: ["home.onion"], password: null }]);
    await expect(world.send()).rejects.toMatchObject({ failure: "notAllowed", message: expect.stringContaining("home.onion") as unknown });
    await settle();
    expect(world.connections).toEqual([0, 0, 0]);
    const allowed = new World({ fallback: "allow" });
    allowed.own.replace([]);
    expect(await allowed.send()).toBe("directly");
  });
});
