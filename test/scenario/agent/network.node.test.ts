import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Cutter } from "../../../client/node/cutter.ts";
import { RelayProcess, removeFolder, temporaryFolder } from "../../support/relay-process.ts";
import { fastClock, patientLimits } from "./fast-clock.ts";
import { connectPeople, Person } from "./person.ts";

const SPEED = 50;
const SETTINGS = { NEW_QUEUES_PER_MINUTE: "0", MESSAGES_PER_MINUTE: "0" };

let folder: string;
let relay: RelayProcess;
let alice: Person;
let bob: Person;
let a: string;
let b: string;

beforeEach(async () => {
  folder = temporaryFolder();
  relay = await RelayProcess.start(folder, SETTINGS);
  const options = { clock: fastClock(SPEED), ...patientLimits(SPEED) };
  alice = await new Person("Alice", [relay.info], options).start();
  bob = await new Person("Bob", [relay.info], options).start();
  ({ a, b } = await connectPeople(alice, bob));
});

afterEach(async () => {
  await Promise.all([alice.stop(), bob.stop()]);
  await relay.stop();
  removeFolder(folder);
});

function texts(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${name} ${i}`);
}

async function sendAll(person: Person, connection: string, all: readonly string[], pause = 0): Promise<void> {
  for (const text of all) {
    await person.send(connection, text);
    if (pause > 0) await sleep(pause);
  }
}

async function receiveAll(person: Person, count: number): Promise<string[]> {
  const received: string[] = [];
  while (received.length < count) received.push(await person.receive(new Uint8Array()));
  return received;
}

/** Both send and receive all the time while `trouble` goes on; everything arrives in order, once. */
async function talkThrough(count: number, trouble: () => Promise<void>): Promise<void> {
  const [fromAlice, fromBob] = [texts("Alice", count), texts("Bob", count)];
  const [gotByBob, gotByAlice] = await Promise.all([
    receiveAll(bob, count), receiveAll(alice, count), sendAll(alice, a, fromAlice, 10), sendAll(bob, b, fromBob, 10), trouble(),
  ]);
  expect(gotByBob).toEqual(fromAlice);
  expect(gotByAlice).toEqual(fromBob);
  for (const person of [alice, bob]) {
    await expect.poll(() => person.history.filter(({ type }) => type === "receipt").length, { timeout: 15_000 }).toBe(count);
    expect(person.history.filter(({ type }) => type === "message")).toHaveLength(count);
  }
}

describe("messages arrive once and in order", () => {
  it("though the relay is killed in the middle and starts again", async () => {
    const port = Number(new URL(relay.info.url).port);
    await talkThrough(100, async () => {
      for (let i = 0; i < 2; i++) {
        await sleep(300);
        await relay.kill();
        relay = await RelayProcess.start(folder, SETTINGS, port);
      }
    });
    expect(alice.history.some(({ type }) => type === "down")).toBe(true);
  });

  it("though connections are torn apart again and again", async () => {
    const cutter = new Cutter();
    cutter.watch();
    await talkThrough(100, async () => {
      // One closes its connections as a program does that goes to sleep, those of the other one are torn.
      for (let i = 0; i < 12; i++) {
        alice.mortal.cut();
        await sleep(50);
        cutter.cutLast();
        await sleep(50);
      }
    });
    expect(cutter.count).toBeGreaterThan(6);
  });

  it("though the two are never online together", async () => {
    const [fromAlice, fromBob] = [texts("Alice", 40), texts("Bob", 40)];
    await bob.stop();
    await sendAll(alice, a, fromAlice);
    for (const _ of fromAlice) await alice.next("sent");
    await alice.stop();
    await bob.start();
    expect(await receiveAll(bob, 40)).toEqual(fromAlice);
    await sendAll(bob, b, fromBob);
    for (const _ of fromBob) await bob.next("sent");
    await bob.stop();
    await alice.start();
    expect(await receiveAll(alice, 40)).toEqual(fromBob);
    await bob.start();
    expect(bob.history.filter(({ type }) => type === "message")).toHaveLength(40);
  });

  it("though the relay's OK is lost and the message is sent again", async () => {
    alice.mortal.deafen();
    const item = await alice.send(a, "first");
    const { connection, item: received } = await bob.next("message");
    expect(alice.history.some((event) => event.type === "sent" && event.item === item)).toBe(false);
    alice.mortal.cut();
    await alice.next("sent", (event) => event.item === item);
    // The relay holds it twice now: the second one is dropped when it comes.
    await bob.agent.acknowledge(connection, received);
    await alice.send(a, "second");
    expect(await bob.receive()).toBe("second");
    expect(bob.history.filter(({ type }) => type === "message")).toHaveLength(2);
    expect(bob.history.filter(({ type }) => type === "error")).toEqual([]);
  });
});
