import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { parseServerAddress, sameServer, type Server } from "#protocol/address";
import type { AgentOptions } from "../../../client/agent/options.ts";
import type { RotationPhase } from "../../../client/agent/events.ts";
import { RelayProcess, removeFolder, temporaryFolder } from "../../support/relay-process.ts";
import { fastClock, patientLimits } from "./fast-clock.ts";
import { connectPeople, Person, type RelayPlace } from "./person.ts";

const folders: string[] = [];
async function startRelay(env: Record<string, string> = {}): Promise<RelayProcess> {
  const folder = temporaryFolder();
  folders.push(folder);
  return RelayProcess.start(folder, env);
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

const people: Person[] = [];
afterEach(async () => {
  await Promise.all(people.splice(0).map((who) => who.stop()));
});

async function person(name: string, relays: readonly RelayPlace[], options: Partial<AgentOptions> = {}): Promise<Person> {
  const made = await new Person(name, relays, options).start();
  people.push(made);
  return made;
}

const serverOf = ({ info }: RelayProcess): Server => {
  const { hosts, port, keyHash } = parseServerAddress(info.address);
  return { hosts, port, keyHash };
};

/** Alice, whose queue is on the first relay, and Bob, who is wherever chance has it; both know both relays. */
async function connected(): Promise<{ alice: Person; bob: Person; a: string; b: string }> {
  const alice = await person("Alice", [one.info, two.info]);
  const bob = await person("Bob", [one.info, two.info]);
  alice.agent.setServers([parseServerAddress(one.info.address)]);
  const { a, b } = await connectPeople(alice, bob);
  alice.agent.setServers([one, two].map(({ info }) => parseServerAddress(info.address)));
  return { alice, bob, a, b };
}

async function receivesAt({ agent }: Person, connection: string): Promise<string[]> {
  const { receivesAt: servers } = await agent.connection(connection);
  return servers.map((server) => (sameServer(server, serverOf(one)) ? "one" : "two"));
}

const TALK = 60;

/** Sends numbered messages, some while the others are on their way. */
async function talk(from: Person, connection: string): Promise<void> {
  for (let i = 0; i < TALK; i++) {
    await from.send(connection, `${from.name} ${i}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Hears the numbered messages of somebody; the application takes its time with some. */
async function hear(to: Person, from: Person): Promise<void> {
  for (let i = 0; i < TALK; i++) {
    const { connection, item, body, integrity } = await to.next("message");
    expect([new TextDecoder().decode(body), integrity.type]).toEqual([`${from.name} ${i}`, "ok"]);
    if (i % 8 === 0) await new Promise((resolve) => setTimeout(resolve, 40));
    await to.agent.acknowledge(connection, item);
  }
}

const moved = (who: Person): Promise<unknown> =>
  who.next("rotation", ({ phase, direction }) => phase === "completed" && direction === "receive");
const phases = (who: Person, direction: "receive" | "send"): RotationPhase[] =>
  who.history.flatMap((event) => (event.type === "rotation" && event.direction === direction ? [event.phase] : []));

async function nothingIsWrong(...all: readonly Person[]): Promise<void> {
  for (const { history } of all) expect(history.filter(({ type }) => type === "error" || type === "unsent")).toEqual([]);
}

async function talksBothWays(alice: Person, a: string, bob: Person, b: string): Promise<void> {
  await alice.send(a, "hello Bob");
  expect(await bob.receive()).toBe("hello Bob");
  await bob.send(b, "hello Alice");
  expect(await alice.receive()).toBe("hello Alice");
}

describe("a connection moves to another relay", () => {
  it.each([["one side", 1], ["both sides at once", 2]])("%s while messages flow both ways: all arrive, once and in order", async (_, count) => {
    const { alice, bob, a, b } = await connected();
    const before = await receivesAt(bob, b);
    const talking = Promise.all([talk(alice, a), talk(bob, b), hear(bob, alice), hear(alice, bob)]);
    const movers = [{ who: alice, at: a }, { who: bob, at: b }].slice(0, count);
    await Promise.all(movers.map(({ who, at }) => who.agent.rotate(at)));
    await Promise.all([talking, ...movers.map(({ who }) => moved(who))]);
    expect(await receivesAt(alice, a)).toEqual(["two"]);
    if (count === 2) expect(await receivesAt(bob, b)).not.toEqual(before);
    expect(phases(alice, "receive")).toEqual(["started", "confirmed", "secured", "completed"]);
    expect(phases(bob, "send")).toEqual(["started", "secured", "completed"]);
    expect((await alice.agent.connection(a)).isMoving).toBe(false);
    await nothingIsWrong(alice, bob);
    await talksBothWays(alice, a, bob, b);
  });

  it("though the application has read nothing for long: what is in the old queue comes first", async () => {
    const { alice, bob, a, b } = await connected();
    // QADD is on its way before the messages that fill the old queue.
    await alice.agent.rotate(a);
    await alice.next("rotation", ({ phase }) => phase === "secured");
    for (let i = 0; i < 20; i++) await bob.send(b, `Bob ${i}`);
    await bob.next("rotation", ({ phase }) => phase === "completed");
    for (let i = 20; i < 40; i++) await bob.send(b, `Bob ${i}`);
    // What was not acknowledged comes again after a restart.
    await alice.next("message");
    await alice.restart();
    for (let i = 0; i < 40; i++) {
      const { connection, item, body, integrity } = await alice.next("message");
      expect([new TextDecoder().decode(body), integrity.type]).toEqual([`Bob ${i}`, "ok"]);
      await alice.agent.acknowledge(connection, item);
    }
    await moved(alice);
    await nothingIsWrong(alice, bob);
  });

  it("there and back, and never to where it is", async () => {
    const { alice, bob, a, b } = await connected();
    for (const there of ["two", "one", "two", "one"]) {
      await alice.agent.rotate(a);
      await moved(alice);
      expect(await receivesAt(alice, a)).toEqual([there]);
    }
    await talksBothWays(alice, a, bob, b);
    await nothingIsWrong(alice, bob);
  });

  it.each<["Alice" | "Bob", "receive" | "send", RotationPhase]>([
    ["Alice", "receive", "started"],
    ["Alice", "receive", "confirmed"],
    ["Alice", "receive", "secured"],
    ["Bob", "send", "started"],
    ["Bob", "send", "secured"],
    ["Bob", "send", "completed"],
  ])("though %s's program ends when the %s side is %s", async (name, direction, phase) => {
    const { alice, bob, a, b } = await connected();
    const who = name === "Alice" ? alice : bob;
    await alice.agent.rotate(a);
    await who.next("rotation", (event) => event.direction === direction && event.phase === phase);
    await bob.send(b, "on the way");
    await who.restart();
    expect(await alice.receive()).toBe("on the way");
    await moved(alice);
    expect(await receivesAt(alice, a)).toEqual(["two"]);
    await talksBothWays(alice, a, bob, b);
    await nothingIsWrong(alice, bob);
  });

  it("and stays where it is if that is taken back, which goes until the peer may use the new queue", async () => {
    const { alice, bob, a, b } = await connected();
    const abort = (): Promise<string> =>
      alice.agent.abortRotation(a).then(() => "taken back", (error: { refusal: string }) => error.refusal);
    expect(await abort()).toBe("PROHIBITED");
    await alice.agent.rotate(a);
    await expect(alice.agent.rotate(a)).rejects.toMatchObject({ refusal: "PROHIBITED" });
    // The new queue is being made.
    expect(await abort()).toBe("taken back");
    await bob.stop();
    await alice.agent.rotate(a);
    await until(async () => (await receivesAt(alice, a)).length === 2);
    // The peer is told of it, or not yet.
    expect(await abort()).toBe("taken back");
    expect(await receivesAt(alice, a)).toEqual(["one"]);
    await bob.start();
    await talksBothWays(alice, a, bob, b);
    await alice.agent.rotate(a);
    await alice.next("rotation", ({ phase }) => phase === "secured");
    expect(await abort()).toBe("PROHIBITED");
    await moved(alice);
    await talksBothWays(alice, a, bob, b);
    // The peer answered for a queue that was gone again.
    const faults = alice.history.flatMap((event) => (event.type === "error" ? [event.error] : []));
    for (const error of faults) expect(error).toMatchObject({ fault: "A_QUEUE" });
  });

  it("unless the new relay takes no queues from it: then it stays, and may move elsewhere", async () => {
    const closed = await startRelay({ CREATE_PASSWORD: "secret" });
    const { alice, bob, a, b } = await connected();
    const address = parseServerAddress(closed.info.address);
    const { hosts, port, keyHash } = address;
    alice.agent.setServers([{ hosts, port, keyHash, password: "wrong" }]);
    // Where it is on this machine is known by its loopback address.
    await alice.agent.rotate(a, { hosts, port, keyHash });
    expect((await alice.next("rotation", ({ phase }) => phase === "failed")).detail).toContain("AUTH");
    expect(await receivesAt(alice, a)).toEqual(["one"]);
    await talksBothWays(alice, a, bob, b);
    await alice.agent.rotate(a, serverOf(two));
    await moved(alice);
    await talksBothWays(alice, a, bob, b);
    await closed.stop();
  });
});

describe("an old relay that is gone for ever", () => {
  const SPEED = 60;
  const limits = patientLimits(SPEED);
  const FAST: Partial<AgentOptions> = { clock: fastClock(SPEED), ...limits, client: { ...limits.client, timeout: 700 * SPEED } };

  it("after the peer was told of the new one: nothing that the peer sends is lost, and it can move again", async () => {
    const old = await startRelay();
    const alice = await person("Alice", [old.info, two.info, one.info], FAST);
    const bob = await person("Bob", [two.info], FAST);
    alice.agent.setServers([parseServerAddress(old.info.address)]);
    const { a, b } = await connectPeople(alice, bob);
    // Bob's program ends before it hears that it may use the new queue; what it sends waits for the old relay.
    await alice.agent.rotate(a, serverOf(two));
    await alice.next("rotation", ({ phase }) => phase === "confirmed");
    await bob.stop();
    await until(async () => (await alice.agent.connection(a)).isMoving);
    await old.kill();
    await bob.start();
    for (let i = 0; i < 5; i++) await bob.send(b, `Bob ${i}`);
    for (let i = 0; i < 5; i++) expect(await alice.receive()).toBe(`Bob ${i}`);
    await moved(alice);
    expect((await alice.agent.connection(a)).isMoving).toBe(false);
    await alice.agent.rotate(a, serverOf(one));
    await moved(alice);
    await bob.send(b, "still here");
    expect(await alice.receive()).toBe("still here");
    await alice.send(a, "me too");
    expect(await bob.receive()).toBe("me too");
    expect(bob.history.filter(({ type }) => type === "sent")).toHaveLength(6);
  });
});

describe("all connections move away from a relay", () => {
  it("each when its other side is there, and it is told how far that has come", async () => {
    const alice = await person("Alice", [one.info, two.info]);
    alice.agent.setServers([parseServerAddress(one.info.address)]);
    const others = await Promise.all(["Bob", "Carol", "Dave", "Eve"].map((name) => person(name, [one.info])));
    const all: { readonly other: Person; readonly a: string; readonly b: string }[] = [];
    for (let i = 0; i < 20; i++) {
      const other = others[i % others.length];
      if (other) all.push({ other, ...await connectPeople(alice, other) });
    }
    alice.agent.setServers([one, two].map(({ info }) => parseServerAddress(info.address)));
    const [absent] = others;
    await absent?.stop();
    expect(await alice.agent.moveAll(serverOf(one))).toBe(20);
    for (let done = 1; done <= 15; done++) {
      expect(await alice.next("moving")).toEqual({ type: "moving", done, failed: 0, total: 20 });
    }
    await absent?.start();
    for (let done = 16; done <= 20; done++) expect((await alice.next("moving")).done).toBe(done);
    for (const { a } of all) expect(await receivesAt(alice, a)).toEqual(["two"]);
    expect(await alice.agent.moveAll(serverOf(one))).toBe(0);
    for (const { other, a, b } of all) await talksBothWays(alice, a, other, b);
  });
});

async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 10_000; Date.now() < end; await new Promise((resolve) => setTimeout(resolve, 20))) {
    if (await isSo()) return;
  }
  throw new Error("it did not come to that");
}
