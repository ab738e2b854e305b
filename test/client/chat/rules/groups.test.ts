import { describe, expect, it } from "vitest";
import {
  composeInGroup,
  deleteInGroup,
  editInGroup,
  reactInGroup,
} from "../../../../client/chat/rules/group/compose.ts";
import {
  changeGroup,
  deleteGroup,
  memberEnded,
  removeMember,
  setRole,
} from "../../../../client/chat/rules/group/manage.ts";
import type { Item, ItemStatus } from "../../../../client/chat/records.ts";
import { doubt, firstWaiting, handingOver, setStatus } from "../../../../client/chat/rules/outbox.ts";
import { itemOf } from "../../../../client/chat/rules/records.ts";
import { TABLE } from "../../../../client/chat/tables.ts";
import { GroupWorld, idOf, said, text } from "./group-world.ts";
import { START } from "./world.ts";

describe("moderation", () => {
  it("holds for a message that comes after it, unless the moderator is none", async () => {
    const world = await GroupWorld.open();
    const [bob, mod] = [await world.member("Bob"), await world.member("Mod", { role: "moderator" })];
    await world.receive(mod, said("x.msg.del", { msgId: "bGF0ZQ==", memberId: idOf("Bob") }));
    await world.receive(bob, said("x.msg.new", text("late"), "bGF0ZQ=="));
    expect(await world.items()).toMatchObject([{ deletedBy: mod.id }]);
    await world.receive(mod, said("x.msg.del", { msgId: "bGF0ZXI=", memberId: idOf("Bob") }));
    await world.run((step) => setRole(step, world.group, mod.id, "member"));
    await world.receive(bob, said("x.msg.new", text("later"), "bGF0ZXI="));
    expect((await world.items()).at(-1)).toMatchObject({ deletedAt: null });
  });

  it("removes what a member wrote along with it", async () => {
    const world = await GroupWorld.open();
    const [bob, carol] = [await world.member("Bob"), await world.member("Carol")];
    await world.receive(bob, said("x.msg.new", text("spam")));
    await world.receive(carol, said("x.msg.new", text("ham")));
    await world.run((step) => changeGroup(step, world.group, { groupPreferences: { fullDelete: { enable: "on" } } }));
    await world.run((step) => removeMember(step, world.group, bob.id, true));
    expect(await world.texts()).toEqual(["ham"]);
    expect((await world.waiting(carol)).at(-1)?.event).toMatchObject({ params: { memberId: idOf("Bob"), messages: true } });
    // It is told itself, and its connection goes after that.
    expect(await world.sentTo(bob)).toContain("x.grp.mem.del");
    expect(await world.again(bob)).toMatchObject({ status: "removed", isEnding: true });
    await world.run((step) => memberEnded(step, bob.id));
    expect(await world.again(bob)).toMatchObject({ connection: null, isEnding: false });
  });
});

