import { afterEach, describe, expect, it } from "vitest";
import { EMPTY, utf8 } from "#crypto/bytes";
import type { Server } from "#protocol/address";
import { queueUriOf, type SmpQueueInfo } from "#protocol/queue-address";
import type { AgentEvent } from "../../client/agent/events.ts";
import { PeerError, type PeerFault } from "../../client/agent/errors.ts";
import { BODIES, ratchetKeyParams } from "../client/agent/rules/support/odd-bodies.ts";
import { addressOf, newOwn } from "../client/agent/rules/support/peer.ts";
import { connectPeople, Person } from "../scenario/agent/person.ts";
import { HostilePeer } from "./support/agent-peer.ts";
import { RelayBench } from "./support/relay-bench.ts";

const bench = RelayBench.use();

const open: { stop?: () => Promise<void>; close?: () => void }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await (one.stop?.() ?? one.close?.());
});

async function alice(): Promise<Person> {
  const person = await new Person("Alice", [bench.relay.info]).start();
  open.push(person);
  return person;
}

interface Connected {
  readonly person: Person;
  readonly peer: HostilePeer;
  readonly connection: string;
}

async function invited(person: Person): Promise<{ connection: string; peer: HostilePeer }> {
  const { connection, link } = await person.agent.invite({ short: false });
  const peer = HostilePeer.take(bench.relay.info, link);
  open.push(peer);
  return { connection, peer };
}

/** Alice is connected with somebody who means harm. */
async function connected(): Promise<Connected> {
  const person = await alice();
  const { connection, peer } = await invited(person);
  await peer.join(bench.relay.info);
  const { confirmation } = await person.next("confirmation");
  await person.agent.allow(connection, confirmation, utf8("Alice"));
  await person.next("connected");
  await peer.hear();
  return { person, peer, connection };
}

const faultsOf = (history: readonly AgentEvent[]): PeerFault[] =>
  history.flatMap((event) => (event.type === "error" && event.error instanceof PeerError ? [event.error.fault] : []));
const otherErrors = (history: readonly AgentEvent[]): string[] =>
  history.flatMap((event) => (event.type === "error" && !(event.error instanceof PeerError) ? [String(event.error)] : []));

