import type { Group } from "../group-records.ts";
import type { Contact } from "../records.ts";
import { membersOf } from "../rules/group/records.ts";
import { type Core, ignoringMissing } from "./core.ts";

/** What says whether something of it is worth waking somebody. */
interface Quiet {
  readonly isMuted: boolean;
  readonly isBlocked?: boolean;
}

const isLoud = ({ isMuted, isBlocked = false }: Quiet): boolean => !isMuted && !isBlocked;

async function tellAgent(core: Core, connections: readonly (string | null)[], loud: boolean): Promise<void> {
  for (const connection of connections) {
    if (connection !== null) await ignoringMissing(core.agent.setNotifications(connection, loud));
  }
}

/**
 * Changes a conversation, and with it whether its connections may have pushes. They may before it is loud, and may not
 * after it is quiet: a program that ends in between leaves some pushes for nothing, and never a loud conversation without.
 */
async function changing<T extends Quiet>(
  core: Core,
  before: T,
  settings: Partial<Quiet>,
  connections: () => Promise<readonly (string | null)[]>,
  change: () => Promise<T>,
): Promise<T> {
  const [was, becomes] = [isLoud(before), isLoud({ ...before, ...settings })];
  if (was === becomes) return change();
  if (becomes) await tellAgent(core, await connections(), true);
  const after = await change();
  if (!becomes) await tellAgent(core, await connections(), false);
  return after;
}

/** See {@link changing}. */
export function changingContact(
  core: Core,
  contact: Contact,
  settings: Partial<Quiet>,
  change: () => Promise<Contact>,
): Promise<Contact> {
  return changing(core, contact, settings, async () => [contact.connection], change);
}

/** See {@link changing}. */
export function changingGroup(
  core: Core,
  group: Group,
  settings: Partial<Quiet>,
  change: () => Promise<Group>,
): Promise<Group> {
  const connections = async (): Promise<(string | null)[]> => {
    const members = await core.step((step) => membersOf(step, group.id));
    return members.map(({ connection }) => connection);
  };
  return changing(core, group, settings, connections, change);
}

/** A connection that has just been made belongs to a conversation that is quiet. */
export async function quieten(core: Core, connection: string, conversation: Quiet | null): Promise<void> {
  if (conversation && !isLoud(conversation)) await tellAgent(core, [connection], false);
}
