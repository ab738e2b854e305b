import { describe, expect, it } from "vitest";
import { utf8 } from "#crypto/bytes";
import { fastClock, patientLimits } from "../agent/fast-clock.ts";
import { world } from "./world.ts";

const SPEED = 20;
const FAST = { clock: fastClock(SPEED), ...patientLimits(SPEED) };
const { talker, friends } = world();

/** Just after a write is also just before the next one. */
const DEATHS = Array.from({ length: 12 }, (_, i) => ({ write: i + 1, when: "after" } as const));

describe("a program that is killed", () => {
  it.each(["before", "after"] as const)("%s any of its writes loses no message and shows none twice", async (when) => {
    const [alice, bob] = await friends(FAST);
    await bob.say("Alice", "from Bob 0");
    const said: string[] = ["from Bob 0"];
    const heard: string[] = [];
    for (let write = 1; write <= 20; write++) {
      await bob.stop();
      heard.push(`to Bob ${write}`);
      await alice.say("Bob", `to Bob ${write}`);
      // Nothing but its place tells whether it came before.
      await alice.agent.send((await alice.friend("Bob")).connection ?? "", utf8('{"event":"x.future","params":{}}'));
      if (!await bob.live({ write, when })) continue;
      const life = bob.say("Alice", `from Bob ${write}`).then(() => said.push(`from Bob ${write}`));
      await Promise.race([life, bob.mortal.died]);
      await Promise.race([bob.mortal.died, new Promise((resolve) => setTimeout(resolve, 200))]);
    }
    await bob.stop();
    await bob.start();
    await bob.say("Alice", "the end");
    await alice.message("Bob", "the end");
    await alice.say("Bob", "over");
    await bob.message("Alice", "over");
    const ofBob = (await alice.texts("Bob")).filter((text) => text.startsWith("from Bob"));
    // What was promised came, in order; what was not may have come.
    expect(ofBob.filter((text) => said.includes(text))).toEqual(said);
    expect(new Set(ofBob).size).toBe(ofBob.length);
    expect((await bob.texts("Alice")).filter((text) => text.startsWith("to Bob"))).toEqual(heard);
    expect((await bob.items("Alice")).filter(({ body }) => body.type === "unknown")).toHaveLength(heard.length);
    expect(await bob.texts("Alice")).toEqual(expect.arrayContaining(ofBob));
    await bob.until("receipts", async () => {
      const own = (await bob.items("Alice")).filter(({ isOwn }) => isOwn);
      return own.at(-1)?.status.type === "delivered";
    });
  }, 120_000);

  it("while it follows a link comes to be connected all the same", async () => {
    for (const death of DEATHS) {
      const [alice, bob] = [await talker("Alice", FAST), await talker("Bob", FAST)];
      const { link } = await alice.chat.links.invite(alice.user.id, { short: false });
      await bob.stop();
      if (await bob.live(death)) {
        await Promise.race([bob.chat.links.connect(bob.user.id, link), bob.mortal.died]);
        await Promise.race([bob.mortal.died, new Promise((resolve) => setTimeout(resolve, 300))]);
      }
      await bob.stop();
      await bob.start();
      const contacts = await bob.chat.contacts.list(bob.user.id);
      if (contacts.length === 0) await bob.chat.links.connect(bob.user.id, link);
      await Promise.all([alice.friend("Bob"), bob.friend("Alice")]);
      expect(await bob.chat.contacts.list(bob.user.id)).toHaveLength(1);
      await Promise.all([alice.stop(), bob.stop()]);
    }
  }, 120_000);

  it("while it makes an invitation leaves no connection that nobody knows", async () => {
    for (const death of DEATHS.slice(0, 8)) {
      const alice = await talker("Alice", FAST);
      await alice.stop();
      if (await alice.live(death)) {
        await Promise.race([alice.chat.links.invite(alice.user.id), alice.mortal.died]);
      }
      await alice.stop();
      await alice.start();
      const [contacts, connections] = [await alice.chat.contacts.list(alice.user.id), await alice.agent.connections()];
      expect(connections.map(({ id }) => id)).toEqual(contacts.map(({ connection }) => connection));
      await alice.stop();
    }
  }, 120_000);

  it("while it accepts a request comes to be connected all the same", async () => {
    for (const death of DEATHS.slice(0, 10)) {
      const [alice, bob] = [await talker("Alice", FAST), await talker("Bob", FAST)];
      const { link } = await alice.chat.links.createAddress(alice.user.id, { autoAccept: true, welcome: "hello" });
      await alice.stop();
      await bob.chat.links.connect(bob.user.id, link);
      if (await alice.live(death)) {
        await Promise.race([alice.mortal.died, new Promise((resolve) => setTimeout(resolve, 400))]);
      }
      await alice.stop();
      await alice.start();
      await Promise.all([alice.friend("Bob"), bob.friend("Alice")]);
      await bob.message("Alice", "hello");
      expect(await bob.texts("Alice")).toEqual(["hello"]);
      expect(await alice.chat.contacts.list(alice.user.id)).toHaveLength(1);
      await Promise.all([alice.stop(), bob.stop()]);
    }
  }, 120_000);
});
