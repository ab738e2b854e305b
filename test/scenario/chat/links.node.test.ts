import { describe, expect, it } from "vitest";
import { Network } from "./offline.ts";
import type { Talker } from "./talker.ts";
import { world } from "./world.ts";

const { talker, friends, expectError } = world();

/** What somebody else sees behind the link of the address. */
async function shown(looker: Talker, owner: Talker): Promise<{ name: string; welcome: string | undefined } | null> {
  const address = await owner.chat.links.address(owner.user.id);
  const { data } = await looker.chat.links.look(looker.user.id, address?.shortLink ?? "");
  if (!data || !("profile" in data)) return null;
  return { name: data.profile.displayName, welcome: data.message?.text };
}

describe("what stands behind the link of an address", () => {
  it("follows when the network comes back, or at the next start", async () => {
    expectError(/127\.0\.0\.1:1|closed|connection/i);
    const network = new Network();
    const [alice, bob] = [await talker("Alice", { openSocket: network.openSocket }), await talker("Bob")];
    await alice.chat.links.createAddress(alice.user.id);
    network.cut();
    await alice.chat.users.update(alice.user.id, { displayName: "Alice Smith" });
    expect(await alice.chat.links.setAddress(alice.user.id, { welcome: "hello" })).toMatchObject({ isStale: true, welcome: { text: "hello" } });
    expect(await shown(bob, alice)).toEqual({ name: "Alice", welcome: undefined });
    network.mend();
    alice.agent.online();
    await alice.until("the new data", async () => (await alice.chat.links.address(alice.user.id))?.isStale === false);
    expect(await shown(bob, alice)).toEqual({ name: "Alice Smith", welcome: "hello" });

    network.cut();
    await alice.chat.links.setAddress(alice.user.id, { welcome: null });
    await alice.stop();
    network.mend();
    await alice.start();
    await alice.until("the newer data", async () => (await alice.chat.links.address(alice.user.id))?.isStale === false);
    expect(await shown(bob, alice)).toEqual({ name: "Alice Smith", welcome: undefined });
  });

  it("is not there without a short link, and only then a random profile hides anything", async () => {
    const alice = await talker("Alice");
    const { links } = alice.chat;
    await expect(links.createAddress(alice.user.id, { incognito: true })).rejects.toMatchObject({ refusal: "PROHIBITED" });
    expect(await alice.agent.connections()).toEqual([]);
    await links.createAddress(alice.user.id);
    await expect(links.setAddress(alice.user.id, { incognito: true })).rejects.toMatchObject({ refusal: "PROHIBITED" });
    await links.deleteAddress(alice.user.id);
    const { shortLink } = await links.createAddress(alice.user.id, { short: false });
    expect(shortLink).toBeNull();
    expect(await links.setAddress(alice.user.id, { incognito: true, welcome: "hi" })).toMatchObject({ incognito: true, isStale: false });
  });
});

describe("a contact that is deleted while its link is followed", () => {
  it("stays deleted, and leaves no connection", async () => {
    const [alice, bob] = [await talker("Alice"), await talker("Bob")];
    const { shortLink } = await alice.chat.links.invite(alice.user.id);
    const connecting = bob.chat.links.connect(bob.user.id, shortLink ?? "");
    const refused = expect(connecting).rejects.toMatchObject({ refusal: "NOT_FOUND" });
    const [begun] = await bob.until("the contact", async () => {
      const contacts = await bob.chat.contacts.list(bob.user.id);
      return contacts.length > 0 && contacts;
    });
    await bob.chat.contacts.delete(begun?.id ?? "");
    await refused;
    await bob.until("nothing", async () => (await bob.agent.connections()).length === 0);
    expect(await bob.chat.contacts.list(bob.user.id)).toEqual([]);
    expect(bob.errors).toEqual([]);
  });
});

describe("the message that goes with a request", () => {
  it("is sent when the request is answered", async () => {
    const [alice, bob] = [await talker("Alice"), await talker("Bob")];
    const { link } = await alice.chat.links.createAddress(alice.user.id);
    const { id } = await bob.chat.links.connect(bob.user.id, link, { message: "may I?" });
    expect(await bob.chat.history.items(id)).toMatchObject([{ status: { type: "sending" } }]);
    // Written before the connection: an item of its own, not a part of the request.
    await bob.chat.messages.send(id, "please");
    const request = await alice.until("the request", async () => (await alice.chat.links.requests(alice.user.id))[0]);
    expect(request.message?.content).toEqual({ type: "text", text: "may I?" });
    await alice.chat.links.accept(request.id);
    await bob.message("Alice", "may I?", ({ status }) => status.type === "sent");
    await alice.message("Bob", "please");
    expect(await alice.texts("Bob")).toEqual(["may I?", "please"]);
  });

  it("fails with it, and is looked at as any other", async () => {
    const [alice, bob] = [await talker("Alice"), await talker("Bob")];
    const { link } = await alice.chat.links.createAddress(alice.user.id);
    await expect(bob.chat.links.connect(bob.user.id, link, { message: "" })).rejects.toMatchObject({ refusal: "CONTENT" });
    expect(await bob.chat.contacts.list(bob.user.id)).toEqual([]);
    await alice.chat.links.deleteAddress(alice.user.id);
    await alice.until("no queue", async () => (await alice.agent.connections()).length === 0);
    const { id } = await bob.chat.links.connect(bob.user.id, link, { message: "too late" });
    await bob.until("the failure", async () => (await bob.chat.contacts.get(id)).status === "failed");
    const [first] = await bob.chat.history.items(id);
    expect(first).toMatchObject({ status: { type: "error", reason: "NOT_AVAILABLE" } });
  });
});

describe("calls", () => {
  it("of who may not be called are refused here already; ending one is not", async () => {
    const [alice, bob] = await friends();
    const [toBob, toAlice] = [(await alice.friend("Bob")).id, (await bob.friend("Alice")).id];
    await bob.chat.contacts.setPreferences(toAlice, { calls: { allow: "no" } });
    await alice.event("Bob", "preferencesChanged");
    const invitation = { callType: { media: "audio", capabilities: { encryption: false } } } as const;
    const calling = alice.chat.contacts.signal(toBob, { type: "x.call.inv", params: { callId: "YWFh", invitation } });
    await expect(calling).rejects.toMatchObject({ refusal: "FEATURE" });
    await alice.chat.contacts.signal(toBob, { type: "x.call.end", params: { callId: "YWFh" } });
    await bob.happened("call", ({ message }) => message.event.type === "x.call.end");
  });
});
