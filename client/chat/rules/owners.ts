import type { Member } from "../group-records.ts";
import type { Contact } from "../records.ts";
import type { Step } from "../step.ts";
import { groupOfMember, prefixOf, TABLE } from "../tables.ts";
import type { Carrier } from "../wire/pack.ts";

/** Whoever messages wait for: a contact or a member of a group. */
export interface Owner {
  readonly id: string;
  readonly name: string;
  /** Of the agent. */
  readonly connection: string | null;
  readonly carrier: Carrier;
  /** The connection is made. */
  readonly canSend: boolean;
  /** The connection goes as soon as nothing waits any more. */
  readonly isEnding: boolean;
  /** Nothing that is new can be sent any more. */
  readonly isGone: boolean;
}

function ownerFromContact({ id, name, connection, status, version }: Contact): Owner {
  return {
    id,
    name,
    connection,
    // Connections to contacts may always become post-quantum, so there is never more room than that leaves.
    carrier: { version, pq: true, group: false },
    canSend: status === "connected" || status === "leaving",
    isEnding: status === "leaving",
    isGone: status === "left" || status === "failed" || status === "leaving",
  };
}

function ownerFromMember({ id, name, connection, status, version, isReady, isEnding }: Member): Owner {
  return {
    id,
    name,
    connection,
    carrier: { version, pq: false, group: true },
    canSend: isReady,
    isEnding,
    isGone: isEnding || status === "left" || status === "removed",
  };
}

export function isMember(owner: string): boolean {
  return groupOfMember(owner) !== null;
}

/** Null when there is nobody (any more). */
export async function ownerOf(step: Step, id: string): Promise<Owner | null> {
  if (isMember(id)) {
    const member = await step.read(TABLE.members, id);
    return member && ownerFromMember(member);
  }
  const contact = await step.read(TABLE.contacts, id);
  return contact && ownerFromContact(contact);
}

/** To whom goes what is written in a conversation, as far as they can be reached. */
export async function recipientsOf(step: Step, chat: string): Promise<string[]> {
  const conversation = await step.read(TABLE.conversations, chat);
  if (conversation?.kind === "notes") return [];
  if (conversation?.kind !== "group") return [chat];
  const members = await step.listSound(TABLE.members, { prefix: prefixOf(chat) });
  const reached = members.filter(({ status, isReady, isEnding }) => isReady && !isEnding && status === "connected");
  return reached.map(({ id }) => id);
}

/** The number of the next message for somebody; it is taken by that. */
export async function takeNumber(step: Step, id: string): Promise<number> {
  if (isMember(id)) {
    const member = await step.read(TABLE.members, id);
    if (member) step.put(TABLE.members, id, { ...member, nextOut: member.nextOut + 1 });
    return member?.nextOut ?? 0;
  }
  const contact = await step.read(TABLE.contacts, id);
  if (contact) step.put(TABLE.contacts, id, { ...contact, nextOut: contact.nextOut + 1 });
  return contact?.nextOut ?? 0;
}
