import { describe, expect, it } from "vitest";
import { type Clock, systemClock } from "../../../client/clock.ts";
import { fastClock, patientLimits } from "../agent/fast-clock.ts";
import {
  bring,
  circle,
  groupOf,
  joinedGroup,
  memberOf,
  memberWho,
  messageIn,
  tell,
  textsIn,
  together,
} from "./circle.ts";
import { befriend } from "./talker.ts";
import { world } from "./world.ts";

const DAY = 86_400_000;
const SPEED = 100;
const { talker } = world();

describe("in a group", () => {
  it("messages disappear where the owner wants it", async () => {
    const fast = { clock: fastClock(SPEED), ...patientLimits(SPEED) };
    const [alice, bob] = [await talker("Alice", fast), await talker("Bob", fast)];
    await circle("g", alice, bob);
    await alice.chat.groups.setPreferences((await groupOf(alice, "g")).id, { timedMessages: { enable: "on", ttl: 60 } });
    await bob.until("the setting", async () => (await groupOf(bob, "g")).profile.groupPreferences?.timedMessages?.enable === "on");
    await tell(bob, "g", "soon gone");
    const seen = await messageIn(alice, "g", "soon gone");
    expect(seen.ttl).toBe(60);
    await bob.until("its end", async () => (await textsIn(bob, "g")).length === 0);
    expect(await textsIn(alice, "g")).toEqual(["soon gone"]);
    await alice.chat.history.markRead(seen.chat);
    await alice.until("its end", async () => (await textsIn(alice, "g")).length === 0);
  });

  it("it is forgotten after a month which messages came, and not before two weeks", async () => {
    let later = 0;
    const clock: Clock = { ...systemClock, now: () => systemClock.now() + later };
    const [alice, bob] = [await talker("Alice", { clock }), await talker("Bob", { clock })];
    await circle("g", alice, bob);
    await tell(bob, "g", "long ago");
    await messageIn(alice, "g", "long ago");
    const marks = async (): Promise<number> => (await alice.mortal.store.list("chat.seen")).length;
    const before = await marks();
    expect(before).toBeGreaterThan(0);
    later = 14 * DAY;
    await tell(bob, "g", "in between");
    await messageIn(alice, "g", "in between");
    expect(await marks()).toBeGreaterThan(before);
    later = 46 * DAY;
    await tell(bob, "g", "now");
    await messageIn(alice, "g", "now");
    await alice.until("forgetting", async () => (await marks()) === 1);
    expect(await textsIn(alice, "g")).toEqual(["long ago", "in between", "now"]);
  });
});

describe("a user", () => {
  it("who is deleted leaves its groups first", async () => {
    const [alice, bob] = [await talker("Alice"), await talker("Bob")];
    await circle("g", alice, bob);
    const { id } = bob.user;
    await bob.chat.users.delete(id);
    await memberWho(alice, "g", "Bob", ({ status }) => status === "left");
    await bob.until("nothing", async () => (await bob.mortal.store.list("chat.users")).length === 0);
    expect(await bob.mortal.store.list("chat.members")).toEqual([]);
    await bob.until("no connection", async () => (await bob.agent.connections()).length === 0);
  });

  it("known to the one who asks by a random name is known to the group by that name", async () => {
    const [alice, bob, carol] = [await talker("Alice"), await talker("Bob"), await talker("Carol")];
    await circle("g", alice, carol);
    const { link } = await alice.chat.links.invite(alice.user.id, { short: false });
    await bob.chat.links.connect(bob.user.id, link, { incognito: true });
    const stranger = await alice.until("the stranger", async () => {
      const contacts = await alice.chat.contacts.list(alice.user.id);
      return contacts.find(({ name, status }) => name !== "Carol" && status === "connected");
    });
    const { id } = await groupOf(alice, "g");
    await alice.chat.groups.invite(id, stranger.id);
    await bob.chat.groups.accept((await groupOf(bob, "g")).id);
    await joinedGroup(bob, "g");
    await memberWho(carol, "g", stranger.name, ({ status }) => status === "connected");
    await bob.chat.users.update(bob.user.id, { fullName: "Robert Bobson" });
    await tell(bob, "g", "nobody knows me");
    await messageIn(carol, "g", "nobody knows me");
    expect(JSON.stringify((await carol.chat.groups.members((await groupOf(carol, "g")).id)))).not.toContain("Bob");
    const { id: bobsGroup } = await groupOf(bob, "g");
    await expect(bob.chat.groups.invite(bobsGroup, (await bob.chat.contacts.list(bob.user.id))[0]?.id ?? "")).rejects.toThrow(/takes the role/u);
  });

  it("with two groups of the same name keeps them apart, and comes again after leaving", async () => {
    const [alice, bob] = [await talker("Alice"), await talker("Bob")];
    await circle("g", alice, bob);
    await bob.chat.groups.leave((await groupOf(bob, "g")).id);
    await memberWho(alice, "g", "Bob", ({ status }) => status === "left");
    await alice.chat.groups.invite((await groupOf(alice, "g")).id, (await alice.friend("Bob")).id);
    const again = await groupOf(bob, "g_1");
    await bob.chat.groups.accept(again.id);
    await memberWho(alice, "g", "Bob", ({ status }) => status === "connected");
    await tell(alice, "g", "welcome back");
    await messageIn(bob, "g_1", "welcome back");
    expect((await memberOf(bob, "g_1", "Alice")).status).toBe("connected");
    expect(await textsIn(bob, "g")).toEqual([]);
    const carol = await talker("Carol");
    await befriend(bob, carol);
    await expect(bring(bob, carol, "g_1")).rejects.toThrow(/takes the role admin/u);
    await together("g", alice);
  });
});
