import { describe, expect, it } from "vitest";
import { utf8 } from "#crypto/bytes";
import { compose } from "../../../../client/chat/rules/compose.ts";
import { fileBytes } from "../../../../client/chat/rules/files.ts";
import { confirmed } from "../../../../client/chat/rules/handshake.ts";
import { memberConfirmed, memberConnected } from "../../../../client/chat/rules/group/handshake.ts";
import { groupOf, memberOf } from "../../../../client/chat/rules/group/records.ts";
import { memberBodyReceived } from "../../../../client/chat/rules/group/receive.ts";
import { itemOf } from "../../../../client/chat/rules/records.ts";
import { TABLE } from "../../../../client/chat/tables.ts";
import { decodeConnInfo } from "../../../../client/chat/wire/body.ts";
import { zstd } from "../wire/platform-zstd.ts";
import { idOf, said, text } from "./group-world.ts";
import { RuleWorld, START } from "./world.ts";

const groupLinkInvitation = {
  fromMember: { memberId: idOf("Shop"), memberRole: "owner" },
  fromMemberName: "Shop",
  invitedMember: { memberId: idOf("Me"), memberRole: "member" },
  groupProfile: { displayName: "Shop", fullName: "" },
  accepted: "accepted",
  business: { chatType: "business", businessId: idOf("Shop"), customerId: idOf("Me") },
};
const answer = utf8(JSON.stringify({ v: "1-16", event: "x.grp.link.inv", params: { groupLinkInvitation } }));

/** A contact who was asked through an address, and has been written to twice. */
async function asked(): Promise<RuleWorld> {
  const world = await RuleWorld.open();
  await world.run(async (step) => {
    const contact = await step.read(TABLE.contacts, "c");
    if (!contact) throw new Error("there is no contact");
    step.put(TABLE.contacts, "c", { ...contact, status: "pending", origin: "address", profile: null });
    step.put(TABLE.bindings, "connection-c", { kind: "contact", id: "c", lastItem: 3 });
    const first = await compose(step, "c", { type: "text", text: "with the request" });
    step.put(TABLE.contacts, "c", { ...contact, status: "pending", origin: "address", profile: null, requestItem: first.id, nextOut: 2 });
    await compose(step, "c", { type: "text", text: "later" });
  });
  return world;
}

describe("an address that answers with a group", () => {
  it("is that of a business: the contact becomes the group, with what was said", async () => {
    const world = await asked();
    const info = await world.run((step) => confirmed(step, "c", answer));
    expect(decodeConnInfo(info, zstd).event).toEqual({ type: "x.info", params: { profile: { displayName: "Alice", fullName: "" } } });
    expect(await world.run((step) => step.read(TABLE.contacts, "c"))).toBeNull();
    const binding = await world.run((step) => step.read(TABLE.bindings, "connection-c"));
    expect(binding).toMatchObject({ kind: "member" });
    const host = await world.run((step) => memberOf(step, binding?.id ?? ""));
    expect(await world.run((step) => groupOf(step, host.group))).toMatchObject({ name: "Shop", status: "joining", business: { chatType: "business" } });
    // It is told again when the program ended before it was allowed.
    expect(await world.run((step) => memberConfirmed(step, host.id, answer))).toEqual(info);
    await world.run((step) => memberConnected(step, host.id));
    expect(await world.run((step) => groupOf(step, host.group))).toMatchObject({ status: "connected" });
    const items = await world.run((step) => step.list(TABLE.items, { prefix: `${host.group}/` }));
    expect(items.map(({ body, status }) => [body.type === "message" ? body.container.content.text : body.type, status.type])).toEqual([
      ["with the request", "sent"],
      ["later", "new"],
      ["event", "read"],
    ]);
    const waiting = await world.run((step) => step.list(TABLE.outbox));
    expect(waiting.map(({ message, item }) => [message?.event.type, item])).toEqual([["x.msg.new", items[1]?.id]]);
    const body = utf8(JSON.stringify([said("x.grp.link.mem", { profile: { displayName: "The Shop", fullName: "" } }), said("x.msg.new", text("welcome"))]));
    await world.run((step) => memberBodyReceived(step, host.id, { body, sentAt: START, lost: 0 }));
    expect(await world.run((step) => groupOf(step, host.group))).toMatchObject({ profile: { displayName: "The Shop" } });
    expect(await world.run((step) => itemOf(step, `${host.group}/000000000004`))).toMatchObject({ member: host.id });
  });

  it("gets the files that were written to it before", async () => {
    const world = await asked();
    const bytes = Uint8Array.from({ length: 20_000 }, (_, i) => i % 251);
    const attachment = { type: "inline", name: "a", bytes } as const;
    await world.run((step) => compose(step, "c", { type: "file", text: "" }, {}, attachment));
    await world.run((step) => confirmed(step, "c", answer));
    const item = (await world.run((step) => step.list(TABLE.items))).findLast(({ isOwn }) => isOwn);
    expect(item).toMatchObject({ file: { state: "sending", received: 20_000 } });
    expect(await world.run((step) => fileBytes(step, item?.id ?? ""))).toEqual(bytes);
    expect(await world.store.keys(TABLE.chunks.name)).toHaveLength(2);
  });

  it("is refused when nobody was asked through an address", async () => {
    const world = await RuleWorld.open();
    await expect(world.run((step) => confirmed(step, "c", answer))).rejects.toThrow(/answered with a group/u);
  });
});
