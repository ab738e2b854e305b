import { ChatError } from "../../errors.ts";
import type { Group, Member, Passage } from "../../group-records.ts";
import type { Step } from "../../step.ts";
import { passageKey, prefixOf, TABLE } from "../../tables.ts";
import { newSharedId } from "../../wire/ids.ts";
import { chatMessage, forwardedMessage, type ReceivedMessage } from "../../wire/message.ts";
import type { Role } from "../../wire/preferences.ts";
import { isAtLeast } from "../../wire/rules/preferences.ts";
import { enqueue } from "../outbox.ts";
import { shortName } from "./profile.ts";
import { isCurrent, isCurrentOrPending } from "./records.ts";

/** Whether a member passes on what others write. */
export function passesOn(role: Role): boolean {
  return isAtLeast(role, "admin");
}

/** Two members were introduced: until they are connected, what either writes is passed on to the other. */
export function openPassages(step: Step, newcomer: Member, earlier: Member): void {
  const open = (from: Member, to: Member, isNewcomer: boolean): void => {
    const passage: Passage = { to: to.id, isNewcomer, isForwarded: false };
    step.put(TABLE.passages, passageKey(from.id, to.id), passage);
  };
  open(newcomer, earlier, true);
  open(earlier, newcomer, false);
}

/** Whether two members were introduced, and are not connected yet. */
export async function areIntroduced(step: Step, a: Member, b: Member): Promise<boolean> {
  const one = await step.read(TABLE.passages, passageKey(a.id, b.id));
  return (one ?? await step.read(TABLE.passages, passageKey(b.id, a.id))) !== null;
}

/**
 * `x.grp.mem.con`: a member says that it is connected to another one, or that it got something twice. What it writes
 * goes there without help from now on; what the other writes does too once that one says so, or this one says it again.
 */
export async function passageOver(step: Step, from: Member, other: Member): Promise<void> {
  const own = passageKey(from.id, other.id);
  if (await step.read(TABLE.passages, own)) step.erase(TABLE.passages, own);
  else step.erase(TABLE.passages, passageKey(other.id, from.id));
}

/** Nothing is passed on from a member and to it any more. */
export async function closePassages(step: Step, member: Member): Promise<void> {
  for (const { to } of await step.listSound(TABLE.passages, { prefix: prefixOf(member.id) })) {
    step.erase(TABLE.passages, passageKey(to, member.id));
  }
  for (const key of await step.keys(TABLE.passages, { prefix: prefixOf(member.group) })) {
    const passage = await step.readSound(TABLE.passages, key);
    if (passage?.to === member.id || key.startsWith(prefixOf(member.id))) step.erase(TABLE.passages, key);
  }
}

/** Whether a member may see this: not who is blocked by it, and nothing that is for moderators only. */
function concerns({ event }: ReceivedMessage, to: Member): boolean {
  switch (event.type) {
    case "x.grp.mem.restrict":
      return event.params.memberId !== to.memberId;
    case "x.msg.new":
      if (event.params.content.type === "report") return isAtLeast(to.role, "moderator");
      return isInScope(event.params.scope?.memberId, to);
    case "x.msg.update":
    case "x.msg.del":
    case "x.msg.react":
    case "x.grp.mem.new":
      return isInScope(event.params.scope?.memberId, to);
    default:
      return true;
  }
}

function isInScope(memberId: string | undefined, to: Member): boolean {
  return memberId === undefined || memberId === to.memberId || isAtLeast(to.role, "moderator");
}

/** Events that those who wait for being let in see as well. */
const FOR_PENDING: ReadonlySet<string> = new Set(["x.grp.del", "x.grp.info", "x.grp.prefs"]);

function isForPending(message: ReceivedMessage, author: Member): boolean {
  const { type } = message.event;
  if (FOR_PENDING.has(type)) return true;
  const isOfMember = type === "x.info" || type === "x.grp.leave" || type === "x.grp.mem.role" || type === "x.grp.mem.del";
  return isOfMember && isAtLeast(author.role, "moderator");
}

/**
 * Passes a message on to the members whom its author has no connection to yet; also one with a file that its author sends
 * to them later, as it may not know of them.
 */
export async function passOn(
  step: Step,
  group: Group,
  author: Member,
  message: ReceivedMessage,
  receivedAt: number,
): Promise<void> {
  if (!passesOn(group.role) || author.isRestricted || author.memberId === null) return;
  const from = { memberId: author.memberId, memberName: shortName(author), receivedAt };
  for (const { to } of await step.listSound(TABLE.passages, { prefix: prefixOf(author.id) })) {
    const member = await step.readSound(TABLE.members, to);
    if (!member) continue;
    const isThere = isForPending(message, author) ? isCurrentOrPending(member) : isCurrent(member);
    if (isThere && concerns(message, member)) await passTo(step, member, message, from);
  }
}

/** Passes one message on to one member. What fits only just does not with the envelope around it: that is told. */
export async function passTo(
  step: Step,
  to: Member,
  message: ReceivedMessage,
  from: Parameters<typeof forwardedMessage>[1],
): Promise<void> {
  const { isEnding, isReady, category } = to;
  if (isEnding || (!isReady && category !== "invitee" && category !== "host")) return;
  try {
    const params = forwardedMessage(message, from);
    await enqueue(step, to.id, chatMessage({ type: "x.grp.msg.forward", params }, newSharedId()));
  } catch (error) {
    if (!(error instanceof ChatError && error.refusal === "LARGE")) throw error;
    step.tell({ type: "error", contact: null, error });
  }
}
