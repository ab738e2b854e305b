import { describe, expect, it } from "vitest";
import { type Clock, systemClock } from "../../../client/clock.ts";
import { fastClock, patientLimits } from "../agent/fast-clock.ts";
import { world } from "./world.ts";

const SPEED = 100;
const FAST = { clock: fastClock(SPEED), ...patientLimits(SPEED) };
const { friends } = world();

describe("time", () => {
  it("makes messages disappear: own ones after writing, others after reading, and those of a program that was away", async () => {
    const [alice, bob] = await friends(FAST);
    const { id } = await alice.friend("Bob");
    await alice.chat.contacts.setPreferences(id, { timedMessages: { allow: "yes", ttl: 60 } });
    await bob.event("Alice", "preferencesChanged");
    const sent = await alice.chat.messages.send(id, "soon gone");
    expect(sent.ttl).toBe(60);
    const seen = await bob.message("Alice", "soon gone");
    await alice.until("its end", async () => (await alice.texts("Bob")).length === 0);
    // Bob has not looked yet.
    expect(await bob.texts("Alice")).toEqual(["soon gone"]);
    await bob.chat.history.markRead(seen.chat);
    await bob.until("its end", async () => (await bob.texts("Alice")).length === 0);

    await alice.chat.messages.send(id, "while away");
    const kept = await alice.chat.messages.send(id, "to stay", { ttl: 0 });
    await bob.message("Alice", "to stay");
    await bob.chat.history.markRead(seen.chat);
    await bob.stop();
    await new Promise((resolve) => setTimeout(resolve, 90_000 / SPEED));
    await bob.start();
    await bob.until("its end", async () => (await bob.texts("Alice")).join() === "to stay");
    expect(kept.deleteAt).toBeNull();
  });

  it("ends what can be edited and deleted for both", async () => {
    let later = 0;
    const clock: Clock = { ...systemClock, now: () => systemClock.now() + later };
    const [alice, bob] = await friends({ clock });
    const said = await alice.say("Bob", "for ever");
    await bob.message("Alice", "for ever");
    later = 24 * 3_600_000;
    await expect(alice.chat.messages.edit(said.id, "not for ever")).rejects.toMatchObject({ refusal: "PROHIBITED" });
    await expect(alice.chat.messages.delete(said.id, "everyone")).rejects.toMatchObject({ refusal: "PROHIBITED" });
    await alice.chat.messages.delete(said.id, "self");
    expect(await bob.texts("Alice")).toEqual(["for ever"]);
  });
});
