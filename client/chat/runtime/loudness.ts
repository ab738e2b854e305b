import type { ConnectionInfo } from "../../agent/options.ts";
import type { Group, Member } from "../group-records.ts";
import type { Contact } from "../records.ts";
import { membersOf } from "../rules/group/records.ts";
import { groupOfMember, type Table, TABLE } from "../tables.ts";
import { type Core, ignoringMissing } from "./core.ts";

/** What says whether something of it is worth waking somebody. */
interface Quiet {
  readonly isMuted: boolean;
  readonly isBlocked?: boolean;
}

const isLoud = ({ isMuted, isBlocked = false }: Quiet): boolean => !isMuted && !isBlocked;

/** Where a conversation stands. */
interface Place<T extends Quiet> {
  readonly table: Table<T>;
  readonly id: string;
}

const contactAt = (id: string): Place<Contact> => ({ table: TABLE.contacts, id });
const groupAt = (id: string): Place<Group> => ({ table: TABLE.groups, id });

function alone<T>(core: Core, { table, id }: Place<Quiet>, action: () => Promise<T>): Promise<T> {
  return core.quieting.run(`${table.name} ${id}`, action);
}

async function tellAgent(core: Core, connections: readonly (string | null)[], loud: boolean): Promise<void> {
  const tell = async (connection: string): Promise<void> => {
    if ((await core.agent.connection(connection)).notifications === loud) return;
    await core.agent.setNotifications(connection, loud);
  };
  await Promise.all(connections.map((one) => (one === null ? null : ignoringMissing(tell(one)))));
}

/** Tells the agent of these connections of a conversation as the conversation is now. */
function agree(core: Core, place: Place<Quiet>, connections: readonly string[]): Promise<void> {
  return alone(core, place, async () => {
    const conversation = await core.readSound(place.table, place.id);
    if (conversation) await tellAgent(core, connections, isLoud(conversation));
  });
}

/**
 * Changes a conversation, and with it whether its connections may have pushes. They may before it is loud, and may not
 * after it is quiet: a program that ends in between leaves some pushes for nothing, until {@link convergeLoudness}, and
 * never a loud conversation without.
 */
function changing<T extends Quiet>(
  core: Core,
  place: Place<T>,
  settings: Partial<Quiet>,
  connections: () => Promise<readonly (string | null)[]>,
  change: () => Promise<T>,
): Promise<T> {
  return alone(core, place, async () => {
    const before = await core.read(place.table, place.id);
    if (!before) return change();
    const [was, becomes] = [isLoud(before), isLoud({ ...before, ...settings })];
    if (was === becomes) return change();
    if (becomes) await tellAgent(core, await connections(), true);
    const after = await change();
    if (!becomes) await tellAgent(core, await connections(), false);
    return after;
  });
}

/** See {@link changing}. */
export function changingContact(
  core: Core,
  { id }: Contact,
  settings: Partial<Quiet>,
  change: () => Promise<Contact>,
): Promise<Contact> {
  const connections = async (): Promise<(string | null)[]> => {
    const contact = await core.read(TABLE.contacts, id);
    return [contact?.connection ?? null];
  };
  return changing(core, contactAt(id), settings, connections, change);
}

/** See {@link changing}. */
export function changingGroup(
  core: Core,
  { id }: Group,
  settings: Partial<Quiet>,
  change: () => Promise<Group>,
): Promise<Group> {
  const connections = async (): Promise<(string | null)[]> => {
    const members = await core.step((step) => membersOf(step, id));
    return members.map(({ connection }) => connection);
  };
  return changing(core, groupAt(id), settings, connections, change);
}

/** A connection has just been made to this contact, who may be quiet. */
export function quietenContact(core: Core, id: string, connection: string): Promise<void> {
  return agree(core, contactAt(id), [connection]);
}

/** A connection has just been made to this member of a group that may be quiet. */
export async function quietenMember(core: Core, id: string, connection: string): Promise<void> {
  const group = groupOfMember(id);
  if (group !== null) await agree(core, groupAt(group), [connection]);
}

/** After a start: what the agent was not told, or not of every connection, it is told now. `agents`: what it knows. */
export async function convergeLoudness(
  core: Core,
  agents: readonly ConnectionInfo[],
  contacts: readonly Contact[],
  members: readonly Member[],
): Promise<void> {
  const known = new Map(agents.map(({ id, notifications }) => [id, notifications]));
  const isWrong = (connection: string | null, conversation: Quiet): connection is string => {
    const loud = connection === null ? undefined : known.get(connection);
    return loud !== undefined && loud !== isLoud(conversation);
  };
  for (const contact of contacts) {
    if (isWrong(contact.connection, contact)) await agree(core, contactAt(contact.id), [contact.connection]);
  }
  const groups = new Map((await core.listSound(TABLE.groups)).map((group) => [group.id, group]));
  const wrong = new Map<string, string[]>();
  for (const { id, connection } of members) {
    const group = groups.get(groupOfMember(id) ?? "");
    if (group && isWrong(connection, group)) wrong.set(group.id, [...wrong.get(group.id) ?? [], connection]);
  }
  for (const [group, connections] of wrong) await agree(core, groupAt(group), connections);
}
