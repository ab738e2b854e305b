import { describe, expect, it } from "vitest";
import { utf8 } from "#crypto/bytes";
import { circle, eventIn, groupOf, memberOf, messageIn, tell, textsIn, together } from "./circle.ts";
import type { Talker } from "./talker.ts";
import { world } from "./world.ts";

const { talker, expectError } = world();

/** Has somebody's agent send whatever a member may not send. */
async function sendRaw(from: Talker, to: string, body: Uint8Array | object): Promise<void> {
  const { connection } = await memberOf(from, "g", to);
  await from.agent.send(connection ?? "", body instanceof Uint8Array ? body : utf8(JSON.stringify(body)));
}

const event = (name: string, params: object, msgId = "YWFhYWFhYWFhYWFhYWFhYQ=="): object => ({ v: "1-16", msgId, event: name, params });

describe("a hostile member", () => {
  it("changes nothing that it may not, and the group goes on", async () => {
    expectError(/may not|not its owner|for admins|for the host|not introduced|for those to do/u);
    const [alice, bob, mallory] = [await talker("Alice"), await talker("Bob"), await talker("Mallory")];
    await circle("g", alice, bob, mallory);
    const said = await tell(bob, "g", "words of Bob");
    await messageIn(alice, "g", "words of Bob");
    await messageIn(mallory, "g", "words of Bob");
    const [idOfBob, idOfAlice] = [(await groupOf(bob, "g")).memberId, (await groupOf(alice, "g")).memberId];
    const own = (await groupOf(mallory, "g")).memberId;
    const forged = event("x.msg.new", { content: { type: "text", text: "forged" } }, "Zm9yZ2Vk");
    for (const to of ["Alice", "Bob"]) {
      await sendRaw(mallory, to, utf8("{"));
      await sendRaw(mallory, to, event("x.grp.mem.role", { memberId: own, role: "owner" }, "cjE="));
      await sendRaw(mallory, to, event("x.grp.mem.del", { memberId: to === "Bob" ? idOfAlice : idOfBob }, "cjI="));
      await sendRaw(mallory, to, event("x.grp.mem.del", { memberId: to === "Bob" ? idOfBob : idOfAlice }, "cjM="));
      await sendRaw(mallory, to, event("x.grp.del", {}, "cjQ="));
      await sendRaw(mallory, to, event("x.grp.info", { groupProfile: { displayName: "mine", fullName: "" } }, "cjU="));
      await sendRaw(mallory, to, event("x.msg.del", { msgId: said.msgId, memberId: idOfBob }, "cjY="));
      await sendRaw(mallory, to, event("x.msg.update", { msgId: said.msgId, content: { type: "text", text: "put into the mouth" } }, "cjc="));
      await sendRaw(mallory, to, { v: "1-16", event: "x.grp.msg.forward", params: { memberId: idOfBob, msg: forged, msgTs: "2026-11-23T10:00:00Z" } });
      await sendRaw(mallory, to, event("x.grp.mem.intro", { memberInfo: { memberId: "eA==", memberRole: "owner", v: "1-16", profile: { displayName: "x", fullName: "" } } }, "cjg="));
      await sendRaw(mallory, to, event("x.grp.mem.inv", { memberId: idOfBob, memberIntro: { groupConnReq: "simplex:/x" } }, "cjk="));
      await sendRaw(mallory, to, event("x.grp.mem.fwd", { memberInfo: { memberId: "eA==", memberRole: "owner", v: "1-16", profile: { displayName: "x", fullName: "" } }, memberIntro: { groupConnReq: "simplex:/x" } }, "cjEw"));
    }
    await tell(mallory, "g", "innocent");
    for (const one of [alice, bob]) {
      await messageIn(one, "g", "innocent");
      expect((await textsIn(one, "g")).toSorted()).toEqual(["innocent", "put into the mouth", "words of Bob"]);
      expect((await messageIn(one, "g", "put into the mouth")).member).toBe((await memberOf(one, "g", "Mallory")).id);
      expect(await groupOf(one, "g")).toMatchObject({ status: "connected", name: "g" });
      expect(await memberOf(one, "g", "Mallory")).toMatchObject({ role: "member" });
      await eventIn(one, "g", "unreadable");
    }
    expect(await alice.chat.groups.members((await groupOf(alice, "g")).id)).toHaveLength(2);
    await tell(bob, "g", "all is well");
    await messageIn(alice, "g", "all is well");
  });

  it("who lets others in cannot make them connect to what is no link", async () => {
    expectError(/link|SYNTAX|SimpleX/u);
    const [alice, bob] = [await talker("Alice"), await talker("Bob")];
    await circle("g", alice, bob);
    const memberInfo = { memberId: "Z2hvc3Q=", memberRole: "member", v: "1-16", profile: { displayName: "\u001b[31mGhost", fullName: "" } };
    await sendRaw(alice, "Bob", event("x.grp.mem.fwd", { memberInfo, memberIntro: { groupConnReq: "http://evil.example/" } }));
    await bob.until("an error", () => bob.errors.length > 0);
    const members = await bob.chat.groups.members((await groupOf(bob, "g")).id);
    const ghost = members.find(({ memberId }) => memberId === "Z2hvc3Q=");
    expect(ghost).toMatchObject({ status: "announced", connection: null, task: null });
    expect(ghost?.name).not.toContain("\u001b");
    await together("g", alice, bob);
    await tell(bob, "g", "still here");
    await messageIn(alice, "g", "still here");
  });
});
