import { describe, expect, it } from "vitest";
import { formatLink, parseLink } from "../../../client/agent/wire/link.ts";
import { world } from "./world.ts";

const { talker } = world();

/** All the ways in which links can be written. */
function forms(...links: readonly (string | null)[]): string[] {
  return links.flatMap((text) => {
    if (text === null) return [];
    const link = parseLink(text);
    return [formatLink(link), formatLink(link, { scheme: "https" }), `  ${text}\n`];
  });
}

describe("an own link", () => {
  it("is known in all its forms, and nothing comes of following it", async () => {
    const alice = await talker("Alice");
    const { links, contacts } = alice.chat;
    const invitation = await links.invite(alice.user.id);
    const address = await links.createAddress(alice.user.id);
    for (const link of forms(invitation.link, invitation.shortLink)) {
      const own = { refusal: "PROHIBITED", message: "this is your own invitation", contact: invitation.contact.id };
      await expect(links.connect(alice.user.id, link)).rejects.toMatchObject(own);
      await expect(links.look(alice.user.id, link)).rejects.toMatchObject(own);
    }
    for (const link of forms(address.link, address.shortLink)) {
      const own = { refusal: "PROHIBITED", message: "this is your own address", contact: null };
      await expect(links.connect(alice.user.id, link)).rejects.toMatchObject(own);
    }
    expect(await contacts.list(alice.user.id)).toHaveLength(1);
    // It was not taken by that.
    const bob = await talker("Bob");
    await bob.chat.links.connect(bob.user.id, invitation.shortLink ?? "");
    await alice.friend("Bob");
    await expect(links.connect(alice.user.id, invitation.link)).rejects.toMatchObject({ refusal: "PROHIBITED" });
  });

  it("is one of another user of the same program: they may meet", async () => {
    const alice = await talker("Alice");
    const other = await alice.chat.users.create({ displayName: "Work", fullName: "" });
    const { link } = await alice.chat.links.invite(alice.user.id, { short: false });
    await alice.chat.links.connect(other.id, link);
    await alice.friend("Work");
  });
});

describe("an address whose owner is a contact", () => {
  it("is known in all its forms, also after a restart, until the contact is deleted", async () => {
    const [alice, bob] = [await talker("Alice"), await talker("Bob")];
    const { link, shortLink } = await alice.chat.links.createAddress(alice.user.id, { autoAccept: true });
    const { id } = await bob.chat.links.connect(bob.user.id, shortLink ?? "");
    await expect(bob.chat.links.connect(bob.user.id, link)).rejects.toMatchObject({ refusal: "PROHIBITED", contact: id });
    await bob.friend("Alice");
    await bob.restart();
    for (const known of forms(link, shortLink)) {
      const connecting = bob.chat.links.connect(bob.user.id, known);
      await expect(connecting).rejects.toMatchObject({ message: "Alice is your contact already", contact: id });
    }
    expect(await bob.chat.contacts.list(bob.user.id)).toHaveLength(1);
    // The owner has left: there is nobody any more.
    await alice.chat.contacts.delete((await alice.friend("Bob")).id);
    await bob.event("Alice", "contactLeft");
    const again = await bob.chat.links.connect(bob.user.id, link);
    await bob.until("the new contact", async () => (await bob.chat.contacts.get(again.id)).status === "connected");
  });
});

describe("a link that is not valid any more", () => {
  it("is said to be so", async () => {
    const [alice, bob, carol] = [await talker("Alice"), await talker("Bob"), await talker("Carol")];
    const gone = { name: "LinkError", failure: "GONE", message: "the link is not valid any more: it was used or deleted" };
    const { shortLink } = await alice.chat.links.createAddress(alice.user.id);
    await alice.chat.links.deleteAddress(alice.user.id);
    await alice.until("no queue", async () => (await alice.agent.connections()).length === 0);
    await expect(bob.chat.links.look(bob.user.id, shortLink ?? "")).rejects.toMatchObject(gone);
    await expect(bob.chat.links.connect(bob.user.id, shortLink ?? "")).rejects.toMatchObject(gone);
    const invitation = await alice.chat.links.invite(alice.user.id);
    await bob.chat.links.connect(bob.user.id, invitation.shortLink ?? "");
    await expect(carol.chat.links.connect(carol.user.id, invitation.shortLink ?? "")).rejects.toMatchObject(gone);
    await alice.friend("Bob");
    // The long form is followed without asking anybody.
    const { id } = await carol.chat.links.connect(carol.user.id, invitation.link);
    await carol.until("the failure", async () => (await carol.chat.contacts.get(id)).failure === gone.message);
    const group = await alice.chat.groups.create(alice.user.id, { displayName: "team", fullName: "" });
    const made = await alice.chat.groups.createLink(group.id);
    for (const own of forms(made.link, made.shortLink)) {
      await expect(alice.chat.groups.connect(alice.user.id, own)).rejects.toMatchObject({ refusal: "PROHIBITED" });
    }
    await bob.chat.groups.connect(bob.user.id, made.shortLink ?? "");
    await expect(bob.chat.groups.connect(bob.user.id, made.link)).rejects.toMatchObject({ refusal: "PROHIBITED" });
    await alice.chat.groups.deleteLink(group.id);
    await alice.until("no link", async () => {
      return carol.chat.groups.connect(carol.user.id, made.shortLink ?? "").then(() => false, (error: unknown) => {
        expect(error).toMatchObject(gone);
        return true;
      });
    });
  });
});
