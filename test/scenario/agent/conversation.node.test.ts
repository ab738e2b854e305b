import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { fromUtf8, utf8 } from "#crypto/bytes";
import { ProtocolError } from "../../../client/errors.ts";
import { RelayProcess, removeFolder, temporaryFolder } from "../../support/relay-process.ts";
import { connectPeople, Person } from "./person.ts";

let relay: RelayProcess;
let folder: string;
beforeAll(async () => {
  folder = temporaryFolder();
  relay = await RelayProcess.start(folder, { NEW_QUEUES_PER_MINUTE: "0", MESSAGES_PER_MINUTE: "0" });
});
afterAll(async () => {
  await relay.stop();
  removeFolder(folder);
});

const people: Person[] = [];
afterEach(async () => {
  await Promise.all(people.splice(0).map((one) => one.stop()));
});

async function person(name: string): Promise<Person> {
  const one = new Person(name, [relay.info]);
  people.push(one);
  return one.start();
}

const PATIENCE = { timeout: 15_000 };

/** No network: what is asked of relays waits. */
const OFFLINE = { urlOf: () => "ws://127.0.0.1:1/" };

describe("two people", () => {
  it("connect through an invitation and talk both ways", async () => {
    const [alice, bob] = [await person("Alice"), await person("Bob")];
    const { a, b } = await connectPeople(alice, bob);
    await alice.send(a, "hello Bob");
    expect(await bob.receive(new Uint8Array())).toBe("hello Bob");
    expect((await alice.next("receipt")).status).toBe("ok");
    for (let i = 0; i < 10; i++) {
      await alice.send(a, `a${i}`);
      await bob.send(b, `b${i}`);
    }
    for (let i = 0; i < 10; i++) {
      expect(await bob.receive()).toBe(`a${i}`);
      expect(await alice.receive()).toBe(`b${i}`);
    }
    const [own, other] = [await alice.agent.connection(a), await bob.agent.connection(b)];
    expect(own.securityCode).toEqual(other.securityCode);
    expect(own.quantumSafe).toEqual({ sending: true, receiving: true });
  });

  it("cannot both use one invitation", async () => {
    const [alice, bob, carol] = [await person("Alice"), await person("Bob"), await person("Carol")];
    const { link, shortLink } = await alice.agent.invite();
    await bob.agent.join(link, utf8("Bob"));
    expect(fromUtf8((await alice.next("confirmation")).info)).toBe("Bob");
    const c = await carol.agent.join(link, utf8("Carol"));
    expect(await carol.next("failed")).toMatchObject({ connection: c, reason: "NOT_AVAILABLE" });
    await expect(carol.send(c, "nobody hears this")).rejects.toMatchObject({ refusal: "PROHIBITED" });
    await expect(carol.agent.join(shortLink ?? "", utf8("Carol"))).rejects.toThrow(ProtocolError);
    expect(await carol.restart().then(({ agent }) => agent.connection(c))).toMatchObject({ status: "failed" });
  });

  it("part: what was not sent yet still is, when the one who leaves waits for it", async () => {
    const [alice, bob] = [await person("Alice"), await person("Bob")];
    const { a, b } = await connectPeople(alice, bob);
    await alice.restart(OFFLINE);
    for (let i = 0; i < 3; i++) await alice.send(a, `last words ${i}`);
    await alice.agent.delete(a, { wait: true });
    await expect(alice.send(a, "too late")).rejects.toMatchObject({ refusal: "PROHIBITED" });
    expect(await alice.agent.connections()).toMatchObject([{ id: a, status: "leaving" }]);
    await alice.restart();
    for (let i = 0; i < 3; i++) expect(await bob.receive(new Uint8Array())).toBe(`last words ${i}`);
    await expect.poll(() => alice.agent.connections(), PATIENCE).toEqual([]);
    await expect.poll(() => [...alice.file.tables.keys()], PATIENCE).toEqual(["schema"]);
    // Her queue went when she left.
    const item = await bob.send(b, "are you there?");
    expect(await bob.next("unsent", (event) => event.item === item)).toMatchObject({ connection: b, reason: "NOT_AVAILABLE" });
  });

  it("part at once: nothing is left of the connection", async () => {
    const [alice, bob] = [await person("Alice"), await person("Bob")];
    const { a, b } = await connectPeople(alice, bob);
    await bob.send(b, "not read any more");
    await alice.next("message");
    await alice.restart(OFFLINE);
    await alice.send(a, "never sent");
    await alice.agent.delete(a);
    expect(await alice.agent.connections()).toEqual([]);
    await alice.restart();
    await expect.poll(() => alice.file.tables.has("removals"), PATIENCE).toBe(false);
    expect([...alice.file.tables.keys()]).toEqual(["schema"]);
    const item = await bob.send(b, "are you there?");
    expect(await bob.next("unsent", (event) => event.item === item)).toMatchObject({ reason: "NOT_AVAILABLE" });
    expect(bob.history.filter(({ type }) => type === "message")).toEqual([]);
  });

  it("lose nothing when one is away until the queue is full: the other one goes on when it has room", async () => {
    const [alice, bob] = [await person("Alice"), await person("Bob")];
    const { a } = await connectPeople(alice, bob);
    await bob.stop();
    const texts = Array.from({ length: 140 }, (_, i) => `message ${i}`);
    for (const text of texts) await alice.send(a, text);
    const { connection, error } = await alice.next("delayed");
    expect(connection).toBe(a);
    expect(error).toMatchObject({ error: { type: "QUOTA" } });
    expect(alice.history.filter(({ type }) => type === "sent")).toHaveLength(128);
    // Without a word from Bob she would try again in five minutes, after a restart too.
    await alice.restart();
    await bob.start();
    for (const text of texts) expect(await bob.receive()).toBe(text);
    await expect.poll(() => alice.history.filter(({ type }) => type === "sent"), PATIENCE).toHaveLength(texts.length);
  });
});

