import type { ConnectionInfo } from "../../agent/options.ts";
import type { Links } from "../links.ts";
import type { Contact } from "../records.ts";
import { doubt } from "../rules/outbox.ts";
import { TABLE } from "../tables.ts";
import { AT_ONCE } from "./sender.ts";
import { type Core, ignoringMissing } from "./core.ts";
import { convergeLoudness } from "./loudness.ts";
import type { Transfers } from "./transfers.ts";
import { madeFor as madeForMember, MAKING } from "./group-maker.ts";

/** The connection that the agent made for a contact just before the program ended. */
function madeFor(contact: Contact, orphans: readonly ConnectionInfo[]): ConnectionInfo | undefined {
  return orphans.find(({ status, createdAt, profile }) => {
    return status !== "connected" && profile === contact.user && createdAt >= contact.createdAt;
  });
}

/** The connection to a member that the agent made just before the program ended. Nothing else was made after it. */
async function claim(core: Core, orphans: ConnectionInfo[]): Promise<void> {
  const making = await core.readSound(TABLE.settings, MAKING);
  const member = making && await core.readSound(TABLE.members, making.to);
  if (!making) return;
  const made = orphans.find(({ status }) => status !== "connected");
  const isWanted = member?.task === "join" && member.connection === null;
  if (isWanted && made) orphans.splice(orphans.indexOf(made), 1);
  await core.step(async (step) => {
    if (isWanted && made) await madeForMember(step, member.id, made.id);
    else step.erase(TABLE.settings, MAKING);
  });
}

/** Goes on with what the last program did not finish. Nothing is read from the agent before. */
export async function recover(core: Core, links: Links, transfers: Transfers): Promise<void> {
  const owned = new Set(await core.store.keys(TABLE.bindings.name));
  const contacts = await core.listSound(TABLE.contacts);
  const users = new Set((await core.listSound(TABLE.users)).map(({ id }) => id));
  const all = await core.agent.connections();
  const orphans = all.filter(({ id, status, profile }) => !owned.has(id) && status !== "leaving" && users.has(profile));
  const adopted = await transfers.adopt(orphans);
  if (adopted) orphans.splice(orphans.indexOf(adopted), 1);
  await claim(core, orphans);
  for (const contact of contacts) {
    if (contact.status !== "joining" || contact.connection !== null) continue;
    const made = madeFor(contact, orphans);
    if (made) {
      orphans.splice(orphans.indexOf(made), 1);
      await core.step((step) => links.joined(step, contact.id, made.id));
    } else core.background(contact.id, () => links.joinAgain(contact.id));
  }
  const members = await core.listSound(TABLE.members);
  // Nobody knows their links, or their contacts are gone.
  for (const { id } of orphans) await ignoringMissing(core.agent.delete(id));
  await core.step(async (step) => {
    for (const { id, status } of contacts) {
      if (status === "connected" || status === "leaving") await doubt(step, id, AT_ONCE);
      if (status === "accepting") step.effect({ type: "accept", contact: id });
      if (status === "connected" || status === "leaving") step.effect({ type: "send", contact: id });
    }
    for (const { id, isReady, isEnding } of members) {
      if (isReady || isEnding) await doubt(step, id, AT_ONCE);
      if (isReady || isEnding) step.effect({ type: "send", contact: id });
    }
    step.effect({ type: "expire" });
  });
  core.background(null, () => convergeLoudness(core, all, contacts, members));
  core.relayUp();
}
