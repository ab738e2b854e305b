import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { RelayProcess, removeFolder, temporaryFolder } from "../../support/relay-process.ts";
import { Chance } from "./chance.ts";
import type { Death } from "./mortal.ts";
import { Player } from "./player.ts";
import {
  exchange, invite, join, move, orDoneBefore, perform, receiveGuest, renew, type Story, visit, watchMove, watchRenewal,
} from "./stories.ts";

/** `CRASHES=all`: at every write, which takes minutes; else at some of them, chosen by the seed. */
const IS_COMPLETE = process.env["CRASHES"] === "all";
const SAMPLE = 10;
const PATIENCE = 20_000;
const AT_ONCE = 4;

const SHORT_LINK = { pq: false, short: true };
const LONG_LINK = { pq: false, short: false };
const POST_QUANTUM = { pq: true, short: false };

const STORIES: Readonly<Record<string, Story>> = {
  "an invitation is joined": {
    alice: async (life, meeting) => exchange(life, meeting, await invite(life, meeting, SHORT_LINK), "hello", 1),
    bob: async (life, meeting) => exchange(life, meeting, await join(life, meeting, SHORT_LINK), "hello", 1),
  },
  "a contact address is visited": {
    alice: async (life, meeting) => exchange(life, meeting, await receiveGuest(life, meeting, POST_QUANTUM), "hello", 1),
    bob: async (life, meeting) => exchange(life, meeting, await visit(life, meeting, POST_QUANTUM), "hello", 1),
  },
  "messages and receipts go both ways": {
    alice: async (life, meeting) => exchange(life, meeting, await invite(life, meeting, LONG_LINK), "hello", 3),
    bob: async (life, meeting) => exchange(life, meeting, await join(life, meeting, LONG_LINK), "hello", 3),
  },
  "a queue moves": {
    alice: async (life, meeting) => {
      const connection = await invite(life, meeting, LONG_LINK);
      await Promise.all([move(life, connection), exchange(life, meeting, connection, "moving", 3)]);
      await exchange(life, meeting, connection, "moved", 1);
    },
    bob: async (life, meeting) => {
      const connection = await join(life, meeting, LONG_LINK);
      await Promise.all([watchMove(life), exchange(life, meeting, connection, "moving", 3)]);
      await exchange(life, meeting, connection, "moved", 1);
    },
  },
  "the encryption is made anew": {
    alice: async (life, meeting) => {
      const connection = await invite(life, meeting, LONG_LINK);
      await exchange(life, meeting, connection, "before", 1);
      await watchRenewal(life);
      await exchange(life, meeting, connection, "after", 1);
    },
    bob: async (life, meeting) => {
      const connection = await join(life, meeting, LONG_LINK);
      await exchange(life, meeting, connection, "before", 1);
      await renew(life, connection);
      await exchange(life, meeting, connection, "after", 1);
    },
  },
  "a connection is deleted, with messages on their way": {
    alice: async (life, meeting) => {
      const connection = await invite(life, meeting, LONG_LINK);
      await meeting.both(life, "connected");
      for (const word of ["so", "long"]) await life.send(connection, word);
      // A kill may have made her say it twice.
      meeting.say("the last word", life.player.sent.at(-1)?.text ?? "");
      await life.once("delete", () => orDoneBefore(life.agent.delete(connection, { wait: true }), "NOT_FOUND"));
      await life.until("an empty profile", () => [...life.player.file.tables.keys()].join() === "schema");
    },
    bob: async (life, meeting) => {
      await join(life, meeting, LONG_LINK);
      await meeting.both(life, "connected");
      const lastWord = await meeting.hear(life, "the last word");
      await life.until(lastWord, () => life.player.received.some(({ text }) => text === lastWord));
    },
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

interface Deaths {
  readonly alice: readonly Death[];
  readonly bob: readonly Death[];
}

async function tell(story: Story, { alice, bob }: Deaths): Promise<{ readonly players: readonly [Player, Player]; readonly faults: string[] }> {
  const players = [
    new Player("Alice", [relay.info], { death: (life) => alice[life - 1] ?? null }),
    new Player("Bob", [relay.info], { death: (life) => bob[life - 1] ?? null, excuses: isRefusedReceipt }),
  ] as const;
  return { players, faults: await perform(story, players, PATIENCE) };
}

/** A receipt for somebody who has left. */
function isRefusedReceipt(error: Error): boolean {
  return error.message.includes("did not take the receipt");
}

/** One death, of either of them, before or after each write. */
function deathsOf([alice, bob]: readonly [Player, Player]): Deaths[] {
  const at = (writes: number): Death[] => Array.from({ length: writes }, (_, i) => i + 1).flatMap((write) => {
    return [{ write, when: "before" }, { write, when: "after" }] as const;
  });
  return [
    ...at(alice.writes).map((death) => ({ alice: [death], bob: [] })),
    ...at(bob.writes).map((death) => ({ alice: [], bob: [death] })),
  ];
}

/** Tells the story once for each of these deaths, some at a time; answers what went wrong, and how many took place. */
async function tellAll(story: Story, all: readonly Deaths[]): Promise<{ readonly wrong: string[]; readonly kills: number }> {
  const left = [...all];
  const wrong: string[] = [];
  let kills = 0;
  const work = async (): Promise<void> => {
    for (let deaths = left.shift(); deaths; deaths = left.shift()) {
      const { players, faults } = await tell(story, deaths);
      for (const { lives } of players) kills += lives - 1;
      if (faults.length > 0) wrong.push(`${JSON.stringify(deaths)}: ${faults.join("; ")}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return { wrong, kills };
}

const chance = Chance.fresh();

describe.each(Object.entries(STORIES))("while %s", (_, story) => {
  it(`either program may be killed before or after any write (seed ${chance.seed})`, { timeout: 1_200_000 }, async () => {
    const { players, faults } = await tell(story, { alice: [], bob: [] });
    expect(faults).toEqual([]);
    const all = deathsOf(players);
    const chosen = IS_COMPLETE ? all : chance.sample(all, SAMPLE);
    const { wrong, kills } = await tellAll(story, chosen);
    expect(wrong).toEqual([]);
    // Writes are not the same in number each time, so that some of the last ones may not come.
    expect(kills).toBeGreaterThan(chosen.length / 2);
  });

  it("both programs may be killed again and again, every few writes", { timeout: 60_000 }, async () => {
    const deaths = (write: number): Death[] => Array.from({ length: 8 }, () => ({ write, when: "after" }));
    const { players, faults } = await tell(story, { alice: deaths(3), bob: deaths(4) });
    expect(faults).toEqual([]);
    for (const { lives } of players) expect(lives).toBeGreaterThan(2);
  });
});
