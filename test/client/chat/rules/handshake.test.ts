import { describe, expect, it } from "vitest";
import { utf8 } from "#crypto/bytes";
import type { Address, Contact, Request } from "../../../../client/chat/records.ts";
import { beginContact, codeSeen, leaveContact, setVerified } from "../../../../client/chat/rules/contacts.ts";
import { acceptRequest, connected, failed, requestReceived } from "../../../../client/chat/rules/handshake.ts";
import { compose } from "../../../../client/chat/rules/compose.ts";
import { shownProfile } from "../../../../client/chat/rules/preferences.ts";
import { tellProfile, userChanged } from "../../../../client/chat/rules/profile.ts";
import { contactOf, userOf } from "../../../../client/chat/rules/records.ts";
import { TABLE } from "../../../../client/chat/tables.ts";
import { RuleWorld } from "./world.ts";

const ADDRESS = {
  user: "u", connection: "address", link: "simplex:/contact", shortLink: null, autoAccept: false, incognito: false, welcome: null, isStale: false,
};

function request(world: RuleWorld, id: string, params: object, address: Address = ADDRESS): Promise<void> {
  const profile = { displayName: "Carol", fullName: "" };
  const info = utf8(JSON.stringify({ v: "1-16", event: "x.contact", params: { profile, ...params } }));
  return world.run((step) => requestReceived(step, address, { request: id, info }));
}

const requests = (world: RuleWorld): Promise<Request[]> => world.run((step) => step.list(TABLE.requests));
const contact = (world: RuleWorld): Promise<Contact> => world.run((step) => contactOf(step, "c"));

describe("requests through an address", () => {
  it("of the same attempt are one: the latest counts, and the agent forgets the one before", async () => {
    const world = await RuleWorld.open();
    await request(world, "r1", { contactReqId: "YWFh", msgId: "YmJi", content: { type: "text", text: "hello" } });
    await request(world, "r2", { contactReqId: "YWFh", msgId: "YmJi", content: { type: "text", text: "hello again" } });
    expect(world.last.effects).toEqual([{ type: "reject", request: "r1" }]);
    expect(await requests(world)).toMatchObject([{ request: "r2", message: { content: { text: "hello again" } } }]);
    // The same event once more, as after a crash.
    await request(world, "r2", { contactReqId: "YWFh" });
    expect(await requests(world)).toMatchObject([{ request: "r2", message: null }]);
  });

  it("are not accepted with a random profile where the address has shown the real one", async () => {
    const world = await RuleWorld.open();
    const address = { ...ADDRESS, shortLink: "https://relay/a#key" };
    await request(world, "r1", {}, address);
    const [first] = await requests(world);
    const accepting = world.run((step) => acceptRequest(step, first?.id ?? "", { incognito: true }));
    await expect(accepting).rejects.toMatchObject({ refusal: "PROHIBITED" });
    expect(await requests(world)).toHaveLength(1);
    // It was asked for through an earlier address, and is repeated now.
    await request(world, "r2", { contactReqId: "YWFh" }, address);
    await request(world, "r3", { contactReqId: "YWFh" }, { ...ADDRESS, autoAccept: true, incognito: true });
    const accepted = (await world.run((step) => step.list(TABLE.contacts))).find(({ connection }) => connection === "r3");
    expect(accepted).toMatchObject({ status: "accepting", incognito: null });
  });

  it("without an id of the attempt are always new ones", async () => {
    const world = await RuleWorld.open();
    await request(world, "r1", {});
    await request(world, "r2", {});
    expect((await requests(world)).map((one) => one.request).sort()).toEqual(["r1", "r2"]);
  });

  it("of an attempt that was accepted are ignored, as is the accepted event that comes again", async () => {
    const world = await RuleWorld.open();
    await request(world, "r1", { contactReqId: "YWFh" });
    const [first] = await requests(world);
    const accepted = await world.run((step) => acceptRequest(step, first?.id ?? ""));
    expect(accepted).toMatchObject({ status: "accepting", connection: "r1", name: "Carol" });
    expect(world.last.effects).toContainEqual({ type: "accept", contact: accepted.id });
    await request(world, "r2", { contactReqId: "YWFh" });
    expect(world.last.effects).toEqual([{ type: "reject", request: "r2" }]);
    await request(world, "r1", {});
    expect(world.last.effects).toEqual([]);
    expect(await requests(world)).toEqual([]);
  });

  it("that show the welcome text already get it under the id that it has there", async () => {
    const world = await RuleWorld.open();
    const welcome = { type: "text", text: "welcome" } as const;
    await world.run((step) => step.put(TABLE.addresses, "u", { ...ADDRESS, welcome }));
    await request(world, "r1", { welcomeMsgId: "d2Vs", msgId: "YmJi", content: { type: "text", text: "hello" } });
    const [first] = await requests(world);
    await world.run((step) => acceptRequest(step, first?.id ?? ""));
    const [outgoing] = await world.run((step) => step.list(TABLE.outbox));
    expect(outgoing?.message?.event).toEqual({ type: "x.msg.update", params: { msgId: "d2Vs", content: welcome } });
    // It was read before the request was written.
    expect(await world.run((step) => step.list(TABLE.items))).toMatchObject([
      { isOwn: true, msgId: "d2Vs", status: { type: "sent" }, body: { container: { content: welcome } } },
      { isOwn: false, body: { container: { content: { text: "hello" } } } },
    ]);
  });

  it("get the welcome text after what they said, where they do not show it", async () => {
    const world = await RuleWorld.open();
    await world.run((step) => step.put(TABLE.addresses, "u", { ...ADDRESS, welcome: { type: "text", text: "welcome" } }));
    await request(world, "r1", { msgId: "YmJi", content: { type: "text", text: "hello" } });
    const [first] = await requests(world);
    await world.run((step) => acceptRequest(step, first?.id ?? ""));
    expect(await world.run((step) => step.list(TABLE.items))).toMatchObject([{ isOwn: false }, { isOwn: true, status: { type: "new" } }]);
  });
});

