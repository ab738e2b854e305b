import { describe, expect, it } from "vitest";
import { bring, circle, eventIn, groupOf, memberOf, memberWho, messageIn, tell, textsIn, together } from "./circle.ts";
import { befriend } from "./talker.ts";
import { world } from "./world.ts";

const { talker, expectError } = world();

describe("a group of three", () => {
  it("comes to be, and everybody hears everybody", async () => {
    const [alice, bob, carol] = [await talker("Alice"), await talker("Bob"), await talker("Carol")];
    await circle("book club", alice, bob, carol);
    for (const one of [alice, bob, carol]) await tell(one, "book club", `hello from ${one.name}`);
    for (const one of [alice, bob, carol]) {
      for (const other of [alice, bob, carol]) await messageIn(one, "book club", `hello from ${other.name}`);
      expect(await textsIn(one, "book club")).toHaveLength(3);
    }
    const heard = await messageIn(carol, "book club", "hello from Bob");
    expect(heard.member).toBe((await memberOf(carol, "book club", "Bob")).id);
    const said = await messageIn(bob, "book club", "hello from Bob", ({ status }) => status.type === "delivered");
    const deliveries = await bob.chat.history.deliveries(said.id);
    expect(deliveries.map(({ status }) => status.type)).toEqual(["delivered", "delivered"]);
  });

  it("edits, reacts, quotes, mentions and deletes", async () => {
    const [alice, bob, carol] = [await talker("Alice"), await talker("Bob"), await talker("Carol")];
    await circle("g", alice, bob, carol);
    const { id: chat } = await groupOf(bob, "g");
    const said = await tell(bob, "g", "fist");
    await bob.chat.messages.edit(said.id, "first");
    const seen = await messageIn(carol, "g", "first", ({ isEdited }) => isEdited);
    await carol.chat.messages.react(seen.id, "👍");
    await messageIn(bob, "g", "first", ({ reactions }) => reactions.length === 1);
    const atAlice = await messageIn(alice, "g", "first", ({ reactions }) => reactions.length === 1);
    expect(atAlice.reactions[0]?.member).toBe((await memberOf(alice, "g", "Carol")).id);
    const { id: carolsChat } = await groupOf(carol, "g");
    await carol.chat.messages.send(carolsChat, "indeed", { quote: seen.id });
    const quoting = await messageIn(alice, "g", "indeed");
    expect(quoting.body.container.quote).toMatchObject({ content: { text: "first" }, msgRef: { sent: false, msgId: said.msgId } });
    const mentioned = await memberOf(bob, "g", "Alice");
    await bob.chat.messages.send(chat, "@Alice look", { mentions: [mentioned.id] });
    const mention = await messageIn(alice, "g", "@Alice look");
    expect(mention.body.container.mentions?.map(({ name }) => name)).toEqual(["Alice"]);
    await bob.chat.messages.delete(said.id, "everyone");
    await messageIn(carol, "g", "first", ({ deletedAt }) => deletedAt !== null);
    await messageIn(alice, "g", "first", ({ deletedAt }) => deletedAt !== null);
  });
});

describe("members who are not connected yet", () => {
  it("get what is said from who let them in, once", async () => {
    const [alice, bob, carol] = [await talker("Alice"), await talker("Bob"), await talker("Carol")];
    await circle("g", alice, bob);
    await befriend(alice, carol);
    await bob.stop();
    await bring(alice, carol, "g");
    // Bob is not there to answer, so that Alice passes this on.
    await tell(carol, "g", "is Bob here?");
    await messageIn(alice, "g", "is Bob here?");
    await bob.start();
    await messageIn(bob, "g", "is Bob here?");
    await together("g", alice, bob, carol);
    await tell(bob, "g", "here I am");
    await messageIn(carol, "g", "here I am");
    await tell(carol, "g", "good");
    await messageIn(bob, "g", "good");
    expect(await textsIn(bob, "g")).toEqual(["is Bob here?", "here I am", "good"]);
    const passedOn = await messageIn(bob, "g", "is Bob here?");
    expect(passedOn.member).toBe((await memberOf(bob, "g", "Carol")).id);
  });
});

