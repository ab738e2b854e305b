import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { StoreError, type StoreErrorCode } from "../../../client/store/store.ts";
import { RelayProcess, removeFolder, temporaryFolder } from "../../support/relay-process.ts";
import { Chance } from "./chance.ts";
import { FailingStore, type Trouble } from "./failing-store.ts";
import { Player } from "./player.ts";
import { exchange, invite, join, Meeting, move, perform, renew, type Story, watchMove, watchRenewal } from "./stories.ts";

const PATIENCE = 30_000;
const LINK = { pq: false, short: true };

const STORY: Story = {
  alice: async (life, meeting) => {
    const connection = await invite(life, meeting, LINK);
    await Promise.all([move(life, connection), exchange(life, meeting, connection, "moving", 3)]);
    await renew(life, connection);
    await exchange(life, meeting, connection, "after", 2);
  },
  bob: async (life, meeting) => {
    const connection = await join(life, meeting, LINK);
    await Promise.all([watchMove(life), exchange(life, meeting, connection, "moving", 3)]);
    await watchRenewal(life);
    await exchange(life, meeting, connection, "after", 2);
  },
};

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

/** A player whose store fails as `trouble` says, and the stores that it had. */
function unlucky(name: string, trouble: Trouble): { readonly player: Player; readonly stores: FailingStore[] } {
  const stores: FailingStore[] = [];
  const player = new Player(name, [relay.info], {
    wrapStore: (store) => {
      const failing = new FailingStore(store, trouble);
      stores.push(failing);
      return failing;
    },
  });
  return { player, stores };
}

const chance = Chance.fresh();
const CODES: readonly StoreErrorCode[] = ["FAILED", "FULL"];

describe(`a store that fails for a while (seed ${chance.seed})`, () => {
  it("costs nothing when single writes fail, wherever that is", { timeout: 200_000 }, async () => {
    for (let i = 0; i < 5; i++) {
      const trouble: Trouble = (operation) => (operation === "write" && chance.below(5) === 0 ? chance.pick(CODES) : null);
      const alice = unlucky("Alice", trouble);
      const bob = unlucky("Bob", trouble);
      expect(await perform(STORY, [alice.player, bob.player], PATIENCE)).toEqual([]);
      for (const { stores } of [alice, bob]) expect(stores.reduce((sum, { failures }) => sum + failures, 0)).toBeGreaterThan(0);
    }
  });

  it("costs nothing when many calls in a row fail, reading ones too", { timeout: 200_000 }, async () => {
    for (let i = 0; i < 5; i++) {
      // Waves: some calls pass, then some fail.
      const waves = (): Trouble => {
        let left = 10 + chance.below(20);
        let isBad = false;
        return () => {
          if (left-- <= 0) {
            isBad = !isBad;
            left = isBad ? 1 + chance.below(8) : 10 + chance.below(60);
          }
          return isBad ? chance.pick(CODES) : null;
        };
      };
      const alice = unlucky("Alice", waves());
      const bob = unlucky("Bob", waves());
      expect(await perform(STORY, [alice.player, bob.player], PATIENCE)).toEqual([]);
    }
  });

  it("is told by the method that could not write, or by an event", async () => {
    let isFull = false;
    const { player: alice } = unlucky("Alice", (operation) => (isFull && operation === "write" ? "FULL" : null));
    const bob = new Player("Bob", [relay.info]);
    const meeting = new Meeting();
    const playing = Promise.all([
      alice.play(async (life) => {
        const connection = await invite(life, meeting, LINK);
        await meeting.both(life, "connected");
        isFull = true;
        await expect(life.agent.send(connection, new Uint8Array([1]))).rejects.toThrow(StoreError);
        await meeting.both(life, "full");
        await life.seen("error", ({ error }) => error instanceof StoreError && error.code === "FULL");
        expect(alice.received).toEqual([]);
        isFull = false;
        await exchange(life, meeting, connection, "roomy", 1);
      }),
      bob.play(async (life) => {
        const connection = await join(life, meeting, LINK);
        await meeting.both(life, "connected");
        await meeting.both(life, "full");
        await life.send(connection, "Bob into the full store");
        await exchange(life, meeting, connection, "roomy", 1);
      }),
    ]);
    await playing;
    expect(alice.received.map(({ text }) => text)).toEqual(["Bob into the full store.1", "Bob roomy 1.1"]);
    await Promise.all([alice.leave(), bob.leave()]);
  });

  it("acknowledges nothing to the relay that it could not write: a program killed meanwhile gets it again", async () => {
    let isFull = false;
    const { player: alice } = unlucky("Alice", (operation) => (isFull && operation === "write" ? "FULL" : null));
    const bob = new Player("Bob", [relay.info]);
    const story: Story = {
      alice: async (life, here) => {
        const connection = await invite(life, here, LINK);
        await here.both(life, "connected");
        if (alice.lives === 1) {
          // Bob's receipt comes into the full store, which the agent would acknowledge by itself.
          await life.send(connection, "Alice asks");
          isFull = true;
          await here.both(life, "full");
          await here.both(life, "answered");
          await sleep(100);
          isFull = false;
          alice.kill();
        }
        await exchange(life, here, connection, "again", 1);
      },
      bob: async (life, here) => {
        const connection = await join(life, here, LINK);
        await here.both(life, "connected");
        await here.both(life, "full");
        await life.until("her question", () => bob.received.some(({ isAcknowledged }) => isAcknowledged));
        for (let i = 1; i <= 3; i++) await life.send(connection, `Bob ${i}`);
        await life.settled();
        await here.both(life, "answered");
        await exchange(life, here, connection, "again", 1);
      },
    };
    expect(await perform(story, [alice, bob], PATIENCE)).toEqual([]);
    expect(alice.lives).toBe(2);
    expect(alice.received).toHaveLength(4);
  });
});