describe("what a contact is shown", () => {
  it("is told when it changes and only then", async () => {
    const world = await RuleWorld.open();
    const change = (): Promise<void> => world.run(async (step) => {
      const user = await userOf(step, "u");
      await userChanged(step, { ...user, profile: { displayName: "Alicia", fullName: "" } });
    });
    await change();
    expect((await world.run((step) => step.list(TABLE.outbox))).map(({ message }) => message?.event)).toMatchObject([
      { type: "x.info", params: { profile: { displayName: "Alicia", preferences: { voice: { allow: "yes" } } } } },
    ]);
    await change();
    expect(await world.run((step) => step.list(TABLE.outbox))).toHaveLength(1);
  });

  it("is nothing of the user when it sees a random profile", async () => {
    const world = await RuleWorld.open();
    await world.run(async (step) => {
      const user = await userOf(step, "u");
      const changed = { ...user, profile: { ...user.profile, preferences: { voice: { allow: "no" } } } } as const;
      const incognito = { ...await contactOf(step, "c"), incognito: { displayName: "CalmHeron", fullName: "" } };
      expect(shownProfile(changed, incognito)).toMatchObject({ displayName: "CalmHeron", preferences: { voice: { allow: "yes" } } });
      await tellProfile(step, changed, { ...incognito, shown: null });
      expect(step.changes).toEqual([]);
    });
  });
});

describe("a contact", () => {
  it("is not verified any more when the code of its connection changes", async () => {
    const world = await RuleWorld.open();
    await world.run((step) => setVerified(step, "c", "code"));
    await world.run((step) => codeSeen(step, "c", "code"));
    expect(await contact(world)).toMatchObject({ verified: "code" });
    await world.run((step) => codeSeen(step, "c", "another"));
    expect(await contact(world)).toMatchObject({ verified: null });
    const [item] = await world.run((step) => step.list(TABLE.items));
    expect(item?.body).toMatchObject({ type: "event", event: "codeChanged" });
  });

  it("that used an invitation is sent a probe that nobody can match, once, as by official clients", async () => {
    const world = await RuleWorld.open();
    for (const origin of ["invitation", "link", "request", "address"] as const) {
      await world.run((step) => beginContact(step, { id: origin, user: "u", status: "pending", origin, connection: origin }));
      for (let i = 0; i < 2; i++) await world.run((step) => connected(step, origin));
    }
    const waiting = await world.store.list(TABLE.outbox.name);
    expect(waiting.map(({ key }) => key.slice(0, key.indexOf("/")))).toEqual(["invitation"]);
    const [probe] = await world.run((step) => step.list(TABLE.outbox));
    expect(probe?.message?.event).toMatchObject({ type: "x.info.probe" });
  });

  it("that fails gets nothing more: what waited for it says so", async () => {
    const world = await RuleWorld.open();
    const item = await world.run((step) => compose(step, "c", { type: "text", text: "hello" }));
    await world.run((step) => failed(step, "c", "the link was used before"));
    expect(await world.run((step) => step.read(TABLE.items, item.id))).toMatchObject({ status: { type: "error" } });
    expect(await world.store.list(TABLE.outbox.name)).toEqual([]);
    await expect(world.run((step) => compose(step, "c", { type: "text", text: "hello?" }))).rejects.toMatchObject({ refusal: "PROHIBITED" });
  });

  it("that is deleted is told, after what was written before", async () => {
    const world = await RuleWorld.open();
    await world.run((step) => compose(step, "c", { type: "text", text: "bye" }));
    await world.run((step) => leaveContact(step, "c", true));
    const events = (await world.run((step) => step.list(TABLE.outbox))).map(({ message }) => message?.event.type);
    expect(events).toEqual(["x.msg.new", "x.direct.del"]);
    expect(await world.store.list(TABLE.items.name)).toEqual([]);
    expect(await contact(world)).toMatchObject({ status: "leaving" });
  });
});
