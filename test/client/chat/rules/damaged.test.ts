import { describe, expect, it } from "vitest";
import { utf8 } from "#crypto/bytes";
import { randomBytes } from "#crypto/random";
import { Agent } from "../../../../client/agent/agent.ts";
import { Chat } from "../../../../client/chat/chat.ts";
import { compose, deleteForSelf } from "../../../../client/chat/rules/compose.ts";
import { eraseContact, leaveContact } from "../../../../client/chat/rules/contacts.ts";
import { deleteMessagesOf } from "../../../../client/chat/rules/group/changes.ts";
import { createGroup } from "../../../../client/chat/rules/group/invite.ts";
import { addMember, groupOf } from "../../../../client/chat/rules/group/records.ts";
import { memberBodyReceived, memberWantsReceipt } from "../../../../client/chat/rules/group/receive.ts";
import { addEvent, beginConversation, clearConversation, markRead } from "../../../../client/chat/rules/items.ts";
import { firstWaiting, handingOver } from "../../../../client/chat/rules/outbox.ts";
import { conversationOf, itemOf, userOf } from "../../../../client/chat/rules/records.ts";
import { TABLE, type Table } from "../../../../client/chat/tables.ts";
import { notesOf } from "../../../../client/chat/users.ts";
import { MemoryStore } from "../../../../client/store/memory.ts";
import { SealedStore } from "../../../../client/store/sealed.ts";
import { zstd } from "../wire/platform-zstd.ts";
import { GroupWorld, said, text } from "./group-world.ts";
import { RuleWorld, START } from "./world.ts";

const spoil = (world: RuleWorld, table: Table<unknown>, key: string): Promise<void> =>
  world.store.write([{ table: table.name, key, value: utf8("nonsense") }]);

const errors = (world: RuleWorld): unknown[] => world.last.events.filter(({ type }) => type === "error");

/** Three messages, of which the second disappears and cannot be read. */
async function damaged(): Promise<{ readonly world: RuleWorld; readonly item: string }> {
  const world = await RuleWorld.open();
  await world.run((step) => compose(step, "c", { type: "text", text: "one" }));
  const { id } = await world.run((step) => compose(step, "c", { type: "text", text: "two" }, { ttl: 60 }));
  await world.run((step) => addEvent(step, "c", "lost", "1"));
  await spoil(world, TABLE.items, id);
  return { world, item: id };
}

describe("damaged records of a sealed store", () => {
  it("go with their conversation and with their contact, as they are not opened for that", async () => {
    const disk = new MemoryStore();
    const world = await RuleWorld.over(new SealedStore(disk, randomBytes(32)));
    const { id } = await world.run((step) => compose(step, "c", { type: "text", text: "one" }, { ttl: 60 }));
    await world.run((step) => step.put(TABLE.bindings, "connection-c", { kind: "contact", id: "c", lastItem: 0 }));
    for (const table of [TABLE.items, TABLE.expiry, TABLE.shared, TABLE.outbox, TABLE.waiting, TABLE.contacts]) {
      for (const key of await disk.keys(table.name)) await disk.write([{ table: table.name, key, value: utf8("nonsense") }]);
    }
    await expect(world.run((step) => step.read(TABLE.items, id))).rejects.toMatchObject({ code: "DAMAGED" });
    await world.run((step) => leaveContact(step, "c", true));
    for (const table of [TABLE.items, TABLE.expiry, TABLE.shared, TABLE.outbox, TABLE.waiting, TABLE.contacts, TABLE.bindings]) {
      expect(await disk.keys(table.name), table.name).toEqual([]);
    }
  });
});

describe("a damaged item", () => {
  it("can be deleted, and the conversation then ends where it should", async () => {
    const { world, item } = await damaged();
    const [, , last] = (await world.store.list(TABLE.items.name)).map(({ key }) => key);
    await world.run((step) => deleteForSelf(step, last ?? ""));
    expect(await world.run((step) => conversationOf(step, "c"))).toMatchObject({ lastItem: item });
    await world.run((step) => deleteForSelf(step, item));
    expect(errors(world)).toHaveLength(1);
    expect(await world.run((step) => conversationOf(step, "c"))).toMatchObject({ lastItem: "c/000000000001" });
    await expect(world.run((step) => deleteForSelf(step, item))).rejects.toMatchObject({ refusal: "NOT_FOUND" });
  });

  it("goes with its conversation and with its contact, and leaves nothing", async () => {
    const { world } = await damaged();
    await world.run((step) => clearConversation(step, "c"));
    for (const table of [TABLE.items, TABLE.expiry, TABLE.shared, TABLE.outbox, TABLE.waiting]) {
      expect(await world.store.list(table.name), table.name).toEqual([]);
    }
    const again = await damaged();
    await again.world.run((step) => leaveContact(step, "c", false));
    await again.world.run((step) => eraseContact(step, "c"));
    for (const table of [TABLE.items, TABLE.expiry, TABLE.shared, TABLE.outbox, TABLE.waiting, TABLE.conversations, TABLE.contacts]) {
      expect(await again.world.store.list(table.name), table.name).toEqual([]);
    }
  });

  it("does not keep messages from being sent: handing them over needs nothing of it", async () => {
    const { world } = await damaged();
    await world.run(async (step) => (await handingOver(step, "c", await firstWaiting(step, "c", 10)))(5));
    expect(await world.store.list(TABLE.outbox.name)).toEqual([]);
  });
});

