import type { ConnectionInfo } from "../../agent/options.ts";
import type { Links } from "../links.ts";
import type { Contact } from "../records.ts";
import { TABLE } from "../tables.ts";
import { type Core, ignoringMissing } from "./core.ts";

/** The connection that the agent made for a contact just before the program ended. */
function madeFor(contact: Contact, orphans: readonly ConnectionInfo[]): ConnectionInfo | undefined {
  return orphans.find(({ status, createdAt, profile }) => {
    return status !== "connected" && profile === contact.user && createdAt >= contact.createdAt;
  });
}

/** Goes on with what the last program did not finish. Nothing is read from the agent before. */
export async function recover(core: Core, links: Links): Promise<void> {
  const bindings = await core.store.list(TABLE.bindings.name);
  const owned = new Set(bindings.map(({ key }) => key));
  const contacts = await core.list(TABLE.contacts);
  const users = new Set((await core.list(TABLE.users)).map(({ id }) => id));
  const all = await core.agent.connections();
  const orphans = all.filter(({ id, status, profile }) => !owned.has(id) && status !== "leaving" && users.has(profile));
  for (const contact of contacts) {
    if (contact.status !== "joining" || contact.connection !== null) continue;
    const made = madeFor(contact, orphans);
    if (made) {
      orphans.splice(orphans.indexOf(made), 1);
      await core.step((step) => links.joined(step, contact.id, made.id));
    } else core.background(contact.id, () => links.joinAgain(contact.id));
  }
  // Nobody knows their links, or their contacts are gone.
  for (const { id } of orphans) await ignoringMissing(core.agent.delete(id));
  await core.step((step) => {
    for (const { id, status } of contacts) {
      if (status === "accepting") step.effect({ type: "accept", contact: id });
      if (status === "connected" || status === "leaving") step.effect({ type: "send", contact: id });
    }
    step.effect({ type: "expire" });
  });
}
