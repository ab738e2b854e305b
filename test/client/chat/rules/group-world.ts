import { utf8 } from "#crypto/bytes";
import type { Group, Member } from "../../../../client/chat/group-records.ts";
import type { Item } from "../../../../client/chat/records.ts";
import { createGroup } from "../../../../client/chat/rules/group/invite.ts";
import { addMember, groupOf, memberOf, membersOf, updateGroup } from "../../../../client/chat/rules/group/records.ts";
import { memberBodyReceived } from "../../../../client/chat/rules/group/receive.ts";
import { userOf } from "../../../../client/chat/rules/records.ts";
import type { Effect } from "../../../../client/chat/step.ts";
import { prefixOf, TABLE } from "../../../../client/chat/tables.ts";
import { idFrom } from "../../../../client/chat/wire/ids.ts";
import type { ChatMessage } from "../../../../client/chat/wire/message.ts";
import { RuleWorld, START } from "./world.ts";

/** The id by which members know the one of this name. */
export const idOf = (name: string): string => idFrom(utf8(`member ${name}`));

let messages = 0;

/** A message as a member sends it. */
export function said(event: string, params: object, msgId: string = idFrom(utf8(`message ${messages++}`))): object {
  return { v: "1-16", msgId, event, params };
}

export const text = (words: string, more: object = {}): object => ({ content: { type: "text", text: words }, ...more });

/** A group with the user in it, and steps on it as the chat runs them. */
export class GroupWorld extends RuleWorld {
  group = "";

  static override async open(part: Partial<Group> = {}): Promise<GroupWorld> {
    const world = new GroupWorld();
    const user = { id: "u", profile: { displayName: "Me", fullName: "" }, createdAt: START, receipts: true, isLeaving: false };
    await world.run(async (step) => {
      step.put(TABLE.users, user.id, user);
      const { id } = await createGroup(step, await userOf(step, "u"), { displayName: "g", fullName: "" });
      await updateGroup(step, id, { memberId: idOf("Me"), ...part });
      world.group = id;
    });
    return world;
  }

  /** A member who is connected unless something else is said of it. */
  member(name: string, part: Partial<Member> = {}): Promise<Member> {
    return this.run((step) => addMember(step, this.group, {
      memberId: idOf(name),
      role: "member",
      profile: { displayName: name, fullName: "" },
      versions: { min: 1, max: 16 },
      category: "invitee",
      status: "connected",
      connection: `connection ${name}`,
      isReady: true,
      ...part,
    }));
  }

  /** What a member sends in one body. @returns the errors that were told */
  async receive(from: Member, ...what: readonly object[]): Promise<string[]> {
    const body = utf8(JSON.stringify(what.length === 1 ? what[0] : what));
    await this.run((step) => memberBodyReceived(step, from.id, { body, sentAt: this.now, lost: 0 }));
    return this.last.events.flatMap((event) => (event.type === "error" ? [event.error.message] : []));
  }

  get effects(): readonly Effect[] {
    return this.last.effects;
  }

  items(): Promise<Item[]> {
    return this.run((step) => step.list(TABLE.items, { prefix: prefixOf(this.group) }));
  }

  async texts(): Promise<string[]> {
    return (await this.items()).flatMap(({ body }) => (body.type === "message" ? [body.container.content.text] : []));
  }

  async events(): Promise<string[]> {
    return (await this.items()).flatMap(({ body }) => (body.type === "event" ? [`${body.event} ${body.detail}`.trim()] : []));
  }

  /** What waits for a member. */
  async waiting(member: Member): Promise<ChatMessage[]> {
    const rows = await this.run((step) => step.list(TABLE.outbox, { prefix: prefixOf(member.id) }));
    return rows.flatMap(({ message }) => (message ? [message] : []));
  }

  async sentTo(member: Member): Promise<string[]> {
    return (await this.waiting(member)).map(({ event }) => event.type);
  }

  current(): Promise<Group> {
    return this.run((step) => groupOf(step, this.group));
  }

  again(member: Member): Promise<Member> {
    return this.run((step) => memberOf(step, member.id));
  }

  members(): Promise<Member[]> {
    return this.run((step) => membersOf(step, this.group));
  }
}