describe("a damaged message of the outbox", () => {
  it("is given up, and those behind it go", async () => {
    const { world } = await damaged();
    const [first] = (await world.store.list(TABLE.outbox.name)).map(({ key }) => key);
    await spoil(world, TABLE.outbox, first ?? "");
    const waiting = await world.run((step) => firstWaiting(step, "c", 1));
    expect(waiting).toMatchObject([{ message: { event: { params: { content: { text: "two" } } } } }]);
    expect(errors(world)).toHaveLength(1);
  });
});

describe("a chat with damaged records", () => {
  it("starts, tells of them, and has all others", async () => {
    const disk = new MemoryStore();
    const store = new SealedStore(disk, randomBytes(32));
    const world = await RuleWorld.over(store);
    await world.run((step) => world.contact(step, "d", "Dan"));
    const user = await world.run((step) => userOf(step, "u"));
    const group = await world.run((step) => createGroup(step, user, { displayName: "lost", fullName: "" }));
    await world.run((step) => createGroup(step, user, { displayName: "kept", fullName: "" }));
    const member = await world.run((step) => addMember(step, group.id, {
      role: "member", profile: { displayName: "Eve", fullName: "" }, category: "invitee", status: "connected",
    }));
    await world.run((step) => beginConversation(step, notesOf("u"), "u", "notes"));
    await world.run((step) => step.put(TABLE.users, "gone", { ...user, id: "gone", isLeaving: true }));
    const spoilt = [[TABLE.contacts, "c"], [TABLE.groups, group.id], [TABLE.members, member.id], [TABLE.settings, "making"]] as const;
    for (const [{ name }, key] of spoilt) await disk.write([{ table: name, key, value: utf8("nonsense") }]);
    const agent = await Agent.open({ store, servers: [] });
    const chat = await Chat.open({ agent, store, compression: zstd });
    expect((await chat.contacts.list("u")).map(({ name }) => name)).toEqual(["Dan"]);
    expect((await chat.groups.list("u")).map(({ name }) => name)).toEqual(["kept"]);
    expect((await chat.users.list()).map(({ id }) => id)).toEqual(["u"]);
    expect(await chat.history.conversations("u")).toHaveLength(5);
    const note = async (words: string): Promise<string> => (await chat.messages.send(notesOf("u"), { type: "text", text: words })).id;
    const notes = [await note("one"), await note("two"), await note("three")];
    await disk.write([{ table: TABLE.items.name, key: notes[1] ?? "", value: utf8("nonsense") }]);
    expect((await chat.history.items(notesOf("u"), { limit: 2 })).map(({ id }) => id)).toEqual([notes[0], notes[2]]);
    expect((await chat.history.search("u", "e")).map(({ id }) => id)).toEqual([notes[2], notes[0]]);
    const told = new Set<string>();
    await chat.close();
    for await (const event of chat.events) if (event.type === "error") told.add(event.error.message);
    for (const [{ name }, key] of spoilt.slice(0, 3)) {
      expect([...told].some((message) => message.includes(key)), name).toBe(true);
    }
    await agent.close();
  });

  it("finds names for new contacts, and reads what members of a group say", async () => {
    const world = await GroupWorld.open();
    const [bob, carol] = [await world.member("Bob"), await world.member("Carol")];
    await world.run((step) => world.contact(step, "c", "Dan"));
    await spoil(world, TABLE.members, carol.id);
    await spoil(world, TABLE.contacts, "c");
    await world.run((step) => world.contact(step, "d", "Dan"));
    const body = utf8(JSON.stringify(said("x.msg.new", text("hello"))));
    const isReceipt = await world.run(async (step) => {
      await memberBodyReceived(step, bob.id, { body, sentAt: START, lost: 0 });
      return memberWantsReceipt(step, bob.id, body);
    });
    expect([await world.texts(), isReceipt]).toEqual([["hello"], true]);
    // However often it is come across in a step.
    expect(errors(world)).toHaveLength(0);
  });

  it("reads a conversation to its end, and has what a member wrote deleted", async () => {
    const { world } = await damaged();
    await world.run((step) => markRead(step, "c", null));
    expect(await world.run((step) => conversationOf(step, "c"))).toMatchObject({ unread: 0, readUpTo: "c/000000000003" });
    const group = await GroupWorld.open();
    const bob = await group.member("Bob");
    await group.receive(bob, said("x.msg.new", text("one")));
    await group.receive(bob, said("x.msg.new", text("two")));
    const [first] = await group.items();
    await spoil(group, TABLE.items, first?.id ?? "");
    await group.run(async (step) => deleteMessagesOf(step, await groupOf(step, group.group), bob.id, null));
    expect(errors(group)).toHaveLength(1);
    const second = (await group.store.keys(TABLE.items.name))[1] ?? "";
    expect(await group.run((step) => itemOf(step, second))).toMatchObject({ deletedAt: START });
  });
});

describe("a damaged contact", () => {
  it("can be deleted; its connection goes with it", async () => {
    const { world } = await damaged();
    await world.run((step) => step.put(TABLE.bindings, "connection-c", { kind: "contact", id: "c", lastItem: 0 }));
    await spoil(world, TABLE.contacts, "c");
    await world.run((step) => leaveContact(step, "c", true));
    expect(world.last.effects).toContainEqual({ type: "drop", connection: "connection-c" });
    expect(await world.store.list(TABLE.contacts.name)).toEqual([]);
    expect(await world.store.list(TABLE.items.name)).toEqual([]);
  });
});