describe("settings of the group", () => {
  it("bind all: links, voice, files, disappearing messages", async () => {
    const world = await GroupWorld.open();
    const bob = await world.member("Bob");
    const groupPreferences = {
      simplexLinks: { enable: "off" },
      voice: { enable: "on", role: "admin" },
      files: { enable: "off" },
      timedMessages: { enable: "on", ttl: 60 },
    } as const;
    await world.run((step) => changeGroup(step, world.group, { groupPreferences }));
    await world.receive(bob, said("x.msg.new", text("join https://relay.example/g#abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG")));
    await world.receive(bob, said("x.msg.new", { content: { type: "voice", text: "", duration: 1 }, file: { fileName: "v", fileSize: 1 } }));
    await world.receive(bob, said("x.msg.new", { content: { type: "file", text: "" }, file: { fileName: "f", fileSize: 1 } }));
    await world.receive(bob, said("x.msg.new", text("see https://example.org/", { ttl: 30 })));
    expect(await world.events()).toEqual(["preferencesChanged timedMessages directMessages voice files simplexLinks history", "refused simplexLinks", "refused voice", "refused files"]);
    expect((await world.items()).at(-1)).toMatchObject({ ttl: 30 });
    const own = await world.run((step) => composeInGroup(step, world.group, { type: "text", text: "own" }));
    expect(own).toMatchObject({ ttl: 60 });
    await expect(world.run((step) => composeInGroup(step, world.group, { type: "text", text: "simplex:/contact#x" }))).rejects.toThrow(/not allowed/u);
  });

  it("bind links beside a voice message too, and those that come by an edit", async () => {
    const world = await GroupWorld.open();
    const bob = await world.member("Bob");
    await world.run((step) => changeGroup(step, world.group, { groupPreferences: { simplexLinks: { enable: "off" } } }));
    const voice = (words: string): object => ({ content: { type: "voice", text: words, duration: 1 } });
    const file = { file: { fileName: "v", fileSize: 1 } };
    await world.receive(bob, said("x.msg.new", { ...voice("simplex:/contact#x"), ...file }));
    expect((await world.events()).at(-1)).toBe("refused simplexLinks");
    await world.receive(bob, said("x.msg.new", { ...voice("listen"), ...file }, "dm9pY2U="));
    await world.receive(bob, said("x.msg.update", { msgId: "dm9pY2U=", ...voice("simplex:/contact#x") }));
    expect((await world.items()).at(-1)).toMatchObject({ body: { container: { content: { type: "voice", text: "listen" } } } });
  });
});

describe("the welcome text of a group", () => {
  it("stays when something else is changed, and goes when an empty one is set", async () => {
    const world = await GroupWorld.open();
    const bob = await world.member("Bob");
    const told = async (): Promise<unknown> => (await world.waiting(bob)).at(-1)?.event;
    await world.run((step) => changeGroup(step, world.group, { description: "Welcome" }));
    const renamed = await world.run((step) => changeGroup(step, world.group, { displayName: "better name" }));
    expect(renamed.profile).toMatchObject({ displayName: "better name", description: "Welcome" });
    expect(await told()).toMatchObject({ params: { groupProfile: { description: "Welcome" } } });
    const bare = await world.run((step) => changeGroup(step, world.group, { description: "" }));
    expect(bare.profile).not.toHaveProperty("description");
    expect(await told()).toMatchObject({ params: { groupProfile: { displayName: "better name" } } });
    expect(await told()).not.toHaveProperty("params.groupProfile.description");
  });
});

describe("a group that is deleted", () => {
  it("leaves nothing behind once its connections are gone", async () => {
    const world = await GroupWorld.open();
    const [bob, carol] = [await world.member("Bob"), await world.member("Carol", { status: "invited", isReady: false, connection: null })];
    await world.receive(bob, said("x.msg.new", text("hello"), "aGVsbG8="));
    await world.run((step) => composeInGroup(step, world.group, { type: "text", text: "own" }));
    await world.run((step) => deleteGroup(step, world.group));
    expect((await world.sentTo(bob)).at(-1)).toBe("x.grp.del");
    expect(await world.sentTo(carol)).toEqual([]);
    await world.run((step) => memberEnded(step, carol.id));
    expect(await world.current()).toMatchObject({ status: "leaving" });
    await world.run((step) => memberEnded(step, bob.id));
    for (const table of Object.values(TABLE)) {
      const keys = (await world.store.list(table.name)).map(({ key }) => key);
      expect([table.name, keys.filter((key) => key.includes(world.group))]).toEqual([table.name, []]);
    }
  });
});