describe("an address", () => {
  it("connects its owner with one who comes", async () => {
    const [alice, bob] = [await person("Alice"), await person("Bob")];
    const { link, shortLink } = await alice.agent.createAddress({ data: utf8("Alice's") });
    expect(await bob.agent.preview(shortLink ?? "")).toMatchObject({ type: "contact", data: utf8("Alice's") });
    const b = await bob.agent.join(link, utf8("Bob here"));
    const { request, info } = await alice.next("request");
    expect(fromUtf8(info)).toBe("Bob here");
    const a = await alice.agent.accept(request, utf8("Alice here"));
    const { confirmation, info: answer } = await bob.next("confirmation");
    expect(fromUtf8(answer)).toBe("Alice here");
    await bob.agent.allow(b, confirmation, utf8("Bob again"));
    expect(fromUtf8((await alice.next("info")).info)).toBe("Bob again");
    await Promise.all([alice.next("connected"), bob.next("connected")]);
    await alice.send(a, "hi");
    expect(await bob.receive()).toBe("hi");
  });

  it("takes several people at once, each into a connection of their own, and refuses whom its owner rejects", async () => {
    const alice = await person("Alice");
    const { connection: address, link, shortLink } = await alice.agent.createAddress({ pq: false });
    const guests = await Promise.all(["Bob", "Carol", "Dave", "Erin"].map(person));
    const ids = await Promise.all(guests.map((guest, i) => {
      return guest.agent.join(i % 2 === 0 ? link : shortLink ?? "", utf8(guest.name), { pq: false });
    }));
    const asked = new Map<string, string>();
    while (asked.size < guests.length) {
      const { connection, request, info } = await alice.next("request");
      expect(connection).toBe(address);
      asked.set(fromUtf8(info), request);
    }
    expect((await alice.agent.requests()).map(({ request }) => request).toSorted()).toEqual([...asked.values()].toSorted());
    await alice.agent.reject(asked.get("Erin") ?? "");
    const accepted = await Promise.all(guests.slice(0, 3).map(({ name }) => alice.agent.accept(asked.get(name) ?? "", utf8("Alice"))));
    for (const [i, guest] of guests.slice(0, 3).entries()) {
      const { confirmation } = await guest.next("confirmation");
      await guest.agent.allow(ids[i] ?? "", confirmation, utf8(guest.name));
      await guest.next("connected");
      await alice.next("connected", ({ connection }) => connection === accepted[i]);
    }
    await Promise.all(guests.slice(0, 3).map((guest, i) => guest.send(ids[i] ?? "", `this is ${guest.name}`)));
    for (const [i, guest] of guests.slice(0, 3).entries()) {
      const { item, body } = await alice.next("message", ({ connection }) => connection === accepted[i]);
      expect(fromUtf8(body)).toBe(`this is ${guest.name}`);
      await alice.agent.acknowledge(accepted[i] ?? "", item);
    }
    expect(await alice.agent.requests()).toEqual([]);
    expect(await alice.agent.accept(asked.get("Bob") ?? "", utf8("again"))).toBe(accepted[0]);
    await expect(alice.agent.accept(asked.get("Erin") ?? "", utf8("after all"))).rejects.toMatchObject({ refusal: "NOT_FOUND" });
    expect(guests.at(-1)?.history.filter(({ type }) => type !== "up")).toEqual([]);
  });
});
