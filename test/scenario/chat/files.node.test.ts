import { describe, expect, it } from "vitest";
import { concat, equal, utf8 } from "#crypto/bytes";
import { randomBytes } from "#crypto/random";
import type { Item, ItemFile } from "../../../client/chat/records.ts";
import { MAX_FILE_SIZE } from "../../../client/chat/rules/files.ts";
import { encodeFileChunk, MAX_CHUNK_LENGTH } from "../../../client/chat/wire/file-chunk.ts";
import { fastClock, patientLimits } from "../agent/fast-clock.ts";
import { circle, groupOf, messageIn } from "./circle.ts";
import { isMessage, type Talker } from "./talker.ts";
import { world } from "./world.ts";

const SPEED = 20;
const FAST = { clock: fastClock(SPEED), ...patientLimits(SPEED) };
const { friends, talker } = world();

/** More than the platform gives at once. */
const someBytes = (length: number): Uint8Array =>
  concat(...Array.from({ length: Math.ceil(length / 50_000) }, (_, i) => randomBytes(Math.min(50_000, length - i * 50_000))));

const IMAGE = { type: "image", text: "look", image: "data:image/jpg;base64,AAAA" } as const;
const VOICE = { type: "voice", text: "", duration: 3 } as const;
const FILE = { type: "file", text: "the plan" } as const;

const fileOf = (name: string, bytes: Uint8Array): { name: string; size: number; bytes: Uint8Array } => ({ name, size: bytes.length, bytes });

/** The message with the file of this name, once the file is as wanted. */
function withFile(talker_: Talker, friend: string, name: string, state: ItemFile["state"]): Promise<Item> {
  return talker_.until(`${name} ${state}`, async () => {
    const items = (await talker_.items(friend)).filter(isMessage);
    return items.find(({ body, file }) => body.container.file?.fileName === name && file?.state === state);
  });
}

describe("files between two people", () => {
  it.each([
    ["nothing", 0, FILE], ["one part", 2000, IMAGE], ["voice", 5000, VOICE], ["more than a message", 40_000, IMAGE], ["as much as can be", MAX_FILE_SIZE, FILE],
  ] as const)("of %s come whole", async (name, size, content) => {
    const [alice, bob] = await friends();
    const bytes = someBytes(size);
    const { id } = await alice.chat.messages.send((await alice.friend("Bob")).id, content, { file: fileOf(name, bytes) });
    expect(await alice.chat.history.item(id)).toMatchObject({ file: { received: size } });
    const received = await withFile(bob, "Alice", name, "received");
    expect(received).toMatchObject({ body: { container: { content, file: { fileSize: size } } }, file: { received: size } });
    const [theirs, own] = [await bob.chat.files.bytes(received.id), await alice.chat.files.bytes(id)];
    expect(theirs && equal(theirs, bytes)).toBe(true);
    expect(own && equal(own, bytes)).toBe(true);
    await withFile(alice, "Bob", name, "sent");
    // No connection of the file is left.
    await alice.until("one connection", async () => (await alice.agent.connections()).length === 1);
    await bob.until("one connection", async () => (await bob.agent.connections()).length === 1);
  });

  it("that are too large are refused, and those that are not what they say", async () => {
    const [alice] = await friends();
    const { id } = await alice.friend("Bob");
    const send = (file: { name: string; size: number; bytes: Uint8Array }): Promise<Item> => alice.chat.messages.send(id, FILE, { file });
    await expect(send(fileOf("film.mp4", new Uint8Array(MAX_FILE_SIZE + 1)))).rejects.toMatchObject({ refusal: "LARGE" });
    await expect(send({ name: "a", size: 5, bytes: new Uint8Array(4) })).rejects.toMatchObject({ refusal: "CONTENT" });
    expect(await alice.texts("Bob")).toEqual([]);
  });

  it("are forwarded with their messages, kept in notes, and go with their items", async () => {
    const [alice, bob] = await friends();
    const notes = alice.chat.notes(alice.user.id);
    const bytes = randomBytes(20_000);
    const note = await alice.chat.messages.send(notes, FILE, { file: fileOf("plan.pdf", bytes) });
    expect(note.file).toEqual({ state: "sent", received: 20_000 });
    const forwarded = await alice.chat.messages.forward(note.id, (await alice.friend("Bob")).id);
    await alice.chat.messages.delete(note.id, "self");
    const received = await withFile(bob, "Alice", "plan.pdf", "received");
    const theirs = await bob.chat.files.bytes(received.id);
    expect(theirs && equal(theirs, bytes)).toBe(true);
    await alice.chat.history.clear(forwarded.chat);
    await bob.chat.contacts.delete(received.chat);
    await bob.until("the end", async () => (await bob.agent.connections()).length === 0);
    for (const one of [alice, bob]) expect(await one.mortal.store.list("chat.chunks")).toEqual([]);
  });

  it("are cancelled by either side", async () => {
    const [alice, bob] = await friends();
    const { id } = await alice.friend("Bob");
    await bob.stop();
    const first = await alice.chat.messages.send(id, FILE, { file: fileOf("first", randomBytes(50_000)) });
    const second = await alice.chat.messages.send(id, FILE, { file: fileOf("second", randomBytes(50_000)) });
    await alice.chat.files.cancel(first.id);
    await expect(alice.chat.files.cancel(first.id)).rejects.toMatchObject({ refusal: "PROHIBITED" });
    await alice.message("Bob", "the plan", ({ id: one, status }) => one === second.id && status.type === "sent");
    await alice.stop();
    await bob.start();
    await withFile(bob, "Alice", "first", "cancelled");
    const coming = await withFile(bob, "Alice", "second", "receiving");
    await bob.chat.files.cancel(coming.id);
    await alice.start();
    await bob.say("Alice", "over");
    await alice.message("Bob", "over");
    expect(await bob.chat.files.bytes(coming.id)).toBeNull();
    expect(await bob.mortal.store.list("chat.chunks")).toEqual([]);
    await bob.until("one connection", async () => (await bob.agent.connections()).length === 1);
  });
});