describe("roles", () => {
  it("are given by admins and obeyed by all", async () => {
    const [alice, bob, carol] = [await talker("Alice"), await talker("Bob"), await talker("Carol")];
    await circle("g", alice, bob, carol);
    const { id } = await groupOf(alice, "g");
    await alice.chat.groups.setRole(id, (await memberOf(alice, "g", "Bob")).id, "moderator");
    await memberWho(carol, "g", "Bob", ({ role }) => role === "moderator");
    await bob.until("the role", async () => (await groupOf(bob, "g")).role === "moderator");
    await tell(carol, "g", "spam");
    const spam = await messageIn(bob, "g", "spam");
    await bob.chat.messages.delete(spam.id, "everyone");
    await messageIn(alice, "g", "spam", ({ deletedAt, deletedBy }) => deletedAt !== null && deletedBy !== null);
    await messageIn(carol, "g", "spam", ({ deletedAt }) => deletedAt !== null);
    await alice.chat.groups.setRole(id, (await memberOf(alice, "g", "Carol")).id, "observer");
    await carol.until("the role", async () => (await groupOf(carol, "g")).role === "observer");
    await expect(tell(carol, "g", "more spam")).rejects.toThrow(/you are observer/u);
    const [aliceAtBob, bobsGroup] = [await memberOf(bob, "g", "Alice"), await groupOf(bob, "g")];
    await expect(bob.chat.groups.remove(bobsGroup.id, aliceAtBob.id)).rejects.toThrow(/takes the role/u);
  });
});

describe("leaving", () => {
  it("is told to all, and the history stays", async () => {
    // Of what came just before the queues went.
    expectError(/did not take the receipt/u);
    const [alice, bob, carol] = [await talker("Alice"), await talker("Bob"), await talker("Carol")];
    await circle("g", alice, bob, carol);
    await tell(bob, "g", "farewell");
    await messageIn(carol, "g", "farewell");
    await bob.chat.groups.leave((await groupOf(bob, "g")).id);
    await memberWho(alice, "g", "Bob", ({ status }) => status === "left");
    await memberWho(carol, "g", "Bob", ({ status }) => status === "left");
    await eventIn(carol, "g", "memberLeft", "Bob");
    expect((await groupOf(bob, "g")).status).toBe("left");
    await expect(tell(bob, "g", "still here?")).rejects.toThrow(/not a member/u);
    await tell(alice, "g", "just us");
    await messageIn(carol, "g", "just us");
    expect(await textsIn(bob, "g")).toEqual(["farewell"]);
    await bob.chat.groups.delete((await groupOf(bob, "g")).id);
    await bob.happened("groupDeleted");
    expect(await bob.chat.groups.list(bob.user.id)).toEqual([]);
  });

  it("happens to who is removed", async () => {
    const [alice, bob, carol] = [await talker("Alice"), await talker("Bob"), await talker("Carol")];
    await circle("g", alice, bob, carol);
    await tell(carol, "g", "nonsense");
    await messageIn(bob, "g", "nonsense");
    await messageIn(alice, "g", "nonsense");
    await alice.chat.groups.remove((await groupOf(alice, "g")).id, (await memberOf(alice, "g", "Carol")).id, { messages: true });
    await carol.until("being removed", async () => (await groupOf(carol, "g")).status === "removed");
    await memberWho(bob, "g", "Carol", ({ status }) => status === "removed");
    await messageIn(bob, "g", "nonsense", ({ deletedAt }) => deletedAt !== null);
    await eventIn(carol, "g", "removed");
    await tell(alice, "g", "calm again");
    await messageIn(bob, "g", "calm again");
    expect(await textsIn(carol, "g")).not.toContain("calm again");
  });

  it("ends the group for all when the owner deletes it", async () => {
    const [alice, bob, carol] = [await talker("Alice"), await talker("Bob"), await talker("Carol")];
    await circle("g", alice, bob, carol);
    await alice.chat.groups.delete((await groupOf(alice, "g")).id);
    for (const one of [bob, carol]) {
      await one.until("the end", async () => (await groupOf(one, "g")).status === "deleted");
      await eventIn(one, "g", "groupDeleted");
    }
    await alice.happened("groupDeleted");
    expect((await alice.chat.history.conversations(alice.user.id)).map(({ group }) => group).filter(Boolean)).toEqual([]);
  });
});

describe("the profile of a group", () => {
  it("is changed by the owner alone, and its settings hold", async () => {
    const [alice, bob] = [await talker("Alice"), await talker("Bob")];
    await circle("g", alice, bob);
    const { id } = await groupOf(alice, "g");
    await alice.chat.groups.update(id, { displayName: "better name" });
    const renamed = await groupOf(bob, "better name");
    await expect(bob.chat.groups.update(renamed.id, { displayName: "mine" })).rejects.toThrow(/takes the role owner/u);
    await alice.chat.groups.setPreferences(id, { reactions: { enable: "off" }, simplexLinks: { enable: "on", role: "admin" } });
    await bob.until("the settings", async () => (await bob.chat.groups.get(renamed.id)).profile.groupPreferences?.reactions?.enable === "off");
    await tell(alice, "better name", "quiet");
    const quiet = await messageIn(bob, "better name", "quiet");
    await expect(bob.chat.messages.react(quiet.id, "👍")).rejects.toThrow(/reactions are not allowed/u);
    await expect(tell(bob, "better name", "see simplex:/contact#/?v=2")).rejects.toThrow(/links are not allowed/u);
    await eventIn(bob, "better name", "groupUpdated", "better name");
  });
});

