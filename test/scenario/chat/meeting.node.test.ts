import { describe, expect, it } from "vitest";
import { befriend } from "./talker.ts";
import { world } from "./world.ts";

const { talker } = world();

describe("an address", () => {
  it("brings requests with a first message, to be accepted or rejected", async () => {
    const [alice, bob, carol] = [await talker("Alice"), await talker("Bob"), await talker("Carol")];
    const address = await alice.chat.links.createAddress(alice.user.id, { welcome: "welcome to my address" });
    const look = await bob.chat.links.look(bob.user.id, address.shortLink ?? "");
    expect(look).toMatchObject({ type: "contact", data: { profile: { displayName: "Alice" }, message: { text: "welcome to my address" } } });

    await bob.chat.links.connect(bob.user.id, address.shortLink ?? "", { message: "may I come in?" });
    await carol.chat.links.connect(carol.user.id, address.link);
    const [first, second] = await alice.until("requests", async () => {
      const requests = await alice.chat.links.requests(alice.user.id);
      return requests.length === 2 ? requests.toSorted((a, b) => (a.profile.displayName < b.profile.displayName ? -1 : 1)) : null;
    });
    if (!first || !second) throw new Error("there should be two requests");
    expect(first).toMatchObject({ profile: { displayName: "Bob" }, message: { content: { text: "may I come in?" } } });
    await alice.chat.links.reject(second.id);
    const { id } = await alice.chat.links.accept(first.id);
    for (const text of ["said", "at once"]) await alice.chat.messages.send(id, text);
    await Promise.all([alice.friend("Bob"), bob.friend("Alice")]);
    for (const text of ["said", "at once"]) await bob.message("Alice", text);
    await bob.message("Alice", "welcome to my address");
    expect((await alice.texts("Bob")).toSorted()).toEqual(["at once", "may I come in?", "said", "welcome to my address"]);
    await bob.say("Alice", "thank you");
    await alice.message("Bob", "thank you");
    expect(await alice.chat.links.requests(alice.user.id)).toEqual([]);
  });

  it("accepts by itself, shows a random profile if wanted, and is deleted", async () => {
    const [alice, bob] = [await talker("Alice"), await talker("Bob")];
    const { link } = await alice.chat.links.createAddress(alice.user.id, { autoAccept: true, incognito: true, short: false });
    await alice.restart();
    await bob.chat.links.connect(bob.user.id, link);
    const seen = await alice.friend("Bob");
    const [stranger] = await bob.until("a contact", async () => {
      const contacts = await bob.chat.contacts.list(bob.user.id);
      return contacts.some(({ status }) => status === "connected") ? contacts : null;
    });
    expect(stranger?.profile?.displayName).toBe(seen.incognito?.displayName);
    expect(stranger?.profile?.displayName).not.toBe("Alice");
    // What the user is called is not told to who sees a random profile.
    await alice.chat.users.update(alice.user.id, { displayName: "Alice Smith" });
    await alice.say("Bob", "guess who");
    await bob.message(stranger?.name ?? "", "guess who");
    expect(await bob.texts(stranger?.name ?? "")).toEqual(["guess who"]);
    await alice.chat.links.deleteAddress(alice.user.id);
    expect(await alice.chat.links.address(alice.user.id)).toBeNull();
    await alice.until("one connection", async () => (await alice.agent.connections()).length === 1);
  });
});

describe("a program with several users", () => {
  it("keeps their contacts and conversations apart, and deletes one with all that is its own", async () => {
    const [alice, bob] = [await talker("Alice"), await talker("Bob")];
    const second = await alice.chat.users.create({ displayName: "Alice at work", fullName: "" });
    await befriend(alice, bob);
    const { link } = await alice.chat.links.invite(second.id);
    await bob.chat.links.connect(bob.user.id, link);
    await bob.friend("Alice at work");
    const atWork = await alice.until("the contact", () => alice.chat.contacts.named(second.id, "Bob"));
    await bob.say("Alice at work", "for work only");
    await alice.until("the message", async () => (await alice.chat.history.search(second.id, "WÖRK")).length === 1);
    expect(await alice.chat.history.search(alice.user.id, "work")).toEqual([]);
    expect(await alice.texts("Bob")).toEqual([]);

    await alice.chat.users.delete(second.id);
    await bob.event("Alice at work", "contactLeft");
    await alice.until("no such user", async () => (await alice.chat.users.list()).length === 1);
    await expect(alice.chat.contacts.get(atWork.id)).rejects.toMatchObject({ refusal: "NOT_FOUND" });
    await bob.say("Alice", "still there?");
    await alice.message("Bob", "still there?");
  });

  it("writes notes to itself", async () => {
    const alice = await talker("Alice");
    const notes = alice.chat.notes(alice.user.id);
    const note = await alice.chat.messages.send(notes, "buy crème fraîche");
    await alice.chat.messages.edit(note.id, "buy crème fraîche and bread");
    await alice.chat.messages.react(note.id, "✅");
    expect(await alice.chat.history.search(alice.user.id, "CREME")).toMatchObject([{ id: note.id, isEdited: true, status: { type: "read" } }]);
    await alice.chat.messages.delete(note.id, "everyone");
    expect(await alice.chat.history.items(notes)).toEqual([]);
  });
});

describe("a link that leads nowhere", () => {
  it("leaves no contact behind", async () => {
    const [alice, bob] = [await talker("Alice"), await talker("Bob")];
    await expect(bob.chat.links.connect(bob.user.id, "https://example.org")).rejects.toMatchObject({ name: "LinkError" });
    const { shortLink } = await alice.chat.links.invite(alice.user.id);
    await bob.chat.links.connect(bob.user.id, shortLink ?? "");
    const again = bob.chat.links.connect(bob.user.id, shortLink ?? "");
    await expect(again).rejects.toMatchObject({ refusal: "PROHIBITED" });
    const own = alice.chat.links.connect(alice.user.id, shortLink ?? "");
    await expect(own).rejects.toMatchObject({ refusal: "PROHIBITED" });
    const carol = await talker("Carol");
    await expect(carol.chat.links.connect(carol.user.id, shortLink ?? "")).rejects.toMatchObject({ name: "LinkError", failure: "GONE" });
    expect(await carol.chat.contacts.list(carol.user.id)).toEqual([]);
    await alice.friend("Bob");
  });
});