describe("a peer that has all keys", () => {
  it("sends everything that it must not, and each next message arrives", async () => {
    const { person, peer } = await connected();
    for (const [what, body] of Object.entries(BODIES)) {
      const before = faultsOf(person.history).length;
      const { ratchet } = peer.peer;
      await peer.say(body(peer.peer));
      // A repair that is begun by what no ratchet made would not be answered here.
      await peer.say(peer.peer.text(what));
      expect(await person.receive(), what).toBe(what);
      const expected = what.includes("confirmation") || what === "HELLO" ? [0, 1] : [1];
      expect(expected, what).toContain(faultsOf(person.history).length - before);
      expect(ratchet).not.toBeNull();
    }
    expect(otherErrors(person.history)).toEqual([]);
    await person.restart();
    await peer.say(peer.peer.text("after a restart"));
    expect(await person.receive()).toBe("after a restart");
  }, 30_000);

  it("cannot write into the profile what cannot be read again", async () => {
    const { person, peer, connection } = await connected();
    for (const sndMsgId of [-1, Number.MIN_SAFE_INTEGER, 0, Number.MAX_SAFE_INTEGER]) {
      await peer.say(peer.peer.text(`number ${sndMsgId}`, { sndMsgId }));
      expect(await person.receive(EMPTY)).toBe(`number ${sndMsgId}`);
      await person.restart();
      expect((await person.agent.connection(connection)).status).toBe("connected");
    }
    await person.send(connection, "still here");
    for (;;) {
      const heard = await peer.hear();
      if (heard.type === "message" && heard.message.type === "A_MSG") break;
    }
    expect(otherErrors(person.history)).toEqual([]);
  });

  it("names relays that are none: nothing but its own connection comes to nothing", async () => {
    const relays: Server[] = [
      { hosts: ["relay.invalid"], port: "no port", keyHash: new Uint8Array(32) },
      { hosts: ["who@where?what"], port: "99999", keyHash: new Uint8Array(3) },
      { hosts: ["\u0001"], port: "", keyHash: EMPTY },
      { hosts: ["hidden.onion"], port: "", keyHash: EMPTY },
    ];
    const person = await alice();
    const other = await new Person("Bob", [bench.relay.info]).start();
    open.push(other);
    const { a } = await connectPeople(person, other);
    for (const server of relays) {
      const { connection, peer } = await invited(person);
      await peer.join(bench.relay.info).catch(() => undefined);
      const { confirmation } = await person.next("confirmation", (event) => event.connection === connection);
      await person.agent.allow(connection, confirmation, EMPTY);
      await person.next("connected", (event) => event.connection === connection);
      const [own] = peer.peer.own;
      if (!own) throw new Error("there is no queue");
      const evil = newOwn(server);
      const uri = queueUriOf(evil.info, { min: 1, max: 4 });
      await peer.say(peer.peer.message({ type: "QADD", queues: [{ uri, replaces: addressOf(own.info) }] }));
      await peer.say(peer.peer.message({ type: "QUSE", queues: [{ address: addressOf(evil.info), primary: true }] }));
      await person.next("rotation", ({ phase }) => phase === "secured");
      const item = await person.send(connection, "on the old queue");
      expect((await person.next("sent", (event) => event.connection === connection)).item).toBe(item);
    }
    await person.restart();
    await person.send(a, "hello Bob");
    expect(await other.receive()).toBe("hello Bob");
  });

  it.each<[string, (info: SmpQueueInfo) => SmpQueueInfo]>([
    ["a relay that is none", (info) => ({ ...info, server: { hosts: ["\u0001"], port: "x", keyHash: EMPTY } })],
    ["a queue that is not there", (info) => ({ ...info, senderId: new Uint8Array(24) })],
  ])("answers an invitation with %s: the connection fails", async (_, change) => {
    const person = await alice();
    const { connection, peer } = await invited(person);
    const own = await peer.makeQueue(bench.relay.info);
    await peer.secure();
    await peer.say(peer.peer.reply({}, { ...own, info: change(own.info) }));
    const { confirmation } = await person.next("confirmation");
    await person.agent.allow(connection, confirmation, EMPTY);
    expect((await person.next("failed")).connection).toBe(connection);
    expect(otherErrors(person.history)).toEqual([]);
  });

  it("answers an invitation with a key of low order: nobody is asked about it, and the next answer counts", async () => {
    const person = await alice();
    const { peer } = await invited(person);
    const own = await peer.makeQueue(bench.relay.info);
    await peer.secure();
    const honest = peer.peer.copy();
    const dhKey = { algorithm: "X25519", raw: new Uint8Array(32) } as const;
    await peer.say(peer.peer.reply({}, { ...own, info: { ...own.info, dhKey } }));
    expect(await person.next("error")).toMatchObject({ error: { fault: "A_CRYPTO" } });
    await peer.say(honest.reply({}, own));
    await person.next("confirmation");
  });

  it("begins to repair the encryption over and over: each time is answered, and messages go on", async () => {
    const { person, peer, connection } = await connected();
    for (let i = 0; i < 20; i++) await peer.say(peer.peer.ratchetKey(ratchetKeyParams()));
    await person.next("sync", ({ state }) => state === "agreed");
    const other = await new Person("Bob", [bench.relay.info]).start();
    open.push(other);
    const { a } = await connectPeople(person, other);
    await person.send(a, "hello Bob");
    expect(await other.receive()).toBe("hello Bob");
    await expect(person.send(connection, "not now")).rejects.toMatchObject({ refusal: "PROHIBITED" });
    expect(otherErrors(person.history)).toEqual([]);
  });

  it("deletes its queue: what is sent is told as not sent, and what it sends still arrives", async () => {
    const { person, peer, connection } = await connected();
    await peer.vanish();
    const item = await person.send(connection, "to nobody");
    expect(await person.next("unsent")).toMatchObject({ item, reason: "NOT_AVAILABLE" });
    await peer.say(peer.peer.text("still here"));
    expect(await person.receive()).toBe("still here");
  });
});

describe("two who take one invitation", () => {
  it("the second is refused by the relay, or by the agent if it has the key", async () => {
    const person = await alice();
    const { connection, link } = await person.agent.invite({ short: false });
    const first = HostilePeer.take(bench.relay.info, link);
    const second = HostilePeer.take(bench.relay.info, link);
    open.push(first, second);
    await first.join(bench.relay.info);
    const { confirmation } = await person.next("confirmation");
    await expect(second.join(bench.relay.info)).rejects.toMatchObject({ error: { type: "AUTH" } });
    // The same with the first one's key, which only it can have.
    await first.say(second.peer.reply());
    expect(await person.next("error")).toMatchObject({ error: { fault: "A_CRYPTO" } });
    await person.agent.allow(connection, confirmation, EMPTY);
    await person.next("connected");
  });
});
