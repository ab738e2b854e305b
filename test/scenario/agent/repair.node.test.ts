import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { fromUtf8 } from "#crypto/bytes";
import { parseServerAddress } from "#protocol/address";
import type { AgentOptions } from "../../../client/agent/options.ts";
import { PeerError } from "../../../client/agent/errors.ts";
import { RelayProcess, removeFolder, temporaryFolder } from "../../support/relay-process.ts";
import { fastClock, patientLimits } from "./fast-clock.ts";
import { connectPeople, Person } from "./person.ts";

let relay: RelayProcess;
let folder: string;
beforeAll(async () => {
  folder = temporaryFolder();
  relay = await RelayProcess.start(folder);
});
afterAll(async () => {
  await relay.stop();
  removeFolder(folder);
});

const people: Person[] = [];
afterEach(async () => {
  await Promise.all(people.splice(0).map((person) => person.stop()));
});

interface Pair {
  readonly alice: Person;
  readonly bob: Person;
  readonly a: string;
  readonly b: string;
}

async function connected(options: Partial<AgentOptions> = {}): Promise<Pair> {
  const alice = await new Person("Alice", [relay.info], options).start();
  const bob = await new Person("Bob", [relay.info], options).start();
  people.push(alice, bob);
  const pair = { alice, bob, ...await connectPeople(alice, bob) };
  await exchange(pair);
  return pair;
}

let said = 0;

/** Each hears what the other says, after what may still be on its way. */
async function exchange({ alice, bob, a, b }: Pair): Promise<void> {
  for (const { from, id, to } of [{ from: alice, id: a, to: bob }, { from: bob, id: b, to: alice }]) {
    const text = `hello ${said++}`;
    await from.send(id, text);
    for (let heard = ""; heard !== text;) {
      const { connection, item, body } = await to.next("message");
      heard = fromUtf8(body);
      // Another one may have been acknowledged already.
      if (heard === text) await to.agent.acknowledge(connection, item);
      else await to.agent.acknowledge(connection, item).catch(() => undefined);
    }
  }
}

/** The profile of somebody as it is on disk, and how to bring it back. */
async function backup(person: Person): Promise<() => Promise<void>> {
  await person.stop();
  const tables = new Map([...person.file.tables].map(([name, rows]) => [name, new Map(rows)]));
  await person.start();
  return async () => {
    await person.stop();
    person.file.tables.clear();
    for (const [name, rows] of tables) person.file.tables.set(name, new Map(rows));
    await person.start();
  };
}

const states = (person: Person): string[] =>
  person.history.flatMap((event) => (event.type === "sync" ? [event.state] : []));
const unreadable = (person: Person): number =>
  person.history.filter((event) => event.type === "error" && event.error instanceof PeerError && event.error.fault === "A_CRYPTO").length;

/** Until the encryption of both is as it should be. `readAll`: what comes in the meantime is acknowledged. */
async function repaired({ alice, bob, a, b }: Pair, { readAll = false } = {}): Promise<void> {
  for (const end = Date.now() + 10_000; Date.now() < end; await new Promise((resolve) => setTimeout(resolve, 20))) {
    if (readAll) for (const person of [alice, bob]) await acknowledgeAll(person);
    const [one, other] = [await alice.agent.connection(a), await bob.agent.connection(b)];
    if (one.sync === "ok" && other.sync === "ok" && String(one.securityCode) === String(other.securityCode)) return;
  }
  throw new Error(`the encryption is not repaired: ${states(alice).join(", ")} and ${states(bob).join(", ")}`);
}

/** A message that was told of before a restore or an acknowledgement is known no more. */
async function acknowledgeAll({ agent, history }: Person): Promise<void> {
  for (const event of history) {
    if (event.type === "message") await agent.acknowledge(event.connection, event.item).catch(() => undefined);
  }
}

