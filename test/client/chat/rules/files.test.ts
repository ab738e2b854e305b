import { describe, expect, it } from "vitest";
import { utf8 } from "#crypto/bytes";
import type { Item } from "../../../../client/chat/records.ts";
import { compose } from "../../../../client/chat/rules/compose.ts";
import { chunkOf, fileBytes, MAX_CHUNKS, MAX_FETCHINGS, MAX_FILE_SIZE } from "../../../../client/chat/rules/files.ts";
import { dropOutbox } from "../../../../client/chat/rules/outbox.ts";
import { bodyReceived } from "../../../../client/chat/rules/receive.ts";
import { TABLE } from "../../../../client/chat/tables.ts";
import type { MsgContent } from "../../../../client/chat/wire/content.ts";
import { encodeFileChunk, MAX_CHUNK_LENGTH } from "../../../../client/chat/wire/file-chunk.ts";
import { decodeFilePiece, encodeFilePiece } from "../../../../client/chat/wire/file-piece.ts";
import { RuleWorld, START } from "./world.ts";

const ID = "YWFhYWFhYWFhYWFhYWFhYQ==";

const body = (world: RuleWorld, bytes: Uint8Array): Promise<void> =>
  world.run((step) => bodyReceived(step, "c", { body: bytes, sentAt: START, lost: 0 }));

const receive = (world: RuleWorld, event: string, params: object, msgId = ID): Promise<void> =>
  body(world, utf8(JSON.stringify({ v: "1-16", msgId, event, params })));

const announced = (file: object): object => ({ content: { type: "file", text: "" }, file });

const chunk = (world: RuleWorld, number: number, bytes: Uint8Array): Promise<void> =>
  body(world, encodeFileChunk({ msgId: ID, part: { number, bytes } }));

async function only(world: RuleWorld): Promise<Item> {
  const [item] = await world.run((step) => step.list(TABLE.items));
  if (!item) throw new Error("there should be an item");
  return item;
}

/** What waits to be sent: events, and the numbers of chunks. */
async function waiting(world: RuleWorld): Promise<unknown[]> {
  const all = await world.run((step) => step.list(TABLE.outbox));
  return all.map(({ message, chunk: part }) => message?.event.type ?? part?.number);
}

const PARTS = [1, 2, 3].map((number) => new Uint8Array(number < 3 ? MAX_CHUNK_LENGTH : 100).fill(number));
const SIZE = 2 * MAX_CHUNK_LENGTH + 100;

describe("a file that comes between messages", () => {
  it("is accepted by the name that it was sent with, and put together from parts in any order", async () => {
    const world = await RuleWorld.open();
    await receive(world, "x.msg.new", announced({ fileName: "../a:b.txt", fileSize: SIZE, fileInline: "offer" }));
    const [outgoing] = await world.run((step) => step.list(TABLE.outbox));
    expect(outgoing?.message?.event).toEqual({ type: "x.file.acpt.inv", params: { msgId: ID, fileName: "../a:b.txt" } });
    for (const number of [3, 1, 3, 1, 2]) {
      expect(await world.run(async (step) => fileBytes(step, (await only(world)).id))).toBeNull();
      await chunk(world, number, PARTS[number - 1] ?? new Uint8Array());
    }
    const item = await only(world);
    expect(item.file).toEqual({ state: "received", received: SIZE });
    const bytes = await world.run((step) => fileBytes(step, item.id));
    expect(bytes && [bytes.length, bytes[0], bytes[MAX_CHUNK_LENGTH], bytes[SIZE - 1]]).toEqual([SIZE, 1, 2, 3]);
    // More of it changes nothing.
    await chunk(world, 3, new Uint8Array(5));
    expect(await only(world)).toEqual(item);
  });

  it.each([
    ["is longer than announced", 1, MAX_CHUNK_LENGTH + 0, SIZE - MAX_CHUNK_LENGTH * 2],
    ["is shorter", 1, 10, SIZE],
    ["is one too many", 4, 100, SIZE],
  ] as const)("is given up when a part %s", async (_, number, length, fileSize) => {
    const world = await RuleWorld.open();
    await receive(world, "x.msg.new", announced({ fileName: "a", fileSize, fileInline: "sent" }));
    await chunk(world, number, new Uint8Array(length));
    expect((await only(world)).file).toEqual({ state: "cancelled", received: 0 });
    expect(await world.store.list(TABLE.chunks.name)).toEqual([]);
  });

  it("goes when its sender cancels it, unless it is whole", async () => {
    const world = await RuleWorld.open();
    await receive(world, "x.msg.new", announced({ fileName: "a", fileSize: SIZE, fileInline: "sent" }));
    await chunk(world, 1, PARTS[0] ?? new Uint8Array());
    await receive(world, "x.file.cancel", { msgId: ID }, "YmJi");
    expect((await only(world)).file).toEqual({ state: "cancelled", received: 0 });
    const whole = await RuleWorld.open();
    await receive(whole, "x.msg.new", announced({ fileName: "a", fileSize: 3, fileInline: "sent" }));
    await chunk(whole, 1, new Uint8Array(3));
    await receive(whole, "x.file.cancel", { msgId: ID }, "YmJi");
    await body(whole, encodeFileChunk({ msgId: ID, part: null }));
    expect((await only(whole)).file).toEqual({ state: "received", received: 3 });
  });

  it("that nobody announced is noted once", async () => {
    const world = await RuleWorld.open();
    for (const number of [1, 2]) await chunk(world, number, new Uint8Array(5));
    expect((await world.run((step) => step.list(TABLE.items))).map(({ body: one }) => one)).toMatchObject([{ event: "filePart" }]);
    expect(await world.store.list(TABLE.chunks.name)).toEqual([]);
  });
});

