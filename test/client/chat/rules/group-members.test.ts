import { describe, expect, it } from "vitest";
import { memberConnected } from "../../../../client/chat/rules/group/handshake.ts";
import { MAX_MEMBERS, MAX_UNKNOWN_MEMBERS } from "../../../../client/chat/rules/group/limits.ts";
import { composeInGroup } from "../../../../client/chat/rules/group/compose.ts";
import { blockMember } from "../../../../client/chat/rules/group/manage.ts";
import { TABLE } from "../../../../client/chat/tables.ts";
import { GroupWorld, idOf, said, text } from "./group-world.ts";
import { invitationLink } from "./invitation-link.ts";

const info = (name: string, role = "member"): object => ({
  memberId: idOf(name),
  memberRole: role,
  v: "1-16",
  profile: { displayName: name, fullName: "" },
});

describe("who lets somebody in", () => {
  it("tells the others of it and it of the others, admins first, once for each pair", async () => {
    const world = await GroupWorld.open();
    const [bob, carol] = [await world.member("Bob"), await world.member("Carol", { role: "admin" })];
    const gone = await world.member("Gone", { status: "left", isReady: false, connection: null });
    const dave = await world.member("Dave", { status: "connecting", isReady: false });
    const eve = await world.member("Eve", { status: "connecting", isReady: false });
    await world.run((step) => memberConnected(step, dave.id));
    expect(await world.sentTo(bob)).toEqual(["x.grp.mem.new"]);
    expect(await world.sentTo(gone)).toEqual([]);
    // Eve is on her way: what is for her waits.
    expect(await world.sentTo(eve)).toEqual(["x.grp.mem.new"]);
    const introduced = (await world.waiting(dave)).map(({ event }) => {
      return event.type === "x.grp.mem.intro" ? event.params.memberInfo.profile.displayName : event.type;
    });
    expect(introduced).toEqual(["x.grp.link.mem", "Carol", "Bob", "Eve"]);
    await world.run((step) => memberConnected(step, dave.id));
    expect(await world.sentTo(bob)).toHaveLength(1);
    await world.run((step) => memberConnected(step, eve.id));
    const toEve = (await world.waiting(eve)).map(({ event }) => event.type);
    // She and Dave were introduced already.
    expect(toEve).toEqual(["x.grp.mem.new", "x.grp.link.mem", "x.grp.mem.intro", "x.grp.mem.intro"]);
    expect(await world.sentTo(carol)).toEqual(["x.grp.mem.new", "x.grp.mem.new"]);
  });

  it("passes on the invitation of a newcomer once, and to nobody else", async () => {
    const world = await GroupWorld.open();
    const [bob, carol] = [await world.member("Bob"), await world.member("Carol", { status: "connecting", isReady: false })];
    await world.run((step) => memberConnected(step, carol.id));
    const invitation = (memberId: string): object => said("x.grp.mem.inv", { memberId, memberIntro: { groupConnReq: "link" } });
    expect(await world.receive(carol, invitation(idOf("Bob")))).toEqual([]);
    await world.receive(carol, invitation(idOf("Bob")));
    expect((await world.sentTo(bob)).filter((type) => type === "x.grp.mem.fwd")).toHaveLength(1);
    expect(await world.receive(carol, invitation(idOf("Nobody")))).toEqual([expect.stringMatching(/not known/u)]);
    // Only the newcomer of two makes an invitation.
    expect(await world.receive(bob, invitation(idOf("Carol")))).toEqual([expect.stringMatching(/not introduced/u)]);
  });

  it("passes on what two say until they say that they are connected", async () => {
    const world = await GroupWorld.open();
    const [bob, carol] = [await world.member("Bob"), await world.member("Carol", { status: "connecting", isReady: false })];
    await world.run((step) => memberConnected(step, carol.id));
    const before = (await world.sentTo(bob)).length;
    await world.receive(carol, said("x.msg.new", text("one")), said("x.msg.new", text("two")));
    await world.receive(bob, said("x.msg.new", text("three")));
    expect((await world.sentTo(bob)).slice(before)).toEqual(["x.grp.msg.forward", "x.grp.msg.forward"]);
    const passed = (await world.waiting(bob)).at(-1)?.event;
    expect(passed).toMatchObject({ params: { memberId: idOf("Carol"), memberName: "Carol", msg: { params: { content: { text: "two" } } } } });
    expect((await world.sentTo(carol)).at(-1)).toBe("x.grp.msg.forward");
    // Carol sends to Bob herself now; Bob has not said so yet.
    await world.receive(carol, said("x.grp.mem.con", { memberId: idOf("Bob") }));
    const [atBob, atCarol] = [(await world.sentTo(bob)).length, (await world.sentTo(carol)).length];
    await world.receive(carol, said("x.msg.new", text("four")));
    await world.receive(bob, said("x.msg.new", text("five")));
    expect(await world.sentTo(bob)).toHaveLength(atBob);
    expect(await world.sentTo(carol)).toHaveLength(atCarol + 1);
    await world.receive(bob, said("x.grp.mem.con", { memberId: idOf("Carol") }));
    await world.receive(bob, said("x.msg.new", text("six")));
    expect(await world.sentTo(carol)).toHaveLength(atCarol + 1);
  });

  it("passes nothing on that is not for everybody, of nobody who is blocked, and only as an admin", async () => {
    const world = await GroupWorld.open();
    const [bob, carol] = [await world.member("Bob"), await world.member("Carol", { status: "connecting", isReady: false })];
    await world.run((step) => memberConnected(step, carol.id));
    const before = (await world.sentTo(bob)).length;
    await world.receive(carol, said("x.msg.new", { content: { type: "report", text: "spam", reason: "spam" } }));
    await world.receive(carol, said("x.msg.new", text("to moderators", { scope: { type: "member", memberId: idOf("Carol") } })));
    expect(await world.sentTo(bob)).toHaveLength(before);
    await world.run((step) => blockMember(step, world.group, carol.id, { isRestricted: true }));
    expect((await world.waiting(bob)).at(-1)?.event).toMatchObject({ type: "x.grp.mem.restrict" });
    expect(await world.sentTo(carol)).not.toContain("x.grp.mem.restrict");
    await world.receive(carol, said("x.msg.new", text("blocked")));
    expect(await world.sentTo(bob)).toHaveLength(before + 1);
    expect(await world.texts()).not.toContain("blocked");
  });
});