describe("a profile that was restored from an old copy", () => {
  it("is repaired by itself: what was sent before is reported, and after it everything flows", async () => {
    const pair = await connected();
    const { alice, bob, a, b } = pair;
    const restore = await backup(alice);
    for (let i = 0; i < 3; i++) await exchange(pair);
    const before = (await bob.agent.connection(b)).securityCode;
    await restore();
    await bob.send(b, "cannot be read");
    await alice.next("error", ({ error }) => error instanceof PeerError && error.fault === "A_CRYPTO");
    expect((await alice.next("sync")).state).toBe("required");
    await repaired(pair);
    expect(states(alice)).toEqual(["required", "started", "agreed", "ok"]);
    expect(states(bob)).toEqual(["agreed", "ok"]);
    expect((await bob.agent.connection(b)).securityCode).not.toEqual(before);
    await exchange(pair);
    expect(unreadable(alice)).toBe(1);
    // Post-quantum encryption is back after each has answered the other.
    await exchange(pair);
    for (const [person, id] of [[alice, a], [bob, b]] as const) {
      expect((await person.agent.connection(id)).quantumSafe).toEqual({ sending: true, receiving: true });
    }
  });

  it.each([[1, 0], [2, 0], [5, 0], [1, 1], [2, 1], [3, 2]])(
    "after %i messages sent and %i received since: it is noticed, whoever speaks first",
    async (sent, received) => {
      const pair = await connected();
      const { alice, bob, a, b } = pair;
      const restore = await backup(alice);
      for (let i = 0; i < Math.max(sent, received); i++) {
        if (i < sent) {
          await alice.send(a, "since");
          await bob.receive();
        }
        if (i < received) {
          await bob.send(b, "since");
          await alice.receive();
        }
      }
      await restore();
      // Messages that get lost are reported; some of them are read all the same.
      for (let i = 0; i < 3; i++) {
        for (const [person, id] of [[alice, a], [bob, b]] as const) await person.send(id, "after it").catch(() => undefined);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      await repaired(pair, { readAll: true });
      await exchange(pair);
      expect(unreadable(alice) + unreadable(bob)).toBeGreaterThan(0);
    },
  );

  it("is left to the application where it wants that, and prohibits sending until then", async () => {
    const pair = await connected({ repair: "ask" });
    const { alice, bob, a, b } = pair;
    const restore = await backup(alice);
    for (let i = 0; i < 2; i++) await exchange(pair);
    await restore();
    await bob.send(b, "cannot be read");
    expect((await alice.next("sync")).state).toBe("required");
    await expect(alice.send(a, "not now")).rejects.toMatchObject({ refusal: "PROHIBITED" });
    await expect(alice.agent.rotate(a)).rejects.toMatchObject({ refusal: "PROHIBITED" });
    await alice.restart();
    expect((await alice.agent.connection(a)).sync).toBe("required");
    expect(states(alice)).toEqual(["required"]);
    await alice.agent.synchronise(a);
    await repaired(pair);
    await exchange(pair);
  });

  it("is repaired though both were restored", async () => {
    const pair = await connected();
    const { alice, bob, a, b } = pair;
    const restoreAlice = await backup(alice);
    for (let i = 0; i < 2; i++) await exchange(pair);
    const restoreBob = await backup(bob);
    for (let i = 0; i < 2; i++) await exchange(pair);
    await restoreAlice();
    await restoreBob();
    for (const [person, id] of [[alice, a], [bob, b]] as const) await person.send(id, "after it");
    await new Promise((resolve) => setTimeout(resolve, 200));
    for (const [person, id] of [[alice, a], [bob, b]] as const) await person.send(id, "after it").catch(() => undefined);
    await repaired(pair, { readAll: true });
    await exchange(pair);
  });

  it("more than once: a second time by itself only after an hour", async () => {
    const speed = 3_600;
    const pair = await connected({ clock: fastClock(speed), ...patientLimits(speed) });
    const { alice, bob, b } = pair;
    const restore = await backup(alice);
    for (let i = 0; i < 2; i++) await exchange(pair);
    await restore();
    await bob.send(b, "cannot be read");
    await alice.next("sync", ({ state }) => state === "started");
    await repaired(pair);
    for (let i = 0; i < 2; i++) await exchange(pair);
    const attempts = (): number => states(alice).filter((state) => state === "started").length;
    expect(attempts()).toBe(1);
    await restore();
    // The copy knows nothing of the attempt, so an hour has to pass only where somebody remembers: on the other side.
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    await bob.send(b, "cannot be read either");
    await repaired(pair);
    expect(attempts()).toBe(2);
    await exchange(pair);
  });
});

describe("a repair that somebody asks for", () => {
  it("by both sides at once, and again and again", async () => {
    const pair = await connected();
    const { alice, bob, a, b } = pair;
    await expect(alice.agent.synchronise(a)).rejects.toMatchObject({ refusal: "PROHIBITED" });
    for (let i = 0; i < 3; i++) {
      await Promise.all([alice.agent.synchronise(a, { force: true }), bob.agent.synchronise(b, { force: true })]);
      await repaired(pair);
      await exchange(pair);
    }
    expect(unreadable(alice) + unreadable(bob)).toBe(0);
  });

  it("while the other side is away, and both are restarted in the middle", async () => {
    const pair = await connected();
    const { alice, bob, a } = pair;
    await bob.stop();
    await alice.agent.synchronise(a, { force: true });
    await expect(alice.send(a, "not now")).rejects.toMatchObject({ refusal: "PROHIBITED" });
    await alice.restart();
    await bob.start();
    await bob.next("sync", ({ state }) => state === "agreed");
    await Promise.all([alice.restart(), bob.restart()]);
    await repaired(pair);
    await exchange(pair);
  });

  it("goes together with a move to another relay", async () => {
    const pair = await connected();
    const { alice, a } = pair;
    const { hosts, port, keyHash } = parseServerAddress(relay.info.address);
    await alice.agent.rotate(a, { hosts, port, keyHash });
    await alice.agent.synchronise(a, { force: true });
    await repaired(pair);
    await exchange(pair);
    // What was under way got lost with the old ratchet, or not: then it was completed.
    await alice.agent.abortRotation(a).catch(() => undefined);
    await alice.next("rotation", ({ phase }) => phase === "completed" || phase === "aborted" || phase === "failed");
    await exchange(pair);
  });
});
