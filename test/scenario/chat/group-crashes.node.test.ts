import { describe, expect, it } from "vitest";
import { fastClock, patientLimits } from "../agent/fast-clock.ts";
import { bring, circle, groupOf, joinedGroup, messageIn, tell, textsIn, together } from "./circle.ts";
import { befriend, type Talker } from "./talker.ts";
import { world } from "./world.ts";

const SPEED = 20;
const FAST = { clock: fastClock(SPEED), ...patientLimits(SPEED) };
const { talker } = world();

/** The first ones of a life, and some later ones. */
const WRITES = [1, 2, 3, 4, 5, 6, 7, 8, 10, 13, 16, 20, 25, 30];

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, milliseconds));

/** Lives until a write kills it, or for a while. */
async function liveUntil(
  one: Talker,
  write: number,
  work: () => Promise<unknown> = () => Promise.resolve(),
): Promise<void> {
  await one.stop();
  if (await one.live({ write, when: write % 2 === 0 ? "before" : "after" })) {
    await Promise.race([work(), one.mortal.died]);
    await Promise.race([one.mortal.died, pause(400)]);
  }
  await one.stop();
  await one.start();
}

describe("a program that is killed", () => {
  it("while it joins by a link belongs to the group all the same, once", async () => {
    for (const write of WRITES) {
      const [alice, bob] = [await talker("Alice", FAST), await talker("Bob", FAST)];
      const { id } = await alice.chat.groups.create(alice.user.id, { displayName: "g", fullName: "" });
      const { link } = await alice.chat.groups.createLink(id);
      await liveUntil(bob, write, () => bob.chat.groups.connect(bob.user.id, link));
      if ((await bob.chat.groups.list(bob.user.id)).length === 0) await bob.chat.groups.connect(bob.user.id, link);
      await bob.until("one group", async () => (await bob.chat.groups.list(bob.user.id)).map(({ status }) => status).join() === "connected");
      await together("g", alice, bob);
      expect((await alice.chat.groups.members(id)).filter(({ status }) => status === "connected")).toHaveLength(1);
      await Promise.all([alice.stop(), bob.stop()]);
    }
  }, 180_000);

  it("while it lets somebody in introduces everybody to everybody", async () => {
    for (const write of WRITES) {
      const [alice, bob, carol] = [await talker("Alice", FAST), await talker("Bob", FAST), await talker("Carol", FAST)];
      await circle("g", alice, bob);
      const { id } = await groupOf(alice, "g");
      const { link } = await alice.chat.groups.createLink(id);
      await alice.stop();
      await carol.chat.groups.connect(carol.user.id, link);
      await liveUntil(alice, write);
      await joinedGroup(carol, "g");
      await together("g", alice, bob, carol);
      await tell(carol, "g", "hello");
      await messageIn(bob, "g", "hello");
      await messageIn(alice, "g", "hello");
      expect(await textsIn(bob, "g")).toEqual(["hello"]);
      expect(await textsIn(alice, "g")).toEqual(["hello"]);
      for (const one of [alice, bob, carol]) {
        expect(await one.chat.groups.members((await groupOf(one, "g")).id)).toHaveLength(2);
        const [bindings, connections] = [await one.mortal.store.list("chat.bindings"), await one.agent.connections()];
        expect(connections.map((connection) => connection.id).toSorted()).toEqual(bindings.map(({ key }) => key).toSorted());
      }
      await Promise.all([alice.stop(), bob.stop(), carol.stop()]);
    }
  }, 240_000);

  it("while it is introduced is connected to all the same, and hears everything once", async () => {
    for (const write of WRITES) {
      const [alice, bob, carol] = [await talker("Alice", FAST), await talker("Bob", FAST), await talker("Carol", FAST)];
      await circle("g", alice, bob);
      await befriend(alice, carol);
      await bob.stop();
      await bring(alice, carol, "g");
      await tell(carol, "g", "one");
      await tell(alice, "g", "two");
      await liveUntil(bob, write);
      await together("g", alice, bob, carol);
      await tell(carol, "g", "three");
      for (const text of ["one", "two", "three"]) await messageIn(bob, "g", text);
      expect((await textsIn(bob, "g")).toSorted()).toEqual(["one", "three", "two"]);
      await Promise.all([alice.stop(), bob.stop(), carol.stop()]);
    }
  }, 240_000);

  it("while it sends to a group sends to everybody, once", async () => {
    const [alice, bob, carol] = [await talker("Alice", FAST), await talker("Bob", FAST), await talker("Carol", FAST)];
    await circle("g", alice, bob, carol);
    const { id } = await groupOf(bob, "g");
    const promised: string[] = [];
    for (let write = 1; write <= 16; write++) {
      const text = `word ${write}`;
      await liveUntil(bob, write, () => bob.chat.messages.send(id, text).then(() => promised.push(text)));
    }
    await tell(bob, "g", "the end");
    for (const one of [alice, carol]) {
      await messageIn(one, "g", "the end");
      const texts = await textsIn(one, "g");
      expect(new Set(texts).size).toBe(texts.length);
      expect(texts.filter((text) => promised.includes(text))).toEqual(promised);
    }
    expect(await textsIn(alice, "g")).toEqual(await textsIn(carol, "g"));
  }, 120_000);
});