describe("who is let in", () => {
  it("makes a connection for each member who was there before, as the host alone tells", async () => {
    const world = await GroupWorld.open({ role: "member" });
    const host = await world.member("Host", { category: "host", role: "owner" });
    const other = await world.member("Other", { category: "pre", role: "owner" });
    await world.receive(host, said("x.grp.mem.intro", { memberInfo: info("Bob"), memberRestrictions: { restriction: "blocked" } }));
    const { effects } = world;
    const bob = (await world.members()).find(({ name }) => name === "Bob");
    expect(bob).toMatchObject({ category: "pre", status: "connecting", task: "invite", isRestricted: true });
    expect(effects).toContainEqual({ type: "make", member: bob?.id });
    await world.receive(host, said("x.grp.mem.intro", { memberInfo: info("Bob") }));
    expect(await world.members()).toHaveLength(3);
    expect(await world.receive(other, said("x.grp.mem.intro", { memberInfo: info("Eve") }))).toEqual([expect.stringMatching(/for the host/u)]);
    expect(await world.receive(host, said("x.grp.mem.intro", { memberInfo: { ...info("Old"), v: "1" } }))).toEqual([expect.stringMatching(/too old/u)]);
    // Nobody introduces the user to itself.
    await world.receive(host, said("x.grp.mem.intro", { memberInfo: info("Me") }));
    expect(await world.members()).toHaveLength(3);
  });

  it("is not made to keep any number of members", async () => {
    const world = await GroupWorld.open({ role: "member" });
    const host = await world.member("Host", { category: "host", role: "owner" });
    const crowd = Array.from({ length: MAX_MEMBERS + 20 }, (_, i) => said("x.grp.mem.intro", { memberInfo: info(`m${i}`) }));
    const errors = await world.receive(host, ...crowd);
    expect(await world.members()).toHaveLength(MAX_MEMBERS);
    expect(errors).toHaveLength(21);
  }, 60_000);

  it("follows the invitation of a newcomer once, as an admin passes it on", async () => {
    const world = await GroupWorld.open({ role: "member" });
    const [admin, member] = [await world.member("Admin", { category: "host", role: "admin" }), await world.member("Plain", { category: "pre" })];
    const link = invitationLink();
    const invitation = (name: string, role = "member"): object =>
      said("x.grp.mem.fwd", { memberInfo: info(name, role), memberIntro: { groupConnReq: link } });
    expect(await world.receive(member, invitation("Bob"))).toEqual([expect.stringMatching(/may not bring in/u)]);
    expect(await world.receive(admin, invitation("Bob", "owner"))).toEqual([expect.stringMatching(/may not bring in/u)]);
    await world.receive(admin, said("x.grp.mem.new", { memberInfo: info("Bob") }));
    await world.receive(admin, invitation("Bob"));
    const bob = (await world.members()).find(({ name }) => name === "Bob");
    expect(bob).toMatchObject({ category: "post", task: "join", link, invitedBy: admin.id });
    await world.receive(admin, said("x.grp.mem.fwd", { memberInfo: info("Bob"), memberIntro: { groupConnReq: invitationLink() } }));
    expect((await world.members()).find(({ name }) => name === "Bob")?.link).toBe(link);
    // Its announcement may be late.
    await world.receive(admin, invitation("Carol"));
    expect((await world.members()).find(({ name }) => name === "Carol")).toMatchObject({ task: "join" });
    expect(await world.events()).toEqual(["memberJoined Bob"]);
  });

  it("sends to members who are not connected through their host, and what cannot be passed on later", async () => {
    const world = await GroupWorld.open({ role: "admin" });
    const host = await world.member("Host", { category: "host", role: "owner" });
    await world.run(async (step) => {
      const group = await step.read(TABLE.groups, world.group);
      if (group) step.put(TABLE.groups, world.group, { ...group, host: host.id });
    });
    const bob = await world.member("Bob", { category: "pre", status: "connecting", isReady: false });
    const item = await world.run((step) => composeInGroup(step, world.group, { type: "text", text: "hello" }));
    expect(await world.sentTo(host)).toEqual(["x.msg.new"]);
    expect(await world.sentTo(bob)).toEqual([]);
    expect(await world.run((step) => step.read(TABLE.deliveries, item.id))).toEqual({ members: { [host.id]: { type: "new" } } });
  });
});