describe("a file that needs a connection of its own", () => {
  it("is fetched, but not any number of them at once", async () => {
    const world = await RuleWorld.open();
    for (let i = 0; i <= MAX_FETCHINGS; i++) {
      await receive(world, "x.msg.new", announced({ fileName: "a", fileSize: MAX_FILE_SIZE }), btoa(`message ${i}`));
    }
    const items = await world.run((step) => step.list(TABLE.items));
    expect(items.filter(({ file }) => file?.state === "receiving")).toHaveLength(MAX_FETCHINGS);
    expect(items.at(-1)?.file).toEqual({ state: "unsupported", received: 0 });
    expect(await waiting(world)).toEqual([]);
  });
});

describe("an own file", () => {
  const VOICE: MsgContent = { type: "voice", text: "", duration: 1 };
  const FILE: MsgContent = { type: "file", text: "" };
  const write = (world: RuleWorld, content: MsgContent, length: number): Promise<Item> =>
    world.run((step) => compose(step, "c", content, {}, { type: "inline", name: "a", bytes: new Uint8Array(length) }));

  it.each([VOICE, FILE])("is offered, and goes once it is accepted: %o", async (content) => {
    const world = await RuleWorld.open();
    const { msgId, body: said } = await write(world, content, 1000);
    expect(said).toMatchObject({ container: { file: { fileInline: "offer" } } });
    expect(await waiting(world)).toEqual(["x.msg.new"]);
    await receive(world, "x.file.acpt.inv", { msgId, fileName: "a" });
    await receive(world, "x.file.acpt.inv", { msgId, fileName: "a" });
    expect(await waiting(world)).toEqual(["x.msg.new", 1]);
  });

  it("that is too long for one message is announced so that official clients make a connection for it", async () => {
    const world = await RuleWorld.open();
    for (const content of [VOICE, FILE]) {
      const { body: said } = await write(world, content, 20_000);
      expect(said).toMatchObject({ container: { file: { fileName: "a", fileSize: 20_000 } } });
      expect(said.type === "message" && said.container.file?.fileInline).toBeUndefined();
    }
    expect(await waiting(world)).toEqual(["x.msg.new", "x.msg.new"]);
  });

  it("does not go to one who left", async () => {
    const world = await RuleWorld.open();
    const { id, msgId } = await write(world, VOICE, 1000);
    await receive(world, "x.file.acpt.inv", { msgId, fileName: "a" });
    await world.run((step) => dropOutbox(step, "c", "gone"));
    expect(await world.run((step) => step.read(TABLE.items, id))).toMatchObject({ file: { state: "cancelled", received: 1000 } });
    expect(await world.store.list(TABLE.waiting.name)).toEqual([]);
  });

  it("of a contact who leaves is on no way any more, nor is what it was sending", async () => {
    const world = await RuleWorld.open();
    const { id, msgId } = await write(world, FILE, 20_000);
    await receive(world, "x.file.acpt.inv", { msgId, fileName: "a", fileConnReq: "simplex:/invitation#/?v=2-7&smp=x" });
    await receive(world, "x.msg.new", announced({ fileName: "b", fileSize: MAX_FILE_SIZE }), btoa("theirs"));
    await receive(world, "x.direct.del", {}, "YmJi");
    expect(await world.run((step) => step.list(TABLE.items))).toMatchObject([
      { id, file: { state: "cancelled" } },
      { file: { state: "cancelled" } },
      { body: { event: "contactLeft" } },
    ]);
    expect(await world.run((step) => step.list(TABLE.sendings))).toMatchObject([{ isDone: true }]);
    expect(await world.run((step) => step.list(TABLE.fetchings))).toEqual([]);
  });

  it("has chunks that are known by the agent's numbers, also those that were not noted", () => {
    const sending = { item: "i", owner: "c", user: "u", link: null, connection: null, isJoining: false, handed: [5, 6, 9], isDone: false };
    expect([5, 6, 8, 9, 10].map((one) => chunkOf(sending, one))).toEqual([1, 2, 3, 3, 4]);
  });
});

describe("pieces of a file in a connection of its own", () => {
  it("have a number of four bytes, or are cancelled", () => {
    const bytes = new Uint8Array([7, 8]);
    expect(encodeFilePiece({ number: 258, bytes })).toEqual(new Uint8Array([0x46, 0, 0, 1, 2, 7, 8]));
    expect(decodeFilePiece(new Uint8Array([0x46, 0, 0, 1, 2, 7, 8]))).toEqual({ number: 258, bytes });
    expect(encodeFilePiece(null)).toEqual(utf8("C"));
    expect(decodeFilePiece(utf8("C"))).toBeNull();
    expect(() => decodeFilePiece(utf8("{}"))).toThrow("expected 'F' or 'C'");
    expect(() => encodeFilePiece({ number: 1, bytes: new Uint8Array(MAX_CHUNK_LENGTH + 1) })).toThrow("at most");
    expect(MAX_FILE_SIZE).toBe(MAX_CHUNKS * 15_780);
  });
});