describe("files between the messages, as older clients send them", () => {
  const ID = "c29tZS1pZA==";

  /** Bob's agent sends what no program of ours does. */
  async function announce(bob: Talker, file: object, msgId = ID): Promise<(number: number, bytes: Uint8Array) => Promise<number>> {
    const connection = (await bob.friend("Alice")).connection ?? "";
    const params = { content: { type: "file", text: "" }, file };
    await bob.agent.send(connection, utf8(JSON.stringify({ v: "1-16", msgId, event: "x.msg.new", params })));
    return (number, bytes) => bob.agent.send(connection, encodeFileChunk({ msgId, part: number === 0 ? null : { number, bytes } }));
  }

  it("may come twice; one that says what was not announced ends the file", async () => {
    const [alice, bob] = await friends();
    const send = await announce(bob, { fileName: "small", fileSize: 10, fileInline: "sent" });
    for (let i = 0; i < 2; i++) await send(1, new Uint8Array(10));
    expect(await withFile(alice, "Bob", "small", "received")).toMatchObject({ file: { received: 10 } });
    const others = [
      ["long", 1, new Uint8Array(11)], ["short", 1, new Uint8Array(9)], ["second", 2, new Uint8Array(10)], ["cancelled", 0, new Uint8Array()],
    ] as const;
    for (const [name, number, bytes] of others) {
      const sendOther = await announce(bob, { fileName: name, fileSize: 10, fileInline: "sent" }, btoa(name));
      await sendOther(number, bytes);
      await withFile(alice, "Bob", name, "cancelled");
    }
    const large = { fileName: "large", fileSize: MAX_FILE_SIZE + 1, fileInline: "offer" };
    await announce(bob, large, btoa("large"));
    await withFile(alice, "Bob", "large", "unsupported");
    await announce(bob, { fileName: "xftp", fileSize: 10, fileDescr: { fileDescrText: "", fileDescrPartNo: 0, fileDescrComplete: false } }, btoa("xftp"));
    await withFile(alice, "Bob", "xftp", "unsupported");
    expect(await alice.mortal.store.list("chat.chunks")).toHaveLength(1);
  });

  it("of who is blocked leave nothing", async () => {
    const [alice, bob] = await friends();
    await alice.chat.contacts.set((await alice.friend("Bob")).id, { isBlocked: true });
    const send = await announce(bob, { fileName: "small", fileSize: 10, fileInline: "sent" });
    await send(1, new Uint8Array(10));
    await bob.chat.users.update(bob.user.id, { displayName: "Robert" });
    await alice.friend("Robert");
    expect(await alice.texts("Robert")).toEqual([]);
    expect(await alice.mortal.store.list("chat.chunks")).toEqual([]);
  });

  it("are asked for once, whatever the other side asks", async () => {
    const [alice, bob] = await friends();
    const { id, msgId } = await alice.chat.messages.send((await alice.friend("Bob")).id, IMAGE, { file: fileOf("one", randomBytes(900)) });
    await withFile(alice, "Bob", "one", "sent");
    const connection = (await bob.friend("Alice")).connection ?? "";
    for (const fileName of ["one", "one", "another"]) {
      await bob.agent.send(connection, utf8(JSON.stringify({ v: "1-16", event: "x.file.acpt.inv", params: { msgId, fileName } })));
    }
    await bob.say("Alice", "over");
    await alice.message("Bob", "over");
    expect(await alice.mortal.store.list("chat.sendings")).toHaveLength(1);
    expect(await alice.mortal.store.list("chat.outbox")).toEqual([]);
    expect(await alice.chat.history.item(id)).toMatchObject({ file: { state: "sent" } });
  });
});

