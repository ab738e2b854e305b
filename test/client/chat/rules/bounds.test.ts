import { describe, expect, it } from "vitest";
import { utf8 } from "#crypto/bytes";
import { MAX_EDITIONS } from "../../../../client/chat/rules/compose.ts";
import { bodyReceived } from "../../../../client/chat/rules/receive.ts";
import { contactOf } from "../../../../client/chat/rules/records.ts";
import { TABLE } from "../../../../client/chat/tables.ts";
import { RuleWorld, START } from "./world.ts";

const ID = "YWFhYWFhYWFhYWFhYWFhYQ==";

function receive(world: RuleWorld, events: readonly (readonly [string, object])[]): Promise<void> {
  const messages = events.map(([event, params], i) => ({ v: "1-16", msgId: i === 0 ? ID : "YmJi", event, params }));
  const body = utf8(JSON.stringify(messages));
  return world.run((step) => bodyReceived(step, "c", { body, sentAt: START, lost: 0 }));
}

/** How often the store is asked in an action. */
async function asked(world: RuleWorld, action: () => Promise<void>): Promise<number> {
  const { store } = world;
  const [read, list] = [store.read.bind(store), store.list.bind(store)];
  let count = 0;
  store.read = (...args) => (count++, read(...args));
  store.list = (...args) => (count++, list(...args));
  await action();
  Object.assign(store, { read, list });
  return count;
}

const text = (words: string): object => ({ content: { type: "text", text: words } });
const info = (displayName: string): object => ({ profile: { displayName, fullName: "" } });

describe("a contact that does one thing without end", () => {
  it("edits a message: the latest versions are kept, and reading costs no more with each", async () => {
    const world = await RuleWorld.open();
    await receive(world, [["x.msg.new", text("version 0")]]);
    const edits = (from: number, count: number): Promise<void> =>
      receive(world, Array.from({ length: count }, (_, i) => ["x.msg.update", { msgId: ID, ...text(`version ${from + i}`) }]));
    const few = await asked(world, () => edits(1, 10));
    await edits(11, 100);
    const later = await asked(world, () => edits(111, 10));
    expect(later).toBe(few);
    const editions = await world.run((step) => step.list(TABLE.editions));
    expect(editions.map(({ content }) => content.text)).toEqual(
      Array.from({ length: MAX_EDITIONS }, (_, i) => `version ${120 - MAX_EDITIONS + i}`),
    );
  });

  it("changes its name in one body: it has the last one, and the conversation says so once", async () => {
    const world = await RuleWorld.open();
    await world.run((step) => world.contact(step, "d", "Name 99"));
    const renames = (count: number): Promise<void> =>
      receive(world, Array.from({ length: count }, (_, i) => ["x.info", info(`Name ${i}`)]));
    const hundred = await asked(world, () => renames(100));
    expect(await world.run((step) => contactOf(step, "c"))).toMatchObject({ name: "Name 99_1", profile: { displayName: "Name 99" } });
    const items = await world.run((step) => step.list(TABLE.items));
    expect(items.map(({ body }) => body)).toEqual([{ type: "event", event: "profileChanged", detail: "Name 99" }]);
    const thousand = await asked(world, () => renames(1000));
    expect(thousand).toBeLessThan(hundred * 10);
  });

  it("and changes it back: nothing is said", async () => {
    const world = await RuleWorld.open();
    await receive(world, [["x.info", info("Robert")], ["x.info", info("Bob")]]);
    expect(await world.run((step) => step.list(TABLE.items))).toEqual([]);
  });

  it("is judged by the preferences that it had just then", async () => {
    const world = await RuleWorld.open();
    const voice = { content: { type: "voice", text: "", duration: 1 } };
    const allow = (value: string): object => ({ profile: { displayName: "Bob", fullName: "", preferences: { voice: { allow: value } } } });
    await receive(world, [["x.info", allow("no")], ["x.msg.new", voice], ["x.info", allow("yes")]]);
    expect((await world.run((step) => step.list(TABLE.items))).map(({ body }) => body)).toMatchObject([{ event: "voiceRefused" }]);
  });
});

describe("calls", () => {
  const call = { callId: "YWFh", invitation: { callType: { media: "audio", capabilities: { encryption: false } } } };

  it("of who may not call are noted, and told to nobody", async () => {
    const world = await RuleWorld.open();
    await receive(world, [["x.call.inv", call]]);
    expect(world.last.events.map(({ type }) => type)).toContain("call");
    await receive(world, [["x.info", { profile: { displayName: "Bob", fullName: "", preferences: { calls: { allow: "no" } } } }]]);
    await receive(world, [["x.call.inv", call]]);
    expect(world.last.events.map(({ type }) => type)).not.toContain("call");
    expect((await world.run((step) => step.list(TABLE.items))).at(-1)?.body).toMatchObject({ event: "callRefused" });
    expect(await world.store.list(TABLE.outbox.name)).toEqual([]);
  });
});