describe("what came twice", () => {
  it("is one message, and who passed it on is told", async () => {
    const world = await GroupWorld.open({ role: "member" });
    const [host, bob] = [await world.member("Host", { category: "host", role: "owner" }), await world.member("Bob", { category: "pre" })];
    const message = said("x.msg.new", text("hello"), "aGVsbG8=");
    const forward = { v: "1-16", event: "x.grp.msg.forward", params: { memberId: idOf("Bob"), msg: message, msgTs: "2026-11-23T10:00:00Z" } };
    await world.receive(host, forward);
    expect(await world.items()).toMatchObject([{ member: bob.id, sentAt: Date.UTC(2026, 10, 23, 10) }]);
    await world.receive(bob, message);
    expect((await world.waiting(host)).map(({ event }) => event)).toEqual([{ type: "x.grp.mem.con", params: { memberId: idOf("Bob") } }]);
    const other = said("x.msg.new", text("again"), "YWdhaW4=");
    await world.receive(bob, other);
    await world.receive(host, { ...forward, params: { ...forward.params, msg: other } });
    expect(await world.sentTo(host)).toEqual(["x.grp.mem.con", "x.grp.mem.con"]);
    expect(await world.texts()).toEqual(["hello", "again"]);
    // Another member's message of the same id is another message.
    await world.receive(host, message);
    expect(await world.texts()).toEqual(["hello", "again", "hello"]);
  });
});