describe("files in a group", () => {
  it("come whole to everybody who is connected, are kept from nobody who comes later, and are cancelled", async () => {
    const [alice, bob, carol] = [await talker("Alice"), await talker("Bob"), await talker("Carol")];
    await circle("g", alice, bob, carol);
    const { id } = await groupOf(alice, "g");
    const bytes = someBytes(MAX_FILE_SIZE);
    const inGroup = (one: Talker, text: string, state: ItemFile["state"]): Promise<Item> =>
      messageIn(one, "g", text, ({ file }) => file?.state === state);
    await carol.stop();
    await alice.chat.messages.send(id, FILE, { file: fileOf("plan.pdf", bytes) });
    await alice.chat.messages.send(id, { ...VOICE, text: "listen" }, { file: fileOf("voice.m4a", bytes.subarray(0, 10_000)) });
    await inGroup(bob, "the plan", "received");
    await inGroup(bob, "listen", "received");
    await carol.start();
    const { id: item } = await inGroup(carol, "the plan", "received");
    const theirs = await carol.chat.files.bytes(item);
    expect(theirs && equal(theirs, bytes)).toBe(true);
    await inGroup(carol, "listen", "received");
    await inGroup(alice, "the plan", "sent");
    await carol.stop();
    await bob.stop();
    const { id: third } = await alice.chat.messages.send(id, { ...FILE, text: "another" }, { file: fileOf("b.pdf", bytes) });
    await alice.chat.files.cancel(third);
    await Promise.all([bob.start(), carol.start()]);
    for (const one of [bob, carol]) await inGroup(one, "another", "cancelled");
  });
});

describe("a file", () => {
  it.each(["Alice", "Bob"] as const)("comes whole though the program of %s is killed after any of its writes", async (mortalName) => {
    for (let write = 1; write <= 40; write += 3) {
      const [alice, bob] = await friends(FAST);
      const mortal = mortalName === "Alice" ? alice : bob;
      const { id } = await alice.friend("Bob");
      const bytes = randomBytes(3 * MAX_CHUNK_LENGTH);
      if (mortal === bob) await alice.chat.messages.send(id, IMAGE, { file: fileOf("photo.jpg", bytes) });
      await mortal.stop();
      if (await mortal.live({ write, when: "after" })) {
        const life = mortal === alice ? alice.chat.messages.send(id, IMAGE, { file: fileOf("photo.jpg", bytes) }) : Promise.resolve();
        await Promise.race([life, mortal.mortal.died]);
        await Promise.race([mortal.mortal.died, new Promise((resolve) => setTimeout(resolve, 150))]);
      }
      await mortal.stop();
      await mortal.start();
      const isSaid = (await alice.texts("Bob")).length === 1;
      if (isSaid) {
        const { id: item } = await withFile(bob, "Alice", "photo.jpg", "received");
        const theirs = await bob.chat.files.bytes(item);
        expect(theirs && equal(theirs, bytes)).toBe(true);
        await withFile(alice, "Bob", "photo.jpg", "sent");
      }
      await Promise.all([alice, bob].map((one) => one.until("one connection", async () => (await one.agent.connections()).length === 1)));
      await Promise.all([alice.stop(), bob.stop()]);
    }
  }, 180_000);
});
