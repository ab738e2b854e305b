import { describe, expect, it } from "vitest";
import { compose, deleteForAll, edit, react } from "../../../../client/chat/rules/compose.ts";
import { setContact, setPreferences } from "../../../../client/chat/rules/contacts.ts";
import { firstWaiting, handingOver } from "../../../../client/chat/rules/outbox.ts";
import { contactOf, itemOf } from "../../../../client/chat/rules/records.ts";
import { TABLE } from "../../../../client/chat/tables.ts";
import type { MsgContent } from "../../../../client/chat/wire/content.ts";
import { DELETE_WINDOW, EDIT_WINDOW } from "../../../../client/chat/wire/rules/limits.ts";
import { RuleWorld } from "./world.ts";

const text = (words: string): MsgContent => ({ type: "text", text: words });

describe("writing", () => {
  it("stores the item and the message that goes out in one step", async () => {
    const world = await RuleWorld.open();
    const item = await world.run((step) => compose(step, "c", text("hello")));
    expect(world.last.effects).toContainEqual({ type: "send", contact: "c" });
    const [outgoing] = await world.run((step) => step.list(TABLE.outbox));
    expect(outgoing).toMatchObject({ item: item.id, message: { msgId: item.msgId, event: { type: "x.msg.new", params: { content: text("hello") } } } });
  });

  it("changes nothing when it refuses", async () => {
    const world = await RuleWorld.open();
    const refused = [
      [text(""), "CONTENT"], [text("x".repeat(20_000)), "LARGE"],
      [{ type: "image", text: "", image: "x".repeat(14_001) }, "LARGE"], [{ type: "file", text: "" }, "CONTENT"],
    ] as const;
    for (const [content, refusal] of refused) {
      await expect(world.run((step) => compose(step, "c", content))).rejects.toMatchObject({ refusal });
    }
    expect(await world.store.list(TABLE.items.name)).toEqual([]);
    expect(await world.store.list(TABLE.outbox.name)).toEqual([]);
  });

  it("refuses what the two sides have not agreed on", async () => {
    const world = await RuleWorld.open();
    await world.run((step) => setPreferences(step, "c", { voice: { allow: "no" }, reactions: { allow: "no" }, timedMessages: { allow: "no" } }));
    const file = { type: "inline", name: "voice.m4a", bytes: new Uint8Array(10) } as const;
    const voice = { type: "voice", text: "", duration: 3 } as const;
    await expect(world.run((step) => compose(step, "c", voice, {}, file))).rejects.toMatchObject({ refusal: "FEATURE" });
    await expect(world.run((step) => compose(step, "c", text("gone soon"), { ttl: 60 }))).rejects.toMatchObject({ refusal: "FEATURE" });
    const item = await world.run((step) => compose(step, "c", text("hello")));
    await expect(world.run((step) => react(step, item.id, "👍", true))).rejects.toMatchObject({ refusal: "FEATURE" });
  });

  it("lets messages be edited and deleted for both for 24 hours", async () => {
    const world = await RuleWorld.open();
    const item = await world.run((step) => compose(step, "c", text("hello")));
    await world.run(async (step) => (await handingOver(step, "c", await firstWaiting(step, "c", 1)))(1));
    world.now += EDIT_WINDOW - 1;
    await world.run((step) => edit(step, item.id, text("hullo")));
    world.now += 1;
    await expect(world.run((step) => edit(step, item.id, text("hallo")))).rejects.toMatchObject({ refusal: "PROHIBITED" });
    await expect(world.run((step) => deleteForAll(step, item.id))).rejects.toMatchObject({ refusal: "PROHIBITED" });
    world.now -= EDIT_WINDOW - DELETE_WINDOW + 1;
    await world.run((step) => deleteForAll(step, item.id));
    expect(await world.run((step) => itemOf(step, item.id))).toMatchObject({ deletedAt: world.now, body: { container: { content: text("hullo") } } });
  });

  it("takes three reactions to one message, of the known emoji", async () => {
    const world = await RuleWorld.open();
    const { id } = await world.run((step) => compose(step, "c", text("hello")));
    for (const emoji of ["👍", "😀", "❤️", "👍"]) await world.run((step) => react(step, id, emoji, true));
    await expect(world.run((step) => react(step, id, "🚀", true))).rejects.toMatchObject({ refusal: "PROHIBITED" });
    await expect(world.run((step) => react(step, id, "🦊", true))).rejects.toMatchObject({ refusal: "CONTENT" });
    await world.run((step) => react(step, id, "👍", false));
    const { reactions } = await world.run((step) => react(step, id, "🚀", true));
    expect(reactions.map(({ reaction }) => (reaction.type === "emoji" ? reaction.emoji : "?"))).toEqual(["😀", "❤", "🚀"]);
  });
});

describe("names of contacts", () => {
  it("are unique, and an alias of another one is refused", async () => {
    const world = await RuleWorld.open();
    const second = await world.run((step) => world.contact(step, "d", "Bob"));
    expect(second.name).toBe("Bob_1");
    await expect(world.run((step) => setContact(step, "d", { alias: "Bob" }))).rejects.toMatchObject({ refusal: "PROHIBITED" });
    await expect(world.run((step) => setContact(step, "d", { alias: "#group" }))).rejects.toMatchObject({ refusal: "CONTENT" });
    await world.run((step) => setContact(step, "d", { alias: "Robert" }));
    await world.run((step) => setContact(step, "d", { alias: null }));
    expect(await world.run((step) => contactOf(step, "d"))).toMatchObject({ name: "Bob_1", alias: null });
  });
});