describe("what members may not", () => {
  it("is refused: roles, removals, blocks, the group itself", async () => {
    const world = await GroupWorld.open({ role: "owner" });
    const [bob, mod] = [await world.member("Bob"), await world.member("Mod", { role: "moderator" })];
    const admin = await world.member("Admin", { role: "admin" });
    const refused = /may not|not its owner|observer|for admins/u;
    for (const [from, event, params] of [
      [bob, "x.grp.mem.role", { memberId: idOf("Bob"), role: "owner" }],
      [admin, "x.grp.mem.role", { memberId: idOf("Admin"), role: "owner" }],
      [admin, "x.grp.mem.role", { memberId: idOf("Me"), role: "observer" }],
      [mod, "x.grp.mem.del", { memberId: idOf("Bob") }],
      [admin, "x.grp.mem.del", { memberId: idOf("Me") }],
      [bob, "x.grp.mem.restrict", { memberId: idOf("Mod"), memberRestrictions: { restriction: "blocked" } }],
      [mod, "x.grp.mem.restrict", { memberId: idOf("Admin"), memberRestrictions: { restriction: "blocked" } }],
      [admin, "x.grp.del", {}],
      [admin, "x.grp.info", { groupProfile: { displayName: "mine", fullName: "" } }],
      [admin, "x.grp.prefs", { groupPreferences: { history: { enable: "on" } } }],
      [bob, "x.grp.mem.new", { memberInfo: info("Friend") }],
      [admin, "x.grp.mem.new", { memberInfo: info("King", "owner") }],
      [bob, "x.grp.msg.forward", { memberId: idOf("Mod"), msg: said("x.msg.new", text("forged")), msgTs: "2026-11-23T10:00:00Z" }],
    ] as const) {
      expect([event, await world.receive(from, said(event, params))]).toEqual([event, [expect.stringMatching(refused)]]);
    }
    expect(await world.items()).toEqual([]);
    expect((await world.members()).map(({ role }) => role)).toEqual(["member", "moderator", "admin"]);
    expect(await world.current()).toMatchObject({ role: "owner", status: "connected", name: "g" });
  });

  it("does not take along what came with it in the same body", async () => {
    const world = await GroupWorld.open();
    const bob = await world.member("Bob");
    const errors = await world.receive(bob, said("x.msg.new", text("one")), said("x.grp.del", {}), { event: 1 }, said("x.msg.new", text("two")));
    expect(errors).toHaveLength(1);
    expect(await world.texts()).toEqual(["one", "two"]);
    expect(await world.events()).toEqual([expect.stringMatching(/^unreadable/u)]);
  });

  it("includes speaking for the user, and for any number of strangers", async () => {
    const world = await GroupWorld.open({ role: "member" });
    const host = await world.member("Host", { category: "host", role: "owner" });
    const forward = (memberId: string): object =>
      said("x.grp.msg.forward", { memberId, msg: said("x.msg.new", text("forged")), msgTs: "2026-11-23T10:00:00Z" });
    expect(await world.receive(host, forward(idOf("Me")))).toEqual([expect.stringMatching(/user's own/u)]);
    expect(await world.texts()).toEqual([]);
    const strangers = Array.from({ length: MAX_UNKNOWN_MEMBERS + 5 }, (_, i) => forward(idOf(`stranger ${i}`)));
    expect(await world.receive(host, ...strangers)).toHaveLength(5);
    expect((await world.members()).filter(({ status }) => status === "unknown")).toHaveLength(MAX_UNKNOWN_MEMBERS);
    // What is not passed on by honest hosts is not taken from others.
    const intro = said("x.grp.msg.forward", { memberId: idOf("Host"), msg: said("x.grp.mem.intro", { memberInfo: info("X") }), msgTs: "2026-11-23T10:00:00Z" });
    expect(await world.receive(host, intro)).toEqual([expect.stringMatching(/not passed on/u)]);
  }, 60_000);

  it("includes writing as an observer, and changing what others wrote", async () => {
    const world = await GroupWorld.open();
    const [bob, eve] = [await world.member("Bob"), await world.member("Eve")];
    const watcher = await world.member("Watcher", { role: "observer" });
    expect(await world.receive(watcher, said("x.msg.new", text("psst")))).toEqual([expect.stringMatching(/observer/u)]);
    await world.receive(bob, said("x.msg.new", text("mine"), "bWluZQ=="));
    expect(await world.receive(eve, said("x.msg.del", { msgId: "bWluZQ==", memberId: idOf("Bob") }))).toEqual([expect.stringMatching(/may not/u)]);
    // An edit of what Eve never wrote is a message of hers.
    await world.receive(eve, said("x.msg.update", { msgId: "bWluZQ==", ...text("not yours") }));
    expect(await world.texts()).toEqual(["mine", "not yours"]);
    const react = (emoji: string): object =>
      said("x.msg.react", { msgId: "bWluZQ==", memberId: idOf("Bob"), reaction: { type: "emoji", emoji }, add: true });
    await world.receive(eve, react("👍"), react("👍"), react("😀"), react("🚀"), react("❤"));
    await world.receive(watcher, react("👍"));
    const [item] = await world.items();
    expect(item?.reactions.map(({ member }) => member)).toEqual([eve.id, eve.id, eve.id, watcher.id]);
  });
});

describe("names of members", () => {
  it("are unique, and who is gone leaves its name to who comes again", async () => {
    const world = await GroupWorld.open();
    const [first, second] = [await world.member("Bob"), await world.member("Bob", { memberId: idOf("Bob 2") })];
    expect(second.name).toBe("Bob_1");
    await world.receive(first, said("x.grp.leave", {}));
    const third = await world.member("Bob", { memberId: idOf("Bob 3") });
    expect(third.name).toBe("Bob");
    expect((await world.members()).map(({ name }) => name)).toEqual(["Bob_2", "Bob_1", "Bob"]);
    await world.receive(second, said("x.info", { profile: { displayName: "Bob", fullName: "the second" } }));
    expect((await world.again(second)).name).toBe("Bob_1");
    await world.receive(second, said("x.info", { profile: { displayName: "\u202EboB", fullName: "" } }));
    expect((await world.again(second)).name).toBe("\u{fffd}boB");
  });
});
