import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { AgentError } from "../../../../client/agent/errors.ts";
import { abortRotation, startRotation } from "../../../../client/agent/rules/rotate.ts";
import { runs } from "../../ratchet/support/party.ts";
import { type Actor, copyOfActor, World } from "./support/world.ts";

/** What may happen next, and how likely it is. */
const WEIGHTS = {
  send: 3,
  /** An item goes to its relay; the relay's answer is lost. */
  pump: 5,
  repeat: 1,
  take: 5,
  read: 2,
  work: 2,
  rotate: 1,
  abort: 1,
  reconnect: 1,
} as const;
type Action = keyof typeof WEIGHTS;

const happening = fc.record({
  isFirst: fc.boolean(),
  action: fc.oneof(...Object.entries(WEIGHTS).map(([name, weight]) => ({ weight, arbitrary: fc.constant(name as Action) }))),
  index: fc.nat(1),
});

async function unlessProhibited(action: Promise<unknown>): Promise<void> {
  try {
    await action;
  } catch (error) {
    if (!(error instanceof AgentError)) throw error;
  }
}

async function happen(world: World, actor: Actor, action: Action, index: number): Promise<void> {
  switch (action) {
    case "send":
      await world.send(actor, `${actor.sent.length}`);
      return;
    case "pump":
    case "repeat":
      await world.pump(actor, index, action === "repeat");
      return;
    case "take":
      await world.take(actor, index);
      return;
    case "read":
      await world.read(actor);
      return;
    case "work":
      await world.work(actor);
      return;
    case "rotate":
      return unlessProhibited(actor.side.step((step) => startRotation(step, null)));
    case "abort":
      return unlessProhibited(actor.side.step(abortRotation));
    case "reconnect":
      await world.resubscribe(actor);
      return;
  }
}

describe("two people who move to other relays while they talk", () => {
  let connected: Awaited<ReturnType<typeof World.connected>>;
  beforeAll(async () => {
    connected = await World.connected();
  });

  it("lose nothing, get nothing twice and everything in order, whatever comes when", async () => {
    const history = fc.array(happening, { minLength: 20, maxLength: 120, size: "max" });
    await fc.assert(fc.asyncProperty(history, async (happenings) => {
      const world = connected.world.copy();
      const a = copyOfActor(connected.a);
      const b = copyOfActor(connected.b);
      for (const { isFirst, action, index } of happenings) await happen(world, isFirst ? a : b, action, index);
      await world.resubscribe(a);
      await world.resubscribe(b);
      await world.settle(a, b);
      for (const [from, to] of [[a, b], [b, a]] as const) {
        expect(to.received).toEqual(from.sent);
        const verdicts = to.side.events.flatMap((event) => (event.type === "message" ? [event.integrity.type] : []));
        expect(verdicts).toEqual(from.sent.map(() => "ok"));
        const fates = from.side.events.filter(({ type }) => type === "sent" || type === "unsent").map(({ type }) => type);
        expect(fates).toEqual(from.sent.map(() => "sent"));
        const { receive, send, status, todo } = await from.side.connection();
        expect({ status, todo }).toEqual({ status: "connected", todo: [] });
        expect(receive.map(({ rotation, replaces }) => [rotation, replaces])).toEqual([[null, null]]);
        // What is left of a move that was taken back goes when the peer moves again.
        const used = send.filter((queue) => queue.status !== "new");
        expect(used.map((queue) => [queue.status, queue.replaces])).toEqual([["active", null]]);
        expect(send[0]?.sndId).toEqual((await to.side.connection()).receive[0]?.sndId);
      }
    }), runs(Number(globalThis.process?.env?.["FLOW_RUNS"] ?? 24)));
  });
});
