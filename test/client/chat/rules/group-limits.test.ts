import { describe, expect, it } from "vitest";
import { utf8 } from "#crypto/bytes";
import type { GroupLink, Member } from "../../../../client/chat/group-records.ts";
import { deleteInGroup } from "../../../../client/chat/rules/group/compose.ts";
import { linkRequestReceived } from "../../../../client/chat/rules/group/handshake.ts";
import { sendHistory } from "../../../../client/chat/rules/group/history.ts";
import { ARRIVING_PERIOD, MAX_ARRIVING, MAX_MEMBERS } from "../../../../client/chat/rules/group/limits.ts";
import { changeGroup } from "../../../../client/chat/rules/group/manage.ts";
import { groupOf } from "../../../../client/chat/rules/group/records.ts";
import { bodyReceived } from "../../../../client/chat/rules/receive.ts";
import { contactOf, updateContact } from "../../../../client/chat/rules/records.ts";
import { TABLE } from "../../../../client/chat/tables.ts";
import { GroupWorld, idOf, said, text } from "./group-world.ts";
import { invitationLink } from "./invitation-link.ts";
import { RuleWorld } from "./world.ts";

const HASH = "A".repeat(43);
const KEY = `${"B".repeat(42)}E`;
/** What stands in messages of members and is followed unasked only when it is an invitation. */
const OTHER_LINKS = [
  `https://relay.example.org/a#${KEY}?c=${HASH}`,
  `https://relay.example.org/i#${HASH.slice(0, 32)}/${KEY}?c=${HASH}`,
  "simplex:/contact#/?v=2-7&smp=x",
  "",
];

const info = (name: string): object =>
  ({ memberId: idOf(name), memberRole: "member", v: "1-16", profile: { displayName: name, fullName: "" } });

describe("a link that a member or a contact sends", () => {
  it.each(OTHER_LINKS)("is not followed when it is no invitation: %s", async (link) => {
    const world = await GroupWorld.open({ role: "member" });
    const host = await world.member("Host", { category: "host", role: "owner" });
    expect(await world.receive(host, said("x.grp.direct.inv", { connReq: link }))).toEqual([expect.stringMatching(/no invitation/u)]);
    expect(await world.run((step) => step.list(TABLE.contacts))).toEqual([]);
    const passedOn = said("x.grp.mem.fwd", { memberInfo: info("Bob"), memberIntro: { groupConnReq: link } });
    expect(await world.receive(host, passedOn)).toEqual([expect.stringMatching(/no invitation/u)]);
    expect(world.effects).toEqual([]);
    // It belongs to the group all the same.
    expect((await world.members()).at(-1)).toMatchObject({ name: "Bob", status: "announced", task: null, link: null });

    const alone = await RuleWorld.open();
    const groupInvitation = {
      fromMember: { memberId: idOf("Bob"), memberRole: "owner" },
      invitedMember: { memberId: idOf("Me"), memberRole: "member" },
      connRequest: link,
      groupProfile: { displayName: "g", fullName: "" },
    };
    const body = utf8(JSON.stringify(said("x.grp.inv", { groupInvitation })));
    await expect(alone.run((step) => bodyReceived(step, "c", { body, sentAt: 0, lost: 0 }))).rejects.toThrow(/no invitation/u);
  });
});

describe("a member who wants to be a contact", () => {
  it("is one contact, however often it leaves and asks again", async () => {
    const world = await GroupWorld.open({ profile: { displayName: "g", fullName: "", groupPreferences: { directMessages: { enable: "on" } } } });
    const bob = await world.member("Bob");
    const ask = async (): Promise<string[]> => world.receive(bob, said("x.grp.direct.inv", { connReq: invitationLink() }));
    expect(await ask()).toEqual([]);
    const [first] = await world.run((step) => step.list(TABLE.contacts));
    expect(first).toMatchObject({ status: "joining" });
    for (const status of ["left", "failed"] as const) {
      await world.run(async (step) => updateContact(step, await contactOf(step, first?.id ?? ""), { status, connection: null }));
      await ask();
      expect(world.effects).toEqual([{ type: "join", contact: first?.id }]);
      const contacts = await world.run((step) => step.list(TABLE.contacts));
      expect(contacts).toMatchObject([{ id: first?.id, status: "joining", failure: null }]);
      expect(contacts[0]?.link).not.toBe(first?.link);
    }
    await world.run(async (step) => updateContact(step, await contactOf(step, first?.id ?? ""), { status: "left", isBlocked: true }));
    await ask();
    expect(await world.run((step) => step.list(TABLE.contacts))).toMatchObject([{ status: "left" }]);
  });
});

