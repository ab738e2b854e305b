import { describe, expect, it } from "vitest";
import { utf8 } from "#crypto/bytes";
import { MemoryFile, MemoryStore } from "../../../client/store/memory.ts";
import { FailingStore } from "../agent/failing-store.ts";
import { befriend } from "./talker.ts";
import { world } from "./world.ts";

const { talker, expectError } = world();

describe("troubles", () => {
  it("of a disk that is full for a while lose no message, and are told", async () => {
    expectError(/fails as the test wants it/);
    let isFull = false;
    const file = new MemoryFile();
    const openStore = (): Promise<FailingStore> => {
      return Promise.resolve(new FailingStore(new MemoryStore(file), (operation) => (isFull && operation === "write" ? "FULL" : null)));
    };
    const [alice, bob] = [await talker("Alice"), await talker("Bob", { openStore })];
    await befriend(alice, bob);
    isFull = true;
    await alice.say("Bob", "while it was full");
    await expect(bob.say("Alice", "not stored")).rejects.toMatchObject({ code: "FULL" });
    await bob.until("an error", () => bob.errors.length > 0);
    isFull = false;
    await bob.message("Alice", "while it was full");
    await bob.say("Alice", "stored");
    await alice.message("Bob", "stored");
    expect(await alice.texts("Bob")).toEqual(["while it was full", "stored"]);
    expect(await bob.texts("Alice")).toEqual(["while it was full", "stored"]);
  });

  it("of an introduction that cannot be read end the attempt, and nothing else", async () => {
    expectError(/introduced itself|neither JSON/);
    const [alice, bob] = [await talker("Alice"), await talker("Bob")];
    const { link, contact } = await alice.chat.links.invite(alice.user.id);
    await bob.agent.join(link, utf8('{"event":"x.grp.leave","params":{}}'));
    await alice.until("the end", async () => (await alice.chat.contacts.get(contact.id)).status === "failed");
    const address = await alice.chat.links.createAddress(alice.user.id);
    await bob.agent.join(address.link, utf8("nonsense"));
    await alice.until("both errors", () => alice.errors.length === 2);
    await alice.until("no request", async () => (await alice.agent.requests()).length === 0);
    await befriend(alice, bob);
    await bob.say("Alice", "in good order");
    await alice.message("Bob", "in good order");
  });

  it("of receipts that are not wanted: for one contact, or for all", async () => {
    const [alice, bob] = [await talker("Alice"), await talker("Bob")];
    await befriend(alice, bob);
    await bob.chat.users.setReceipts(bob.user.id, false);
    await alice.say("Bob", "one");
    await bob.message("Alice", "one");
    const { id } = await bob.friend("Alice");
    await bob.chat.contacts.set(id, { receipts: true });
    await alice.say("Bob", "two");
    await alice.message("Bob", "two", ({ status }) => status.type === "delivered");
    expect(await alice.message("Bob", "one")).toMatchObject({ status: { type: "sent", isProxied: false } });
  });
});