describe("an own message that is taken back", () => {
  const hello = { type: "text", text: "hello" } as const;

  it("before anybody has it is not sent at all", async () => {
    const world = await GroupWorld.open();
    const bob = await world.member("Bob");
    const item = await world.run((step) => composeInGroup(step, world.group, hello));
    await world.run((step) => deleteInGroup(step, item));
    expect(await world.sentTo(bob)).toEqual([]);
    expect(await world.items()).toEqual([]);
    expect(await world.store.list(TABLE.deliveries.name)).toEqual([]);
  });

  it("after one has it, or may have it, is taken back from all", async () => {
    for (const isDoubtful of [false, true]) {
      const world = await GroupWorld.open();
      const [bob, carol] = [await world.member("Bob"), await world.member("Carol")];
      const item = await world.run((step) => composeInGroup(step, world.group, hello));
      await world.run(async (step) => {
        if (isDoubtful) return doubt(step, bob.id, 10);
        (await handingOver(step, bob.id, await firstWaiting(step, bob.id, 10)))(7);
      });
      await world.run(async (step) => deleteInGroup(step, await itemOf(step, item.id)));
      expect(await world.sentTo(bob)).toEqual(["x.msg.del"]);
      expect(await world.sentTo(carol)).toEqual(["x.msg.del"]);
      expect(await world.items()).toMatchObject([{ deletedAt: START }]);
    }
  });
});

describe("the fate of an own message", () => {
  it("is that of the slowest who can have it, and of each", async () => {
    const world = await GroupWorld.open();
    const people = [await world.member("Bob"), await world.member("Carol"), await world.member("Dave")];
    const item = await world.run((step) => composeInGroup(step, world.group, { type: "text", text: "hello" }));
    const sent = { type: "sent", isProxied: true } as const;
    const note = (index: number, status: ItemStatus): Promise<void> =>
      world.run((step) => setStatus(step, people[index]?.id ?? "", [item.id], status));
    const now = async (): Promise<string> => (await world.run((step) => itemOf(step, item.id))).status.type;
    expect(await now()).toBe("new");
    await note(0, { type: "sending" });
    expect(await now()).toBe("sending");
    await note(0, sent);
    expect(await now()).toBe("sent");
    await note(0, { type: "delivered", isIntact: true });
    await note(1, { type: "delivered", isIntact: true });
    expect(await now()).toBe("sent");
    await note(2, { type: "error", reason: "NOT_AVAILABLE", detail: "gone" });
    expect(await now()).toBe("delivered");
    await note(0, sent);
    const deliveries = await world.run((step) => step.read(TABLE.deliveries, item.id));
    expect(people.map(({ id }) => deliveries?.members[id]?.type)).toEqual(["delivered", "delivered", "error"]);
  });
});

describe("what is for the moderators", () => {
  it("goes to them alone, with all that follows from it", async () => {
    const world = await GroupWorld.open({ role: "member" });
    const [bob, mod] = [await world.member("Bob"), await world.member("Mod", { role: "moderator" })];
    await world.receive(bob, said("x.msg.new", text("spam"), "c3BhbQ=="));
    const [spam] = await world.items();
    const report = await world.run((step) => composeInGroup(step, world.group, { type: "report", text: "", reason: "spam" }, { quote: spam?.id ?? "" }));
    await world.run((step) => editInGroup(step, report, { type: "report", text: "really", reason: "spam" }));
    expect(await world.sentTo(bob)).toEqual([]);
    const scope = { type: "member", memberId: idOf("Me") };
    expect((await world.waiting(mod)).map(({ event }) => event)).toMatchObject([
      { type: "x.msg.new", params: { scope, quote: { content: { text: "spam" } } } },
      { type: "x.msg.update", params: { scope } },
    ]);
    await world.receive(mod, said("x.msg.new", text("thanks", { scope }), "dGhhbmtz"));
    const thanks = (await world.items()).at(-1);
    await world.run((step) => reactInGroup(step, thanks as Item, "👍", true));
    await world.run((step) => composeInGroup(step, world.group, { type: "text", text: "welcome" }, { quote: thanks?.id ?? "" }));
    expect(await world.sentTo(bob)).toEqual([]);
    expect((await world.waiting(mod)).slice(2).map(({ event }) => event)).toMatchObject([
      { type: "x.msg.react", params: { scope } },
      { type: "x.msg.new", params: { scope } },
    ]);
    await world.run((step) => composeInGroup(step, world.group, { type: "text", text: "to all" }));
    expect(await world.sentTo(bob)).toEqual(["x.msg.new"]);
  });
});