describe("letting somebody in", () => {
  const accept = (name: string, role: string): object =>
    said("x.grp.link.acpt", { acceptance: "accepted", role, memberId: idOf(name) });

  it("changes nothing for who is in", async () => {
    for (const role of ["owner", "member"] as const) {
      const world = await GroupWorld.open({ role });
      const mod = await world.member("Mod", { role: "moderator" });
      await world.receive(mod, accept("Me", "observer"));
      expect(await world.current()).toMatchObject({ role, status: "connected" });
    }
  });

  it("gives nobody more than who lets in has", async () => {
    const world = await GroupWorld.open({ role: "member", status: "joining", isPending: true });
    const host = await world.member("Host", { category: "host", role: "admin" });
    const mod = await world.member("Mod", { role: "moderator" });
    const eve = await world.member("Eve", { status: "pending" });
    for (const name of ["Eve", "Me"]) {
      expect(await world.receive(mod, accept(name, "owner"))).toEqual([expect.stringMatching(/may not/u)]);
    }
    expect(await world.again(eve)).toMatchObject({ status: "pending", role: "member" });
    expect(await world.current()).toMatchObject({ status: "joining", role: "member" });
    expect(await world.receive(mod, accept("Eve", "author"))).toEqual([]);
    expect(await world.again(eve)).toMatchObject({ status: "connected", role: "author" });
    // The host says first that moderators will look.
    await world.receive(host, said("x.grp.link.acpt", { acceptance: "pending_review", role: "observer", memberId: idOf("Me") }));
    expect(await world.current()).toMatchObject({ status: "joining", role: "observer", isPending: true });
    expect(await world.receive(host, accept("Me", "member"))).toEqual([]);
    expect(await world.current()).toMatchObject({ status: "connected", role: "member", isPending: false });
  });
});

describe("what is for the moderators and one member", () => {
  const to = (name: string): object => ({ scope: { type: "member", memberId: idOf(name) } });

  it("does not let an observer speak to all", async () => {
    const world = await GroupWorld.open({ role: "member" });
    const watcher = await world.member("Watcher", { role: "observer" });
    for (const name of ["Watcher", "Me", "Nobody"]) {
      for (const event of ["x.msg.new", "x.msg.update"]) {
        const words = { ...text("psst", to(name)), ...(event === "x.msg.update" && { msgId: "cHNzdA==" }) };
        expect(await world.receive(watcher, said(event, words)), `${event} ${name}`).toEqual([expect.stringMatching(/for the moderators/u)]);
      }
    }
    expect(await world.items()).toEqual([]);
  });

  it("is written by moderators, and by members about themselves", async () => {
    const world = await GroupWorld.open({ role: "moderator" });
    const [watcher, mod] = [await world.member("Watcher", { role: "observer" }), await world.member("Mod", { role: "moderator" })];
    expect(await world.receive(watcher, said("x.msg.new", text("help", to("Watcher")), "aGVscA=="))).toEqual([]);
    expect(await world.receive(watcher, said("x.msg.new", text("as Mod", to("Mod"))))).toHaveLength(1);
    expect(await world.receive(mod, said("x.msg.new", text("yes?", to("Watcher"))))).toEqual([]);
    // An edit is for those who have the message.
    expect(await world.receive(watcher, said("x.msg.update", { msgId: "aGVscA==", ...text("help me") }))).toEqual([]);
    expect(await world.texts()).toEqual(["help me", "yes?"]);
  });

  it("and reports are not shown to newcomers", async () => {
    const world = await GroupWorld.open();
    const [bob, late] = [await world.member("Bob"), await world.member("Late")];
    await world.receive(bob, said("x.msg.new", text("hello")));
    await world.receive(bob, said("x.msg.new", { content: { type: "report", text: "spam", reason: "spam" } }));
    expect(await world.texts()).toEqual(["hello", "spam"]);
    await world.run(async (step) => sendHistory(step, await groupOf(step, world.group), late));
    expect((await world.waiting(late)).map(({ event }) => event)).toMatchObject([{ params: { msg: { params: { content: { text: "hello" } } } } }]);
  });
});

