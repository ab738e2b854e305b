import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { synchronise } from "../../../../client/agent/rules/resync.ts";
import { runs } from "../../ratchet/support/party.ts";
import type { Side } from "./support/side.ts";
import { type Actor, copyOfActor, World } from "./support/world.ts";

const HOUR = 3_600_000;
/** After which the application repairs by force what is still not repaired. */
const PATIENT_ROUNDS = 2;
const ROUNDS = 8;

const WEIGHTS = { send: 2, pump: 3, repeat: 1, take: 3, read: 1, save: 1, restore: 1, force: 1, wait: 1 } as const;
type Action = keyof typeof WEIGHTS;

const happening = fc.record({
  isFirst: fc.boolean(),
  action: fc.oneof(...Object.entries(WEIGHTS).map(([name, weight]) => ({ weight, arbitrary: fc.constant(name as Action) }))),
});

describe("two people of whom any is restored from an old copy at any time", () => {
  let connected: Awaited<ReturnType<typeof World.connected>>;
  beforeAll(async () => {
    connected = await World.connected();
  });

  /** Both send and receive. */
  async function talks(world: World, a: Actor, b: Actor, text: string): Promise<boolean> {
    const before = [a, b].map(({ received }) => received.length);
    for (const actor of [a, b]) if (!await world.send(actor, text)) return false;
    await world.settle(a, b);
    return [a, b].every(({ received }, i) => received.length === (before[i] ?? 0) + 1 && received.at(-1) === text);
  }

  it("can talk again after some hours, whatever came when", async () => {
    await fc.assert(fc.asyncProperty(fc.array(happening, { minLength: 10, maxLength: 60, size: "max" }), async (happenings) => {
      const world = connected.world.copy();
      const a = copyOfActor(connected.a);
      const b = copyOfActor(connected.b);
      const copies = new Map<Actor, Side>([[a, a.side.copy()], [b, b.side.copy()]]);
      const pass = (): void => {
        a.side.now += HOUR;
        b.side.now = a.side.now;
      };
      for (const { isFirst, action } of happenings) {
        const actor = isFirst ? a : b;
        switch (action) {
          case "send":
            await world.send(actor, "whatever");
            break;
          case "pump":
          case "repeat":
            await world.pump(actor, 0, action === "repeat");
            break;
          case "take":
            await world.take(actor);
            break;
          case "read":
            await world.read(actor);
            break;
          case "save":
            copies.set(actor, actor.side.copy());
            break;
          case "restore": {
            const { now } = actor.side;
            actor.side = copies.get(actor)?.copy() ?? actor.side;
            actor.side.now = now;
            await world.restart(actor);
            break;
          }
          case "force":
            await actor.side.step((step) => synchronise(step, true));
            break;
          case "wait":
            pass();
            break;
        }
      }
      for (let round = 0; ; round++) {
        pass();
        for (const actor of [a, b]) await world.restart(actor);
        await world.settle(a, b);
        if (await talks(world, a, b, `round ${round}`)) return;
        expect(round).toBeLessThan(ROUNDS);
        for (const { side } of [a, b]) {
          const { state } = (await side.connection()).sync;
          if (state === "ok" || (state !== "allowed" && state !== "required" && round < PATIENT_ROUNDS)) continue;
          await side.step((step) => synchronise(step, true));
          break;
        }
      }
    }), runs(16));
  });
});
