import { describe, expect, it } from "vitest";
import type { Item } from "../../../../client/chat/records.ts";
import { compose, deleteForAll, deleteForSelf, edit } from "../../../../client/chat/rules/compose.ts";
import { setPreferences } from "../../../../client/chat/rules/contacts.ts";
import { clearConversation, removeItem } from "../../../../client/chat/rules/items.ts";
import { doubt, firstWaiting, handingOver } from "../../../../client/chat/rules/outbox.ts";
import { TABLE } from "../../../../client/chat/tables.ts";
import { DELETE_WINDOW } from "../../../../client/chat/wire/rules/limits.ts";
import { RuleWorld } from "./world.ts";

const write = (world: RuleWorld, words: string): Promise<Item> =>
  world.run((step) => compose(step, "c", { type: "text", text: words }));

/** The kinds of what waits for the contact. */
async function waiting(world: RuleWorld): Promise<string[]> {
  return (await world.run((step) => firstWaiting(step, "c", 100))).map(({ message }) => message?.event.type ?? "chunk");
}

/** The agent takes all that waits. */
function handOver(world: RuleWorld): Promise<void> {
  return world.run(async (step) => (await handingOver(step, "c", await firstWaiting(step, "c", 100)))(1));
}

const change = (world: RuleWorld, item: Item, text: string): Promise<Item> =>
  world.run((step) => edit(step, item.id, { type: "text", text }));

describe("a message that waits", () => {
  it.each([
    ["deleted", (world: RuleWorld, { id }: Item) => world.run((step) => deleteForSelf(step, id))],
    ["deleted for both", (world: RuleWorld, { id }: Item) => world.run((step) => deleteForAll(step, id))],
    ["expired", (world: RuleWorld, { id }: Item) => world.run((step) => removeItem(step, id))],
    ["cleared", (world: RuleWorld) => world.run((step) => clearConversation(step, "c"))],
  ] as const)("is not sent once it is %s, nor are its edits", async (_, remove) => {
    const world = await RuleWorld.open();
    const item = await write(world, "not meant so");
    await change(world, item, "not meant like that");
    await remove(world, item);
    expect(await waiting(world)).toEqual([]);
    expect(await world.run((step) => step.list(TABLE.items))).toEqual([]);
    expect(await world.store.list(TABLE.waiting.name)).toEqual([]);
  });

  it("takes only its own edits with it", async () => {
    const world = await RuleWorld.open();
    const [first, second] = [await write(world, "first"), await write(world, "second")];
    await change(world, second, "the second");
    await world.run((step) => deleteForSelf(step, first.id));
    expect(await waiting(world)).toEqual(["x.msg.new", "x.msg.update"]);
  });

  it("can be taken back however old it is, though fully deleting was not agreed on", async () => {
    const world = await RuleWorld.open();
    const item = await write(world, "for somebody who is away for long");
    world.now += DELETE_WINDOW;
    await world.run((step) => deleteForAll(step, item.id));
    expect(await world.run((step) => step.list(TABLE.items))).toEqual([]);
  });

  it("and may have gone before the program was killed is deleted on the other side too", async () => {
    const world = await RuleWorld.open();
    const item = await write(world, "perhaps sent");
    await world.run((step) => doubt(step, "c", 50));
    await world.run((step) => deleteForAll(step, item.id));
    expect(await waiting(world)).toEqual(["x.msg.del"]);
  });
});

describe("a message that the agent has", () => {
  it("is deleted on the other side; edits that still wait are not sent before", async () => {
    const world = await RuleWorld.open();
    await world.run((step) => setPreferences(step, "c", { fullDelete: { allow: "always" } }));
    const item = await write(world, "sent");
    await handOver(world);
    expect(await world.store.list(TABLE.waiting.name)).toEqual([]);
    await change(world, item, "sent, and corrected");
    await world.run((step) => deleteForAll(step, item.id));
    expect(await waiting(world)).toEqual(["x.msg.del"]);
  });
});
