import { describe, expect, it } from "vitest";
import {
  bring,
  circle,
  eventIn,
  groupOf,
  joinedGroup,
  memberOf,
  memberWho,
  messageIn,
  tell,
  textsIn,
  together,
} from "./circle.ts";
import { befriend, type Talker } from "./talker.ts";
import { world } from "./world.ts";

const { talker, restartRelay, expectError } = world();

describe("the link of a group", () => {
  it("lets people in who know nobody there", async () => {
    const [alice, bob, carol] = [await talker("Alice"), await talker("Bob"), await talker("Carol")];
    const { id } = await alice.chat.groups.create(alice.user.id, { displayName: "open house", fullName: "", description: "be kind" });
    const link = await alice.chat.groups.createLink(id);
    expect(link.shortLink).toMatch(/^https:\/\/[^/]+\/g#/u);
    expect(await bob.chat.links.look(bob.user.id, link.shortLink ?? "")).toMatchObject({
      type: "group",
      data: { groupProfile: { displayName: "open house" } },
    });
    await expect(bob.chat.links.connect(bob.user.id, link.link)).rejects.toThrow(/groups\.connect/u);
    expect(await bob.chat.groups.connect(bob.user.id, link.shortLink ?? "")).toMatchObject({ name: "open house", status: "joining" });
    await carol.chat.groups.connect(carol.user.id, link.link);
    await together("open house", alice, bob, carol);
    await messageIn(bob, "open house", "be kind");
    await tell(carol, "open house", "hello all");
    await messageIn(bob, "open house", "hello all");
    // The host has told who it is.
    expect((await memberOf(bob, "open house", "Alice")).profile.displayName).toBe("Alice");
    expect(await bob.chat.contacts.list(bob.user.id)).toEqual([]);
    await expect(bob.chat.groups.connect(bob.user.id, link.shortLink ?? "")).rejects.toThrow(/already/u);
    await alice.chat.groups.update(id, { displayName: "closed house" });
    await alice.until("the new name behind the link", async () => (await alice.chat.groups.link(id))?.isStale === false);
    const dave = await talker("Dave");
    expect(await dave.chat.links.look(dave.user.id, link.shortLink ?? "")).toMatchObject({ data: { groupProfile: { displayName: "closed house" } } });
    await alice.chat.groups.deleteLink(id);
    await dave.until("the end of the link", () => dave.chat.links.look(dave.user.id, link.shortLink ?? "").then(() => false, () => true));
    await expect(dave.chat.groups.connect(dave.user.id, link.shortLink ?? "")).rejects.toThrow();
    expect(await dave.chat.groups.list(dave.user.id)).toEqual([]);
  });

  it("leads to a random name where that is wanted, and gives the role that it was made for", async () => {
    const [alice, bob] = [await talker("Alice"), await talker("Bob")];
    const { id } = await alice.chat.groups.create(alice.user.id, { displayName: "g", fullName: "" });
    const { link } = await alice.chat.groups.createLink(id, "observer");
    await bob.chat.groups.connect(bob.user.id, link, { incognito: true });
    const group = await joinedGroup(bob, "g");
    expect(group).toMatchObject({ role: "observer" });
    const [member] = await alice.until("the member", async () => {
      const members = await alice.chat.groups.members(id);
      return members[0]?.status === "connected" ? members : null;
    });
    expect(member?.profile.displayName).toBe(group.incognito?.displayName);
    expect(JSON.stringify(await alice.mortal.store.list("chat.members"))).not.toContain("Bob");
  });

  it("shows new members what was said before, where the group has that", async () => {
    const [alice, bob, carol] = [await talker("Alice"), await talker("Bob"), await talker("Carol")];
    await circle("g", alice, bob);
    const { id } = await groupOf(alice, "g");
    await tell(bob, "g", "first words");
    await messageIn(alice, "g", "first words");
    await tell(alice, "g", "second words");
    const { link } = await alice.chat.groups.createLink(id);
    await carol.chat.groups.connect(carol.user.id, link);
    await together("g", alice, bob, carol);
    await messageIn(carol, "g", "second words");
    expect(await textsIn(carol, "g")).toEqual(["first words", "second words"]);
    const old = await messageIn(carol, "g", "first words");
    expect(old.member).toBe((await memberOf(carol, "g", "Bob")).id);
    await alice.chat.groups.setPreferences(id, { history: { enable: "off" } });
    const dave = await talker("Dave");
    await dave.chat.groups.connect(dave.user.id, link);
    await together("g", alice, bob, carol, dave);
    await tell(bob, "g", "third words");
    await messageIn(dave, "g", "third words");
    expect(await textsIn(dave, "g")).toEqual(["third words"]);
  });
});

async function bringFriend(host: Talker, guest: Talker): Promise<void> {
  await befriend(host, guest);
  await bring(host, guest, "g");
}

describe("five people", () => {
  it("meet by a link and by invitations, and the relay goes down in the middle", async () => {
    expectError(/CONNECT|DISCONNECTED|TIMEOUT|ended|reach|connect/iu);
    const names = ["Alice", "Bob", "Carol", "Dave", "Eve"];
    const people = await Promise.all(names.map((name) => talker(name)));
    const [alice, bob, carol, dave, eve] = people;
    if (!alice || !bob || !carol || !dave || !eve) throw new Error("somebody is missing");
    await circle("g", alice, bob, carol);
    const { id } = await groupOf(alice, "g");
    await alice.chat.groups.setRole(id, (await memberOf(alice, "g", "Bob")).id, "admin");
    await bob.until("the role", async () => (await groupOf(bob, "g")).role === "admin");
    const { link } = await bob.chat.groups.createLink((await groupOf(bob, "g")).id);
    await restartRelay();
    // At the same time, by two hosts.
    await Promise.all([
      dave.chat.groups.connect(dave.user.id, link),
      bringFriend(alice, eve),
    ]);
    await Promise.all([joinedGroup(dave, "g"), joinedGroup(eve, "g")]);
    await Promise.all(people.map((one) => tell(one, "g", `early word of ${one.name}`)));
    await restartRelay();
    await together("g", ...people);
    await Promise.all(people.map((one) => tell(one, "g", `word of ${one.name}`)));
    for (const one of people) {
      for (const other of people) await messageIn(one, "g", `word of ${other.name}`);
      const texts = await textsIn(one, "g");
      expect(new Set(texts).size).toBe(texts.length);
    }
    await eventIn(carol, "g", "memberJoined", "Dave");
    await bob.chat.groups.remove((await groupOf(bob, "g")).id, (await memberOf(bob, "g", "Eve")).id);
    for (const one of [alice, carol, dave]) await memberWho(one, "g", "Eve", ({ status }) => status === "removed");
    await eve.until("being removed", async () => (await groupOf(eve, "g")).status === "removed");
  }, 120_000);
});
