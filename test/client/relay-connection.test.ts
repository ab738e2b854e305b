import { describe, expect, test } from "vitest";
import type { Message } from "#protocol/commands";
import { DisconnectedError, UsageError } from "../../client/errors.ts";
import { retryDelay } from "../../client/smp/backoff.ts";
import { ping, remove, subscribe } from "../../client/smp/calls.ts";
import { createQueue } from "../../client/smp/queue.ts";
import { settle } from "./support/fake-clock.ts";
import { FakeRouter } from "./support/fake-router.ts";
import { id, key, queue, relayWorld as world, SOK } from "./support/relay-world.ts";

const AUTH: Message = { tag: "ERR", error: { type: "AUTH" } };

describe("retries", () => {
  test("wait longer each time, up to a limit, and any part of it", () => {
    const backoff = { first: 500, cap: 60_000 };
    expect([0, 1, 2, 6, 7, 50, Infinity].map((attempt) => retryDelay(attempt, 1, backoff)))
      .toEqual([500, 1000, 2000, 32_000, 60_000, 60_000, 60_000]);
    expect(retryDelay(3, 0, backoff)).toBe(0);
    expect(retryDelay(3, 0.25, backoff)).toBe(1000);
  });

  test("nothing is connected before it is needed, and nothing again once nothing is kept", async () => {
    const { router, clock, relay, told } = world();
    await clock.advance(60_000);
    expect(router.sessions.length).toBe(0);
    await ping(relay);
    expect(told()).toEqual(["connected"]);
    router.session.socket.drop();
    await clock.advance(600_000);
    expect(told()).toEqual(["down"]);
    expect(router.sessions.length).toBe(1);
    await ping(relay);
    expect(router.sessions.length).toBe(2);
  });

  test("go on with growing pauses while a relay is away, and begin fast after a good connection", async () => {
    const { router, clock, relay, events } = world();
    relay.keep([queue(1)]);
    await clock.advance(31_000);
    router.welcome = ({ socket }) => socket.drop();
    router.session.socket.drop();
    await clock.advance(600_000);
    const delays = events.flatMap((event) => (event.type === "down" ? [event.retryIn] : []));
    expect(delays.slice(0, 10)).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
  });

  test("grow as well when connections are made but do not last", async () => {
    const { router, clock, relay, events } = world();
    router.welcome = (session) => {
      session.greet();
      clock.after(10, () => session.socket.drop());
    };
    relay.keep([queue(1)]);
    await clock.advance(10_000);
    const delays = events.flatMap((event) => (event.type === "down" ? [event.retryIn] : []));
    expect(delays).toEqual([500, 1000, 2000, 4000, 8000]);
  });

  test("come at once when the network is back", async () => {
    const { router, clock, relay } = world();
    relay.keep([queue(1)]);
    router.welcome = ({ socket }) => socket.drop();
    await clock.advance(300_000);
    const { length } = router.sessions;
    router.welcome = (session) => session.greet();
    relay.online();
    await settle();
    expect(router.sessions.length).toBe(length + 1);
    expect(relay.client).not.toBeNull();
  });

  test("a connection that died unnoticed is found out when the network is back", async () => {
    const { router, clock, relay, told } = world();
    relay.keep([queue(1)]);
    await clock.advance(1000);
    router.answer = () => null;
    told();
    relay.online();
    await clock.advance(5_000);
    expect(told()).toEqual(["down"]);
    await clock.advance(500);
    expect(router.sessions.length).toBe(2);
  });

  test("a relay with another identity fails requests at once and is asked again, but slowly", async () => {
    const other = new FakeRouter();
    const { router, clock, relay, events } = world({ openSocket: other.openSocket });
    expect(router.server.keyHash).not.toEqual(other.server.keyHash);
    await expect(ping(relay)).rejects.toMatchObject({ code: "CONNECT", failure: "identity" });
    relay.keep([queue(1)]);
    await clock.advance(1000);
    expect(events.at(-1)).toMatchObject({ type: "down", retryIn: 60_000 });
  });
});

describe("requests without a connection", () => {
  test("wait for it", async () => {
    const { router, clock, relay } = world();
    router.welcome = ({ socket }) => socket.drop();
    const waiting = ping(relay);
    await clock.advance(100);
    router.welcome = (session) => session.greet();
    await clock.advance(2000);
    await waiting;
    expect(router.session.commands).toEqual(["PING"]);
  });

  test("fail after their time", async () => {
    const { router, clock, relay } = world();
    router.welcome = ({ socket }) => socket.drop();
    const cause = { code: "CONNECT" };
    const failing = expect(ping(relay)).rejects.toMatchObject({ code: "DISCONNECTED", sent: false, cause });
    await clock.advance(10_000);
    await failing;
    await clock.advance(600_000);
    expect(clock.waiting).toBe(0);
  });

  test("that were written when the connection ended are not repeated", async () => {
    const { router, clock, relay } = world();
    router.answer = () => null;
    const failing = expect(ping(relay)).rejects.toMatchObject({ code: "DISCONNECTED", sent: true });
    await settle();
    router.session.socket.drop();
    await clock.advance(5000);
    await failing;
    expect(router.sessions.length).toBe(1);
  });

  test("that come while a connection has just ended wait for the next one", async () => {
    const { router, clock, relay } = world();
    await ping(relay);
    router.session.socket.drop();
    const waiting = ping(relay);
    await clock.advance(1000);
    await waiting;
    expect(router.sessions.length).toBe(2);
  });
});

