import { describe, expect, it } from "vitest";
import { utf8 } from "#crypto/bytes";
import type { Item } from "../../../../client/chat/records.ts";
import { setPreferences } from "../../../../client/chat/rules/contacts.ts";
import { markRead } from "../../../../client/chat/rules/items.ts";
import { fateOf, firstWaiting, handingOver } from "../../../../client/chat/rules/outbox.ts";
import { bodyReceived, wantsReceipt } from "../../../../client/chat/rules/receive.ts";
import { conversationOf } from "../../../../client/chat/rules/records.ts";
import { folded, matches } from "../../../../client/chat/rules/search.ts";
import { compose } from "../../../../client/chat/rules/compose.ts";
import { TABLE } from "../../../../client/chat/tables.ts";
import { RECEIVED_DELETE_WINDOW } from "../../../../client/chat/wire/rules/limits.ts";
import { RuleWorld, START } from "./world.ts";

const ID = "YWFhYWFhYWFhYWFhYWFhYQ==";

function receive(world: RuleWorld, event: string, params: object, { msgId = ID, sentAt = START } = {}): Promise<void> {
  const body = utf8(JSON.stringify({ v: "1-16", msgId, event, params }));
  return world.run((step) => bodyReceived(step, "c", { body, sentAt, lost: 0 }));
}

const items = (world: RuleWorld): Promise<Item[]> => world.run((step) => step.list(TABLE.items));
const said = (text: string, more: object = {}): object => ({ content: { type: "text", text }, ...more });

describe("receiving", () => {
  it("obeys a deletion for 78 hours of the relay's time", async () => {
    const world = await RuleWorld.open();
    await receive(world, "x.msg.new", said("hello"));
    await receive(world, "x.msg.del", { msgId: ID }, { sentAt: START + RECEIVED_DELETE_WINDOW });
    expect(await items(world)).toMatchObject([{ deletedAt: null }]);
    await receive(world, "x.msg.del", { msgId: ID }, { sentAt: START + RECEIVED_DELETE_WINDOW - 1 });
    expect(await items(world)).toMatchObject([{ deletedAt: START }]);
    // What was deleted is not edited any more.
    await receive(world, "x.msg.update", { msgId: ID, ...said("back again") });
    expect(await items(world)).toMatchObject([{ isEdited: false }]);
  });

  it("removes the message where full deletion was agreed, with the unread mark and the history of edits", async () => {
    const world = await RuleWorld.open();
    await world.run((step) => setPreferences(step, "c", { fullDelete: { allow: "always" } }));
    await receive(world, "x.msg.new", said("hello"));
    await receive(world, "x.msg.update", { msgId: ID, ...said("hullo") });
    expect(await world.run((step) => conversationOf(step, "c"))).toMatchObject({ unread: 1 });
    await receive(world, "x.msg.del", { msgId: ID });
    expect((await items(world)).map(({ body }) => body.type)).toEqual(["event"]);
    expect(await world.store.list(TABLE.editions.name)).toEqual([]);
    expect(await world.store.list(TABLE.shared.name)).toEqual([]);
    expect(await world.run((step) => conversationOf(step, "c"))).toMatchObject({ unread: 0, lastItem: "c/000000000001" });
  });

  it("refuses voice where it was not agreed on", async () => {
    const world = await RuleWorld.open();
    await world.run((step) => setPreferences(step, "c", { voice: { allow: "no" } }));
    await receive(world, "x.msg.new", { content: { type: "voice", text: "", duration: 3 } });
    expect((await items(world)).at(-1)?.body).toMatchObject({ type: "event", event: "voiceRefused" });
  });

  it("starts the time of a disappearing message when it is read, if that was agreed on", async () => {
    const world = await RuleWorld.open();
    await receive(world, "x.msg.new", said("hello", { ttl: 60 }));
    expect(await items(world)).toMatchObject([{ ttl: 60, deleteAt: null }]);
    world.now += 5000;
    await world.run((step) => markRead(step, "c", null));
    expect(world.last.effects).toContainEqual({ type: "expire" });
    expect(await items(world)).toMatchObject([{ deleteAt: START + 65_000, status: { type: "read" } }]);
    await world.run((step) => setPreferences(step, "c", { timedMessages: { allow: "no" } }));
    await receive(world, "x.msg.new", said("to stay", { ttl: 60 }), { msgId: "YmJi" });
    expect((await items(world)).at(-1)).toMatchObject({ ttl: null });
  });

  it("reduces the name of a file, and raises the version of the contact but never lowers it", async () => {
    const world = await RuleWorld.open();
    const file = { fileName: "../../etc/passwd", fileSize: 5 };
    await receive(world, "x.msg.new", { content: { type: "file", text: "" }, file });
    expect(await items(world)).toMatchObject([{ body: { container: { file: { fileName: "passwd" } } } }]);
    const older = utf8(JSON.stringify({ event: "x.ok", params: {} }));
    await world.run((step) => bodyReceived(step, "c", { body: older, sentAt: START, lost: 0 }));
    expect(await world.run((step) => step.read(TABLE.contacts, "c"))).toMatchObject({ version: 16 });
  });

  it("wants a receipt for messages and for nothing else, as the user wants it", async () => {
    const world = await RuleWorld.open();
    const body = (event: string, params: object): Uint8Array => utf8(JSON.stringify([{ event, params }]));
    const message = body("x.msg.new", said("hello"));
    expect(await world.run((step) => wantsReceipt(step, "c", message))).toBe(true);
    expect(await world.run((step) => wantsReceipt(step, "c", body("x.msg.del", { msgId: ID })))).toBe(false);
    await world.run(async (step) => {
      const contact = await step.read(TABLE.contacts, "c");
      if (contact) step.put(TABLE.contacts, "c", { ...contact, receipts: false });
    });
    expect(await world.run((step) => wantsReceipt(step, "c", message))).toBe(false);
  });
});

describe("the fate of a message", () => {
  it("never goes back: a relay's answer after the receipt changes nothing", async () => {
    const world = await RuleWorld.open();
    const item = await world.run((step) => compose(step, "c", { type: "text", text: "hello" }));
    await world.run(async (step) => {
      const waiting = await firstWaiting(step, "c", 10);
      expect(waiting).toMatchObject([{ item: item.id }]);
      (await handingOver(step, "c", waiting))(7);
    });
    expect(await world.store.list(TABLE.outbox.name)).toEqual([]);
    expect(await items(world)).toMatchObject([{ status: { type: "sending" } }]);
    await world.run((step) => fateOf(step, "c", 7, { type: "delivered", isIntact: true }, false));
    await world.run((step) => fateOf(step, "c", 7, { type: "sent", isProxied: true }, false));
    expect(await items(world)).toMatchObject([{ status: { type: "delivered" } }]);
  });
});

describe("searching", () => {
  it("looks at no case, no marks and no kind of space", async () => {
    expect(folded("  Ÿ  CRÈME\nbrûlée ")).toBe("y creme brulee");
    const world = await RuleWorld.open();
    await receive(world, "x.msg.new", said("Die Straße nach ÅLESUND"));
    const [item] = await items(world);
    expect(item && matches(item, folded("alesund"))).toBe(true);
    expect(item && matches(item, folded("oslo"))).toBe(false);
  });
});
