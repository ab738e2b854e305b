import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { hex } from "#crypto/bytes";
import { PeerError } from "../../../client/agent/errors.ts";
import { RelayProcess, removeFolder, temporaryFolder } from "../../support/relay-process.ts";
import { Chance } from "./chance.ts";
import { FailingStore } from "./failing-store.ts";
import { insist, type Life, Player } from "./player.ts";
import { invite, join as joinInvitation, type Meeting, orDoneBefore, perform } from "./stories.ts";

const ROUNDS = 4;
const STEPS = 50;
const PATIENCE = 60_000;

let relays: RelayProcess[] = [];
let folder: string;
beforeAll(async () => {
  folder = temporaryFolder();
  const settings = { NEW_QUEUES_PER_MINUTE: "0", MESSAGES_PER_MINUTE: "0" };
  relays = await Promise.all(["first", "second"].map((name) => RelayProcess.start(join(folder, name), settings)));
});
afterAll(async () => {
  await Promise.all(relays.map((relay) => relay.stop()));
  removeFolder(folder);
});

type Action = (life: Life, connection: string, step: string) => Promise<unknown>;

/** What somebody does next, as often as it stands here. */
function actionsOf(chance: Chance): Action[] {
  const send: Action = (life, connection, step) => life.send(connection, `${step} ${"x".repeat(chance.below(2_000))}`);
  const wait: Action = () => sleep(chance.below(20));
  const rotate: Action = (life, connection) => orDoneBefore(life.agent.rotate(connection), "PROHIBITED");
  const abort: Action = (life, connection) => orDoneBefore(life.agent.abortRotation(connection), "PROHIBITED");
  return [
    ...Array.from({ length: 12 }, () => send),
    ...Array.from({ length: 6 }, () => wait),
    rotate,
    rotate,
    abort,
    async (life) => life.mortal.cut(),
    (life) => life.restart(),
    (life) => life.die(),
  ];
}

/** Until nothing is under way between the two. */
async function quiet(life: Life, connection: string): Promise<void> {
  await life.until("the end of all moves", async () => !(await life.agent.connection(connection)).isMoving);
  await life.settled();
}

async function codeOf(life: Life, connection: string): Promise<string> {
  return hex((await life.agent.connection(connection)).securityCode ?? new Uint8Array());
}

/** Both make new encryption; one of them begins. Only when nothing is under way, since that could not be read any more. */
async function renew(life: Life, meeting: Meeting, connection: string, round: number, isFirst: boolean): Promise<void> {
  const before = await life.once(`code ${round}`, () => codeOf(life, connection));
  await meeting.both(life, `renewal ${round}`);
  const isNew = async (): Promise<boolean> => await codeOf(life, connection) !== before;
  if (isFirst) {
    await life.once(`renew ${round}`, async () => {
      const { sync } = await life.agent.connection(connection);
      if (sync === "ok" && !await isNew()) await life.agent.synchronise(connection, { force: true });
    });
  }
  await life.until("new encryption", async () => await isNew() && (await life.agent.connection(connection)).sync === "ok");
}

async function wander(life: Life, meeting: Meeting, connection: string, chance: Chance, isInviter: boolean): Promise<void> {
  const { name } = life.player;
  const actions = actionsOf(chance);
  for (let round = 1; round <= ROUNDS; round++) {
    for (let i = 1; i <= STEPS; i++) {
      const step = `${name} ${round}.${i}`;
      if (life.player.recall(step)) continue;
      // Before it is done: after a kill another action is tried.
      life.player.remember(step, null);
      const action = chance.pick(actions);
      await insist(() => action(life, connection, step));
    }
    await life.send(connection, `${name} ends ${round}`);
    await life.until("the end of the round", () => life.player.received.some(({ text }) => text.includes(` ends ${round}.`)));
    await quiet(life, connection);
    await meeting.both(life, `quiet ${round}`);
    if (round < ROUNDS) await renew(life, meeting, connection, round, (round % 2 === 1) === isInviter);
    await meeting.both(life, `renewed ${round}`);
  }
}

function wanderer(name: string, chance: Chance): Player {
  return new Player(name, relays.map(({ info }) => info), {
    // About every third life ends at some write.
    death: () => (chance.below(3) === 0 ? { write: 1 + chance.below(60), when: chance.pick(["before", "after"]) } : null),
    reading: () => ({ after: chance.below(4) === 0 ? chance.below(60) : 0, withReceipt: chance.below(2) === 0 }),
    // The answer to a move that was aborted meanwhile.
    excuses: (error) => error instanceof PeerError && error.fault === "A_QUEUE",
    wrapStore: (store) => new FailingStore(store, () => (chance.below(200) === 0 ? "FAILED" : null)),
  });
}

const chance = Chance.fresh();

it.each([true, false])(`two people, whatever they do and whatever happens, lose nothing (pq %s, seed ${chance.seed})`, { timeout: 2 * PATIENCE }, async (pq) => {
  const [first, second] = [new Chance(chance.below(2 ** 31)), new Chance(chance.below(2 ** 31))];
  const alice = wanderer("Alice", first);
  const bob = wanderer("Bob", second);
  const link = { pq, short: pq };
  const faults = await perform({
    alice: async (life, meeting) => wander(life, meeting, await invite(life, meeting, link), first, true),
    bob: async (life, meeting) => wander(life, meeting, await joinInvitation(life, meeting, link), second, false),
  }, [alice, bob], PATIENCE);
  expect(faults).toEqual([]);
  for (const { lives, sent } of [alice, bob]) {
    expect(lives).toBeGreaterThan(3);
    expect(sent.length).toBeGreaterThan(ROUNDS * STEPS / 4);
  }
});