describe("kept queues", () => {
  test("are subscribed in blocks as full as can be, again after every end", async () => {
    const { router, clock, relay, events } = world();
    const queues = Array.from({ length: 5000 }, (_, i) => queue(i));
    relay.keep(queues);
    await clock.advance(1000);
    const up = (): number => events.flatMap((event) => (event.type === "up" ? event.queues : [])).length;
    expect(up()).toBe(5000);
    expect(router.session.blocks.length).toBeLessThan(45);
    router.session.socket.drop();
    await settle();
    expect(events.at(-1)).toMatchObject({ type: "down", retryIn: 500 });
    const down = events.at(-1);
    expect(down?.type === "down" && down.queues.length).toBe(5000);
    await clock.advance(1000);
    expect(router.sessions.length).toBe(2);
    expect(router.session.requests.length).toBe(5000);
    expect(up()).toBe(10_000);
  });

  test("are those of SUB and NEW too, until DEL, END and DELD", async () => {
    const { router, clock, relay } = world();
    await subscribe(relay, queue(1));
    await subscribe(relay, queue(2));
    await subscribe(relay, queue(3));
    await subscribe(relay, queue(4));
    const created = await createQueue(relay, {});
    await createQueue(relay, { subscribe: false });
    relay.keep([queue(5, "notifier")]);
    await remove(relay, queue(2));
    router.session.send({ entityId: id(3), message: { tag: "END" } }, { entityId: id(4), message: { tag: "DELD" } });
    await settle();
    router.session.socket.drop();
    await clock.advance(1000);
    const again = router.session.requests.map(({ parsed, entityId }) => [parsed.tag, entityId]);
    expect(again).toEqual([["SUB", id(1)], ["SUB", created.entityId], ["NSUB", id(5)]]);
  });

  test("a queue that the relay does not know is lost", async () => {
    const { router, clock, relay, events } = world();
    router.answer = ({ entityId }) => (entityId[23] === 1 ? AUTH : SOK);
    relay.keep([queue(1), queue(2)]);
    await clock.advance(1000);
    expect(events.slice(1)).toMatchObject([
      { type: "up", queues: [id(2)] },
      { type: "lost", entityId: id(1), error: { code: "PROTOCOL" } },
    ]);
    router.session.socket.drop();
    await clock.advance(1000);
    expect(router.session.requests.length).toBe(1);
  });

  test("what fails for a while is tried again on the same connection", async () => {
    const { router, clock, relay, told } = world();
    let isBroken = true;
    router.answer = () => (isBroken ? { tag: "ERR", error: { type: "INTERNAL" } } : SOK);
    relay.keep([queue(1)]);
    await clock.advance(400);
    expect(told()).toEqual(["connected"]);
    await clock.advance(1100);
    expect(router.session.requests.length).toBe(3);
    isBroken = false;
    await clock.advance(2000);
    expect(told()).toEqual(["up"]);
    await clock.advance(60_000);
    expect(router.session.requests.length).toBe(4);
  });

  test("a late answer counts", async () => {
    const { router, clock, relay, events, told } = world();
    router.answer = () => null;
    relay.keep([queue(1)]);
    await clock.advance(10_000);
    const [request] = router.session.requests;
    expect(told()).toEqual(["connected"]);
    router.session.send({ ...request, message: SOK });
    await settle();
    expect(told()).toEqual(["late", "up"]);
    expect(events.at(-1)).toMatchObject({ queues: [id(1)] });
  });

  test("are subscribed before requests that waited are sent", async () => {
    const { router, clock, relay } = world();
    relay.keep([queue(1)]);
    const acknowledging = relay.request({ tag: "ACK", msgId: id(9) }, { entityId: id(1), key });
    await clock.advance(1000);
    await acknowledging;
    expect(router.session.blocks.map((block) => block.map(({ parsed }) => parsed.tag))).toEqual([["SUB"], ["ACK"]]);
  });

  test("that were forgotten are not subscribed again", async () => {
    const { router, clock, relay } = world();
    relay.keep([queue(1), queue(2)]);
    await clock.advance(1000);
    relay.forget(id(1));
    router.session.socket.drop();
    await clock.advance(1000);
    expect(router.session.requests.map(({ entityId }) => entityId)).toEqual([id(2)]);
  });
});

describe("the end", () => {
  test("disposing fails what is under way, ends the events and leaves no timer", async () => {
    const { router, clock, relay } = world();
    router.answer = ({ parsed }) => (parsed.tag === "SUB" ? SOK : null);
    relay.keep([queue(1)]);
    await clock.advance(1000);
    const failing = expect(ping(relay)).rejects.toBeInstanceOf(DisconnectedError);
    relay.dispose();
    await failing;
    await expect(ping(relay)).rejects.toBeInstanceOf(DisconnectedError);
    await clock.advance(1000);
    expect(router.session.socket.closedWith?.code).toBe(1000);
    expect(clock.waiting).toBe(0);
    expect((await relay.events.next()).done).toBe(true);
    expect(router.sessions.length).toBe(1);
  });

  test("disposing while connecting closes the socket", async () => {
    const { router, clock, relay } = world();
    router.welcome = () => undefined;
    const failing = expect(ping(relay)).rejects.toBeInstanceOf(DisconnectedError);
    await settle();
    relay.dispose();
    await failing;
    await settle();
    expect(router.session.socket.closedWith).not.toBeNull();
    expect(clock.waiting).toBe(0);
  });

  test("an unusable URL is told at once", () => {
    expect(() => world({ url: "ftp://relay" })).toThrow(UsageError);
  });
});
