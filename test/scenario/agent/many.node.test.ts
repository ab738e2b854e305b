import { afterAll, beforeAll, expect, it } from "vitest";
import { fromUtf8, utf8 } from "#crypto/bytes";
import { RelayProcess, removeFolder, temporaryFolder } from "../../support/relay-process.ts";
import { Person } from "./person.ts";

const COUNT = 200;

let relay: RelayProcess;
let folder: string;
const settings = { NEW_QUEUES_PER_MINUTE: "0", MESSAGES_PER_MINUTE: "0", QUEUES_PER_CONNECTION: "0" };
beforeAll(async () => {
  folder = temporaryFolder();
  relay = await RelayProcess.start(folder, settings);
});
afterAll(async () => {
  await relay.stop();
  removeFolder(folder);
});

/** Connections that were told to be up since `since` of the history. */
function upSince({ history }: Person, since: number): string[] {
  return history.slice(since).flatMap((event) => (event.type === "up" ? event.connections : []));
}

it(`${COUNT} connections are subscribed again after a restart, and what waits for them is delivered`, { timeout: 120_000 }, async () => {
  const alice = await new Person("Alice", [relay.info]).start();
  const bob = await new Person("Bob", [relay.info]).start();
  const pairs = new Map<string, string>();
  for (let i = 0; i < COUNT; i += 20) {
    await Promise.all(Array.from({ length: 20 }, async () => {
      const { connection, link } = await alice.agent.invite({ pq: false, short: false });
      const joined = await bob.agent.join(link, utf8("Bob"), { pq: false });
      pairs.set(joined, connection);
      const { confirmation } = await alice.next("confirmation", (event) => event.connection === connection);
      await alice.agent.allow(connection, confirmation, utf8("Alice"));
      await bob.next("connected", (event) => event.connection === joined);
    }));
  }

  await alice.stop();
  for (const joined of pairs.keys()) await bob.send(joined, `through ${joined}`);
  for (let i = 0; i < COUNT; i++) await bob.next("sent");

  let since = alice.history.length;
  await alice.start();
  for (let i = 0; i < COUNT; i++) {
    const { connection, item, body } = await alice.next("message");
    const joined = fromUtf8(body).replace("through ", "");
    expect(pairs.get(joined)).toBe(connection);
    await alice.agent.acknowledge(connection, item, new Uint8Array());
  }
  expect(upSince(alice, since).toSorted()).toEqual([...pairs.values()].toSorted());
  for (let i = 0; i < COUNT; i++) await bob.next("receipt");

  // The connection to the relay goes and comes back.
  since = alice.history.length;
  alice.mortal.cut();
  const { connections } = await alice.next("down", (event) => event.connections.length > 0);
  expect(connections.toSorted()).toEqual([...pairs.values()].toSorted());
  await expect.poll(() => upSince(alice, since).length, { timeout: 10_000 }).toBe(COUNT);
  await Promise.all([alice.stop(), bob.stop()]);
});
