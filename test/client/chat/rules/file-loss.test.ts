import { describe, expect, it } from "vitest";
import { utf8 } from "#crypto/bytes";
import type { Item } from "../../../../client/chat/records.ts";
import { compose, deleteForSelf } from "../../../../client/chat/rules/compose.ts";
import { giveUpSending } from "../../../../client/chat/rules/file-loss.ts";
import { FETCHING_TIME, MAX_FETCHINGS, MAX_FILE_SIZE } from "../../../../client/chat/rules/files.ts";
import { clearConversation } from "../../../../client/chat/rules/items.ts";
import { firstWaiting, handingOver } from "../../../../client/chat/rules/outbox.ts";
import { bodyReceived } from "../../../../client/chat/rules/receive.ts";
import { TABLE } from "../../../../client/chat/tables.ts";
import type { ChatEvent } from "../../../../client/chat/wire/event.ts";
import { RuleWorld } from "./world.ts";

const LINK = "simplex:/invitation#/?v=2-7&smp=x";

const receive = (world: RuleWorld, event: string, params: object, msgId = "YmJi"): Promise<void> =>
  world.run((step) => bodyReceived(step, "c", {
    body: utf8(JSON.stringify({ v: "1-16", msgId, event, params })), sentAt: world.now, lost: 0,
  }));

/** An own file of this length, announced already. */
async function announced(world: RuleWorld, length: number): Promise<Item & { readonly msgId: string }> {
  const attachment = { type: "inline", name: "a", bytes: new Uint8Array(length) } as const;
  const item = await world.run((step) => compose(step, "c", { type: "file", text: "" }, {}, attachment));
  await world.run(async (step) => (await handingOver(step, "c", await firstWaiting(step, "c", 1)))(1));
  if (item.msgId === null) throw new Error("the message should have an id");
  return { ...item, msgId: item.msgId };
}

async function waiting(world: RuleWorld): Promise<(ChatEvent | number | undefined)[]> {
  const all = await world.run((step) => step.list(TABLE.outbox));
  return all.map(({ message, chunk }) => message?.event ?? chunk?.number);
}

const cancelled = (msgId: string): ChatEvent => ({ type: "x.file.cancel", params: { msgId } });

describe("whoever waits for an own file is told that it does not come", () => {
  it.each([
    ["deleted", (world: RuleWorld, { id }: Item) => world.run((step) => deleteForSelf(step, id))],
    ["cleared with the conversation", (world: RuleWorld) => world.run((step) => clearConversation(step, "c"))],
  ] as const)("when it is %s on its way", async (_, remove) => {
    for (const [length, link] of [[1000, {}], [20_000, { fileConnReq: LINK }]] as const) {
      const world = await RuleWorld.open();
      const item = await announced(world, length);
      await receive(world, "x.file.acpt.inv", { msgId: item.msgId, fileName: "a", ...link });
      await remove(world, item);
      expect(await waiting(world)).toEqual([cancelled(item.msgId)]);
      expect(await world.store.list(TABLE.sendings.name)).toEqual([]);
    }
  });

  it("unless it has gone, or was not accepted", async () => {
    const world = await RuleWorld.open();
    const [gone, other] = [await announced(world, 1000), await announced(world, 1000)];
    await receive(world, "x.file.acpt.inv", { msgId: gone.msgId, fileName: "a" });
    await world.run(async (step) => (await handingOver(step, "c", await firstWaiting(step, "c", 1)))(2));
    for (const { id } of [gone, other]) await world.run((step) => deleteForSelf(step, id));
    expect(await waiting(world)).toEqual([]);
  });

  it("when it is accepted after it was deleted", async () => {
    const world = await RuleWorld.open();
    const item = await announced(world, 20_000);
    await world.run((step) => deleteForSelf(step, item.id));
    await receive(world, "x.file.acpt.inv", { msgId: item.msgId, fileName: "a", fileConnReq: LINK });
    expect(await waiting(world)).toEqual([cancelled(item.msgId)]);
  });

  it("when the connection for it cannot be used", async () => {
    const world = await RuleWorld.open();
    const item = await announced(world, 20_000);
    await receive(world, "x.file.acpt.inv", { msgId: item.msgId, fileName: "a", fileConnReq: LINK });
    const [entry] = await world.store.keys(TABLE.sendings.name);
    await world.run(async (step) => {
      const sending = await step.read(TABLE.sendings, entry ?? "");
      if (sending) await giveUpSending(step, entry ?? "", { ...sending, connection: "of the file" });
    });
    expect(world.last.effects).toContainEqual({ type: "drop", connection: "of the file" });
    expect(await waiting(world)).toEqual([cancelled(item.msgId)]);
    expect(await world.run((step) => step.list(TABLE.sendings))).toMatchObject([{ isDone: true, connection: null }]);
    expect(await world.run((step) => step.list(TABLE.items))).toMatchObject([{ file: { state: "cancelled" } }]);
  });
});

describe("a file that does not come for weeks", () => {
  it("leaves its place to another one", async () => {
    const world = await RuleWorld.open();
    const announce = (number: number): Promise<void> => receive(world, "x.msg.new", {
      content: { type: "file", text: "" }, file: { fileName: "a", fileSize: MAX_FILE_SIZE },
    }, btoa(`message ${number}`));
    const states = async (): Promise<unknown[]> =>
      (await world.run((step) => step.list(TABLE.items))).map(({ file }) => file?.state);
    await announce(0);
    world.now += FETCHING_TIME / 2;
    for (let number = 1; number <= MAX_FETCHINGS; number++) await announce(number);
    expect((await states()).at(-1)).toBe("unsupported");
    world.now += FETCHING_TIME / 2;
    await announce(MAX_FETCHINGS + 1);
    expect([(await states())[0], (await states())[1], (await states()).at(-1)]).toEqual(["cancelled", "receiving", "receiving"]);
    expect(await world.store.keys(TABLE.fetchings.name)).toHaveLength(MAX_FETCHINGS);
  });
});
