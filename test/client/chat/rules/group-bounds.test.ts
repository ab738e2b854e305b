import { describe, expect, it } from "vitest";
import { MAX_EARLY } from "../../../../client/chat/rules/early.ts";
import { composeInGroup } from "../../../../client/chat/rules/group/compose.ts";
import { dismissed } from "../../../../client/chat/rules/group/changes.ts";
import { sendHistory } from "../../../../client/chat/rules/group/history.ts";
import { HISTORY_SEARCH } from "../../../../client/chat/rules/group/limits.ts";
import { groupOf } from "../../../../client/chat/rules/group/records.ts";
import { addEvent } from "../../../../client/chat/rules/items.ts";
import { enqueue } from "../../../../client/chat/rules/outbox.ts";
import { bodyReceived } from "../../../../client/chat/rules/receive.ts";
import { sharedKey, TABLE } from "../../../../client/chat/tables.ts";
import { chatMessage } from "../../../../client/chat/wire/message.ts";
import { utf8 } from "#crypto/bytes";
import { GroupWorld, idOf, said, text } from "./group-world.ts";
import { RuleWorld } from "./world.ts";

const REACTION = { reaction: { type: "emoji", emoji: "👍" }, add: true };
const nth = (number: number): string => btoa(`message ${number}`);

/** As many as may wait, the first of them for the longest time. */
const fill = (world: RuleWorld, keyOf: (number: number) => string): Promise<void> => world.run((step) => {
  for (let i = 0; i < MAX_EARLY; i++) step.put(TABLE.earlyReactions, keyOf(i), { reactions: [], at: i });
});

describe("reactions to messages that are not here", () => {
  it("of a member wait in bounds; those that came last are there for their messages", async () => {
    const world = await GroupWorld.open();
    const [bob, carol] = [await world.member("Bob"), await world.member("Carol")];
    const react = (number: number, add: boolean): object =>
      said("x.msg.react", { msgId: nth(number), memberId: idOf("Carol"), ...REACTION, add });
    await fill(world, (number) => sharedKey(world.group, false, nth(number), carol.id));
    await world.receive(bob, react(MAX_EARLY, true), react(MAX_EARLY + 1, true));
    const before = await world.store.keys(TABLE.earlyReactions.name);
    expect(before).toHaveLength(MAX_EARLY / 2 + 2);
    expect(before).not.toContain(sharedKey(world.group, false, nth(0), carol.id));
    await world.receive(carol, said("x.msg.new", text("the last"), nth(MAX_EARLY)));
    expect((await world.items()).map(({ reactions }) => reactions.length)).toEqual([1]);
    // What is taken back is not kept.
    await world.receive(bob, react(MAX_EARLY + 1, false));
    expect(await world.store.keys(TABLE.earlyReactions.name)).toHaveLength(before.length - 2);
  });

  it("of a contact wait in bounds", async () => {
    const world = await RuleWorld.open();
    await fill(world, (number) => sharedKey("c", false, nth(number)));
    const body = utf8(JSON.stringify({ v: "1-16", msgId: "YmJi", event: "x.msg.react", params: { msgId: nth(MAX_EARLY), ...REACTION } }));
    await world.run((step) => bodyReceived(step, "c", { body, sentAt: world.now, lost: 0 }));
    expect(await world.store.keys(TABLE.earlyReactions.name)).toHaveLength(MAX_EARLY / 2 + 1);
  });
});

describe("what a newcomer is shown", () => {
  it("is looked for among the latest items, of which any number can be events", async () => {
    const world = await GroupWorld.open();
    const bob = await world.member("Bob");
    await world.receive(bob, said("x.msg.new", text("long ago")));
    await world.run(async (step) => {
      for (let i = 0; i < HISTORY_SEARCH; i++) await addEvent(step, world.group, "memberJoined", "somebody");
    });
    await world.receive(bob, said("x.msg.new", text("lately")));
    const carol = await world.member("Carol");
    await world.run(async (step) => sendHistory(step, await groupOf(step, world.group), carol));
    const shown = (await world.waiting(carol)).map(({ event }) => JSON.stringify(event));
    expect(shown).toEqual([expect.stringContaining("lately")]);
  });
});

describe("a member to whom there is no way", () => {
  const alone = { isReady: false, connection: null, category: "post", status: "announced" } as const;

  it("has nothing wait for it when nobody is left to bring it in", async () => {
    const world = await GroupWorld.open();
    const admin = await world.member("Admin", { role: "admin" });
    const bob = await world.member("Bob", { ...alone, invitedBy: admin.id, versions: { min: 1, max: 1 } });
    const write = (words: string) => world.run((step) => composeInGroup(step, world.group, { type: "text", text: words }));
    await write("he may come");
    expect(await world.sentTo(bob)).toEqual(["x.msg.new"]);
    await world.receive(admin, said("x.grp.leave", {}));
    await write("he will not");
    expect(await world.sentTo(bob)).toEqual(["x.msg.new"]);
  });

  it("has nothing wait for it once the user does not belong to the group any more", async () => {
    const world = await GroupWorld.open();
    const bob = await world.member("Bob", alone);
    await world.run((step) => enqueue(step, bob.id, chatMessage({ type: "x.ok", params: {} })));
    await world.run(async (step) => dismissed(step, await groupOf(step, world.group), "left"));
    expect(await world.sentTo(bob)).toEqual([]);
  });
});
