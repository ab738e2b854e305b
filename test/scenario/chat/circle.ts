import type { Group, Member } from "../../../client/chat/group-records.ts";
import type { Item, MessageItem } from "../../../client/chat/records.ts";
import type { Role } from "../../../client/chat/wire/preferences.ts";
import { befriend, isMessage, type Talker, textOf } from "./talker.ts";

// Groups as people in tests see them.

export function groupOf(one: Talker, name: string): Promise<Group> {
  return one.until(`the group ${name}`, () => one.chat.groups.named(one.user.id, name));
}

/** The group once the user belongs to it. */
export function joinedGroup(one: Talker, name: string): Promise<Group> {
  return one.until(`belonging to ${name}`, async () => {
    const group = await one.chat.groups.named(one.user.id, name);
    return group?.status === "connected" ? group : null;
  });
}

export async function memberOf(one: Talker, group: string, name: string): Promise<Member> {
  const { id } = await groupOf(one, group);
  return one.until(`the member ${name}`, async () => (await one.chat.groups.members(id)).find((member) => member.name === name));
}

/** The member once it is as wanted. */
export function memberWho(
  one: Talker,
  group: string,
  name: string,
  isWanted: (member: Member) => boolean,
): Promise<Member> {
  return one.until(`${name} as wanted in ${group}`, async () => {
    const { id } = await groupOf(one, group);
    return (await one.chat.groups.members(id)).find((member) => member.name === name && isWanted(member));
  });
}

/** Asks a contact into a group, who accepts. */
export async function bring(host: Talker, guest: Talker, group: string, role?: Role): Promise<void> {
  const { id } = await groupOf(host, group);
  await host.chat.groups.invite(id, (await host.friend(guest.name)).id, role);
  const invitation = await groupOf(guest, group);
  await guest.chat.groups.accept(invitation.id);
  await joinedGroup(guest, group);
}

/** Waits until all are connected to each other. */
export async function together(group: string, ...people: readonly Talker[]): Promise<void> {
  for (const one of people) {
    for (const other of people) {
      if (other !== one) await memberWho(one, group, other.name, ({ status }) => status === "connected");
    }
  }
}

/** A group of people of whom the first one has brought in the others. */
export async function circle(group: string, host: Talker, ...guests: readonly Talker[]): Promise<void> {
  await host.chat.groups.create(host.user.id, { displayName: group, fullName: "" });
  for (const guest of guests) {
    await befriend(host, guest);
    await bring(host, guest, group);
  }
  await together(group, host, ...guests);
}

export async function itemsIn(one: Talker, group: string): Promise<Item[]> {
  return one.chat.history.items((await groupOf(one, group)).id, { limit: 1000 });
}

export async function textsIn(one: Talker, group: string): Promise<string[]> {
  return (await itemsIn(one, group)).filter(isMessage).map(textOf);
}

/** The message that says this in a group, once it is there and is as wanted. */
export function messageIn(
  one: Talker,
  group: string,
  text: string,
  isWanted: (item: Item) => boolean = () => true,
): Promise<MessageItem> {
  return one.until(`'${text}' in ${group}`, async () => {
    return (await itemsIn(one, group)).filter(isMessage).find((item) => textOf(item) === text && isWanted(item));
  });
}

export function eventIn(one: Talker, group: string, event: string, detail?: string): Promise<Item> {
  return one.until(`${event} in ${group}`, async () => {
    return (await itemsIn(one, group)).find(({ body }) => {
      return body.type === "event" && body.event === event && (detail === undefined || body.detail === detail);
    });
  });
}

export async function tell(one: Talker, group: string, text: string): Promise<Item> {
  return one.chat.messages.send((await groupOf(one, group)).id, text);
}