describe("members", () => {
  it("are told of a new name before the next message, and are blocked", async () => {
    const [alice, bob, carol] = [await talker("Alice"), await talker("Bob"), await talker("Carol")];
    await circle("g", alice, bob, carol);
    await bob.chat.users.update(bob.user.id, { displayName: "Robert" });
    await tell(bob, "g", "me again");
    await memberOf(carol, "g", "Robert");
    await messageIn(carol, "g", "me again");
    const groupAtCarol = await groupOf(carol, "g");
    await carol.chat.groups.setMember(groupAtCarol.id, (await memberOf(carol, "g", "Robert")).id, { isBlocked: true });
    await tell(bob, "g", "unheard");
    await messageIn(alice, "g", "unheard");
    const { id } = await groupOf(alice, "g");
    await alice.chat.groups.setMember(id, (await memberOf(alice, "g", "Carol")).id, { isRestricted: true });
    await memberWho(bob, "g", "Carol", ({ isRestricted }) => isRestricted);
    await tell(carol, "g", "unheard as well");
    await tell(alice, "g", "last");
    await messageIn(bob, "g", "last");
    await messageIn(carol, "g", "last");
    expect(await textsIn(carol, "g")).toEqual(["me again", "unheard as well", "last"]);
    expect(await textsIn(alice, "g")).toEqual(["me again", "unheard", "last"]);
    expect(await textsIn(bob, "g")).toEqual(["me again", "unheard", "last"]);
  });
});

describe("members", () => {
  it("become contacts where the group allows it, also when both ask at once", async () => {
    const [alice, bob, carol] = [await talker("Alice"), await talker("Bob"), await talker("Carol")];
    await circle("g", alice, bob, carol);
    const [carolAtBob, bobAtCarol] = [await memberOf(bob, "g", "Carol"), await memberOf(carol, "g", "Bob")];
    const allow = async (enable: "on" | "off"): Promise<void> => {
      await alice.chat.groups.setPreferences((await groupOf(alice, "g")).id, { directMessages: { enable } });
      for (const one of [bob, carol]) {
        await one.until("the setting", async () => (await groupOf(one, "g")).profile.groupPreferences?.directMessages?.enable === enable);
      }
    };
    await allow("off");
    await expect(bob.chat.groups.contact(carolAtBob.id)).rejects.toThrow(/not allowed/u);
    await allow("on");
    await Promise.all([bob.chat.groups.contact(carolAtBob.id, "psst, Carol"), carol.chat.groups.contact(bobAtCarol.id, "psst, Bob")]);
    await Promise.all([bob.friend("Carol"), carol.friend("Bob")]);
    await carol.message("Bob", "psst, Carol");
    await bob.message("Carol", "psst, Bob");
    await bob.say("Carol", "between us");
    await carol.message("Bob", "between us");
    expect((await bob.chat.groups.contact(carolAtBob.id)).id).toBe((await bob.friend("Carol")).id);
    expect(await bob.chat.contacts.list(bob.user.id)).toHaveLength(2);
    expect(await textsIn(alice, "g")).toEqual([]);
  });
});

describe("an invitation", () => {
  it("is taken back, declined, and given again", async () => {
    const [alice, bob] = [await talker("Alice"), await talker("Bob")];
    await befriend(alice, bob);
    const { id } = await alice.chat.groups.create(alice.user.id, { displayName: "g", fullName: "" });
    const contact = (await alice.friend("Bob")).id;
    const first = await alice.chat.groups.invite(id, contact);
    expect((await alice.chat.groups.invite(id, contact, "admin")).id).toBe(first.id);
    await bob.until("the role", async () => (await groupOf(bob, "g")).role === "admin");
    await bob.event("Alice", "invited");
    expect(await bob.chat.groups.list(bob.user.id)).toHaveLength(1);
    await bob.chat.groups.delete((await groupOf(bob, "g")).id);
    await alice.chat.groups.remove(id, first.id);
    expect(await alice.chat.groups.members(id)).toEqual([]);
    await bring(alice, bob, "g");
    await together("g", alice, bob);
  });
});
