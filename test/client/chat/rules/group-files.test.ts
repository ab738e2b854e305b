import { describe, expect, it } from "vitest";
import type { Member } from "../../../../client/chat/group-records.ts";
import { composeInGroup, deleteInGroup } from "../../../../client/chat/rules/group/compose.ts";
import { removeMember } from "../../../../client/chat/rules/group/manage.ts";
import { MAX_FILE_SIZE } from "../../../../client/chat/rules/files.ts";
import { doubt } from "../../../../client/chat/rules/outbox.ts";
import { itemOf } from "../../../../client/chat/rules/records.ts";
import { TABLE } from "../../../../client/chat/tables.ts";
import { GroupWorld, said, text } from "./group-world.ts";

const LINK = "simplex:/invitation#/?v=2-7&smp=x";

/** A group with two members; both take the user's file, and both send one. */
async function sharing(): Promise<{ world: GroupWorld; bob: Member; carol: Member; own: string }> {
  const world = await GroupWorld.open();
  const [bob, carol] = [await world.member("Bob"), await world.member("Carol")];
  const attachment = { type: "inline", name: "a", bytes: new Uint8Array(20_000) } as const;
  const { id, msgId } = await world.run((step) => composeInGroup(step, world.group, { type: "file", text: "" }, {}, attachment));
  for (const one of [bob, carol]) {
    await world.receive(one, said("x.file.acpt.inv", { msgId, fileName: "a", fileConnReq: LINK }));
    await world.receive(one, said("x.msg.new", { content: { type: "file", text: one.name }, file: { fileName: "b", fileSize: MAX_FILE_SIZE } }));
  }
  for (const { key } of await world.store.list(TABLE.sendings.name)) {
    await world.run(async (step) => {
      const sending = await step.read(TABLE.sendings, key);
      if (sending) step.put(TABLE.sendings, key, { ...sending, connection: `to ${sending.owner}` });
    });
  }
  return { world, bob, carol, own: id };
}

const files = async (world: GroupWorld): Promise<(string | undefined)[]> =>
  (await world.items()).filter(({ body }) => body.type === "message").map(({ file }) => file?.state);

describe("files of a member who goes", () => {
  it.each([
    ["leaves", (world: GroupWorld, bob: Member) => world.receive(bob, said("x.grp.leave", {}))],
    ["is removed", (world: GroupWorld, bob: Member) => world.run((step) => removeMember(step, world.group, bob.id, false))],
  ] as const)("come to an end when it %s; those of others go on", async (_, go) => {
    const { world, bob, carol, own } = await sharing();
    expect(await files(world)).toEqual(["sending", "receiving", "receiving"]);
    await go(world, bob);
    expect(world.effects).toContainEqual({ type: "drop", connection: `to ${bob.id}` });
    expect(world.effects).not.toContainEqual({ type: "drop", connection: `to ${carol.id}` });
    expect(await files(world)).toEqual(["sending", "cancelled", "receiving"]);
    const sendings = await world.run((step) => step.list(TABLE.sendings));
    expect(sendings.map(({ owner, isDone }) => [owner, isDone])).toEqual([[bob.id, true], [carol.id, false]]);
    expect((await world.run((step) => step.list(TABLE.fetchings))).map(({ owner }) => owner)).toEqual([carol.id]);
    expect(await world.run((step) => itemOf(step, own))).toMatchObject({ file: { state: "sending" } });
  });

  it("all end when the user is removed", async () => {
    const { world, bob } = await sharing();
    await world.run(async (step) => {
      const member = await step.read(TABLE.members, bob.id);
      if (member) step.put(TABLE.members, bob.id, { ...member, role: "owner" });
    });
    const { memberId } = await world.current();
    expect(await world.receive(bob, said("x.grp.mem.del", { memberId }))).toEqual([]);
    expect(await files(world)).toEqual(["sending", "cancelled", "cancelled"]);
    expect((await world.run((step) => step.list(TABLE.sendings))).every(({ isDone }) => isDone)).toBe(true);
    expect(await world.store.keys(TABLE.fetchings.name)).toEqual([]);
  });
});

describe("an own message in a group", () => {
  it("that may have gone before the program was killed is deleted for all the same", async () => {
    const world = await GroupWorld.open();
    const bob = await world.member("Bob");
    const write = (words: string) => world.run((step) => composeInGroup(step, world.group, { type: "text", text: words }));
    const first = await write("never handed over");
    await world.run((step) => deleteInGroup(step, first));
    expect(await world.sentTo(bob)).toEqual([]);
    const second = await write("perhaps");
    await world.run((step) => doubt(step, bob.id, 10));
    await world.run((step) => deleteInGroup(step, second));
    expect(await world.sentTo(bob)).toEqual(["x.msg.del"]);
  });
});

describe("a new group", () => {
  it("has on what official terminals switch on, unless something else is asked for", async () => {
    const world = await GroupWorld.open();
    const { profile } = await world.current();
    expect(profile.groupPreferences).toEqual({ directMessages: { enable: "on" }, history: { enable: "on" } });
    expect(await world.receive(await world.member("Bob"), said("x.msg.new", text("hello")))).toEqual([]);
  });
});