describe("a message that was removed", () => {
  const full = { groupPreferences: { fullDelete: { enable: "on" } } } as const;
  const edit = (): object => said("x.msg.update", { msgId: "c3BhbQ==", ...text("spam again") });

  it.each(["a moderator", "the user"])("by %s does not come again by an edit of its author", async (who) => {
    const world = await GroupWorld.open();
    const [bob, mod] = [await world.member("Bob"), await world.member("Mod", { role: "moderator" })];
    await world.run((step) => changeGroup(step, world.group, full));
    await world.receive(bob, said("x.msg.new", text("spam"), "c3BhbQ=="));
    const spam = (await world.items()).find(({ body }) => body.type === "message");
    if (who === "the user" && spam) await world.run((step) => deleteInGroup(step, spam));
    else await world.receive(mod, said("x.msg.del", { msgId: "c3BhbQ==", memberId: idOf("Bob") }));
    await world.receive(bob, edit(), edit());
    expect(await world.texts()).toEqual([]);
  });

  it("before it came stays marked, where the group removes nothing", async () => {
    const world = await GroupWorld.open();
    const [bob, mod] = [await world.member("Bob"), await world.member("Mod", { role: "moderator" })];
    await world.receive(mod, said("x.msg.del", { msgId: "c3BhbQ==", memberId: idOf("Bob") }));
    await world.receive(bob, edit());
    expect(await world.items()).toMatchObject([{ deletedBy: mod.id }]);
  });
});

describe("a group with a link", () => {
  const link = (group: string): GroupLink =>
    ({ group, user: "u", connection: "link", link: "simplex:/contact", shortLink: null, role: "member", isStale: false });

  async function arrive(world: GroupWorld, name: string): Promise<boolean> {
    const profile = { displayName: name, fullName: "" };
    const bytes = utf8(JSON.stringify({ v: "1-16", event: "x.contact", params: { profile } }));
    await world.run((step) => linkRequestReceived(step, link(world.group), { request: `request ${name}`, info: bytes }));
    return world.effects.every(({ type }) => type !== "reject");
  }

  async function crowd(world: GroupWorld, part: Partial<Member>): Promise<void> {
    const member = await world.member("Gone 0", part);
    await world.run(async (step) => {
      const group = await groupOf(step, world.group);
      step.put(TABLE.groups, group.id, { ...group, nextMember: group.nextMember + MAX_MEMBERS });
      for (let i = 1; i <= MAX_MEMBERS; i++) {
        const id = `${member.id}${i}`;
        step.put(TABLE.members, id, { ...member, id, name: `Gone ${i}`, memberId: idOf(`Gone ${i}`) });
      }
    });
  }

  it("is not full of who is gone, and counts its members once for all that one message says", async () => {
    const world = await GroupWorld.open();
    const admin = await world.member("Admin", { role: "admin" });
    await crowd(world, { status: "left", connection: null, isReady: false });
    expect(await arrive(world, "New")).toBe(true);
    const { store } = world;
    const read = store.read.bind(store);
    let count = 0;
    store.read = (table, key) => (count += Number(table === TABLE.members.name), read(table, key));
    const many = Array.from({ length: 20 }, (_, i) => said("x.grp.mem.new", { memberInfo: info(`m${i}`) }));
    expect(await world.receive(admin, ...many)).toEqual([]);
    expect(count).toBeLessThan(2 * MAX_MEMBERS);
  });

  it("has places for some who are arriving, and who does not come gives its place up", async () => {
    const world = await GroupWorld.open();
    for (let i = 0; i < MAX_ARRIVING; i++) expect(await arrive(world, `n${i}`)).toBe(true);
    expect(await arrive(world, "early")).toBe(false);
    world.now += ARRIVING_PERIOD;
    expect(await arrive(world, "late")).toBe(true);
    expect(world.effects).toContainEqual({ type: "drop", connection: "request n0" });
    const names = (await world.members()).map(({ name }) => name);
    expect(names).toHaveLength(MAX_ARRIVING);
    expect([names[0], names.at(-1)]).toEqual(["n1", "late"]);
  });
});
