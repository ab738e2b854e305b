import { describe, expect, it } from "vitest";
import { bring, circle, groupOf, together } from "./circle.ts";
import { befriend, type Talker } from "./talker.ts";
import { world } from "./world.ts";

const { friends, talker } = world();

/** Of the agent: whether a push tells of messages of each member. */
async function pushesOf(one: Talker, group: string): Promise<readonly boolean[]> {
  const members = await one.chat.groups.members((await groupOf(one, group)).id);
  return Promise.all(members.map(async ({ connection }) => {
    return connection !== null && (await one.agent.connection(connection)).notifications;
  }));
}

describe("pushes", () => {
  it("tell of a contact unless it is muted or blocked", async () => {
    const [alice] = await friends();
    const { id } = await alice.friend("Bob");
    const has = async (): Promise<boolean> => (await alice.chat.contacts.connection(id)).notifications;
    expect(await has()).toBe(true);
    await alice.chat.contacts.set(id, { isMuted: true });
    expect(await has()).toBe(false);
    await alice.chat.contacts.set(id, { isBlocked: true });
    await alice.chat.contacts.set(id, { isMuted: false });
    expect(await has()).toBe(false);
    await alice.chat.contacts.set(id, { isBlocked: false, isFavourite: true });
    expect(await has()).toBe(true);
  });

  it("tell of nobody in a group that is muted, not of those either who come later", async () => {
    const [alice, bob, carol] = [await talker("Alice"), await talker("Bob"), await talker("Carol")];
    await circle("g", alice, bob);
    const { id } = await groupOf(alice, "g");
    expect(await pushesOf(alice, "g")).toEqual([true]);
    await alice.chat.groups.set(id, { isMuted: true });
    expect(await pushesOf(alice, "g")).toEqual([false]);
    await befriend(alice, carol);
    await bring(alice, carol, "g");
    await together("g", alice, bob, carol);
    await alice.until("silence", async () => (await pushesOf(alice, "g")).every((has) => !has));
    await alice.chat.groups.set(id, { isMuted: false });
    expect(await pushesOf(alice, "g")).toEqual([true, true]);
    expect((await alice.chat.contacts.connection((await alice.friend("Carol")).id)).notifications).toBe(true);
  });

  it.each([true, false])("end as the last of two changes at once wants it: muted %s", async (isMuted) => {
    const [alice] = await friends();
    const { id } = await alice.friend("Bob");
    const { contacts } = alice.chat;
    await contacts.set(id, { isMuted });
    await Promise.all([contacts.set(id, { isMuted: !isMuted }), contacts.set(id, { isMuted })]);
    expect(await contacts.get(id)).toMatchObject({ isMuted });
    expect((await contacts.connection(id)).notifications).toBe(!isMuted);
  });

  it("are put right at the next start where the program ended before it had told the agent", async () => {
    const [alice, bob, carol] = [await talker("Alice"), await talker("Bob"), await talker("Carol")];
    await circle("g", alice, bob, carol);
    await together("g", alice, bob, carol);
    const group = await groupOf(alice, "g");
    const [muted, loud] = [await alice.friend("Bob"), await alice.friend("Carol")];
    await alice.chat.groups.set(group.id, { isMuted: true });
    await alice.chat.contacts.set(muted.id, { isMuted: true });
    const [member] = await alice.chat.groups.members(group.id);
    if (!member?.connection || !muted.connection || !loud.connection) throw new Error("a connection is missing");
    await alice.agent.setNotifications(member.connection, true);
    await alice.agent.setNotifications(muted.connection, true);
    await alice.agent.setNotifications(loud.connection, false);
    expect((await pushesOf(alice, "g")).toSorted()).toEqual([false, true]);
    await alice.stop();
    await alice.start();
    const has = async (id: string): Promise<boolean> => (await alice.chat.contacts.connection(id)).notifications;
    await alice.until("all as it was wanted", async () => {
      const isQuiet = (await pushesOf(alice, "g")).every((one) => !one) && !await has(muted.id);
      return isQuiet && await has(loud.id);
    });
  });
});
