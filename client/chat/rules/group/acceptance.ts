import type { Member } from "../../group-records.ts";
import type { Step } from "../../step.ts";
import type { EventParams } from "../../wire/event.ts";
import type { Role } from "../../wire/preferences.ts";
import { isAtLeast } from "../../wire/rules/preferences.ts";
import { addEvent } from "../items.ts";
import { joined } from "./handshake.ts";
import { refuse } from "./introduce.ts";
import { groupOf, higherRole, memberKnownAs, updateGroup, updateMember } from "./records.ts";

/** `x.grp.link.acpt`: a moderator lets in somebody who was waiting for it. */
export async function acceptanceReceived(
  step: Step,
  by: Member,
  { acceptance, role, memberId }: EventParams["x.grp.link.acpt"],
): Promise<void> {
  const group = await groupOf(step, by.group);
  if (memberId === group.memberId) {
    if (by.category !== "host" && !isAtLeast(by.role, "moderator")) throw refuse(by, "let the user in, and is no moderator");
    // Who is in has its role from admins.
    if (group.status !== "joining" || !group.isPending) return;
    checkGiven(by, group.role, role);
    await updateGroup(step, group.id, { role });
    if (acceptance === "accepted") await joined(step, group.id, by.id);
    return;
  }
  if (!isAtLeast(by.role, "moderator")) throw refuse(by, "let a member in, and is no moderator");
  const member = await memberKnownAs(step, group.id, memberId);
  if (member?.status !== "pending" || acceptance !== "accepted") return;
  checkGiven(by, member.role, role);
  await updateMember(step, member.id, { role, status: member.isReady ? "connected" : "announced" });
  await addEvent(step, group.id, "memberJoined", member.name, member.id);
}

/** @throws ChatError when somebody is let in by who is below it, or will be */
function checkGiven(by: Member, before: Role, role: Role): void {
  if (isAtLeast(by.role, higherRole(before, role))) return;
  throw refuse(by, `let in a member with the role ${role}, and may not`);
}
