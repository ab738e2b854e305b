import { describe, expect, it } from "vitest";
import { utf8 } from "#crypto/bytes";
import { randomBytes } from "#crypto/random";
import { compose, deleteForSelf } from "../../../../client/chat/rules/compose.ts";
import { eraseContact, leaveContact } from "../../../../client/chat/rules/contacts.ts";
import { addEvent, clearConversation } from "../../../../client/chat/rules/items.ts";
import { firstWaiting, handingOver } from "../../../../client/chat/rules/outbox.ts";
import { conversationOf } from "../../../../client/chat/rules/records.ts";
import { TABLE, type Table } from "../../../../client/chat/tables.ts";
import { MemoryStore } from "../../../../client/store/memory.ts";
import { SealedStore } from "../../../../client/store/sealed.ts";
import { RuleWorld } from "./world.ts";

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
