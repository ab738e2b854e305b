import { hex } from "#crypto/bytes";
import { randomBytes } from "#crypto/random";
import { ChatError } from "../errors.ts";
import type { Contact } from "../records.ts";
import type { Step } from "../step.ts";
import { TABLE } from "../tables.ts";
import { newSharedId } from "../wire/ids.ts";
import { chatMessage } from "../wire/message.ts";
import type { Preferences } from "../wire/preferences.ts";
import { nameProblem } from "../wire/rules/names.ts";
import { CHAT_VERSION } from "../wire/versions.ts";
import { addEvent, beginConversation, eraseItems } from "./items.ts";
import { placesOf } from "./link-places.ts";
import { uniqueName } from "./names.ts";
import { enqueue, eraseOutbox } from "./outbox.ts";
import { agreementOf } from "./preferences.ts";
import { noteAgreement, tellProfile } from "./profile.ts";
import { contactOf, updateContact, userOf } from "./records.ts";

/** Shown until a contact has told its name. */
const NEW_NAME = "new contact";

export function newId(): string {
  return hex(randomBytes(8));
}

type Given = Pick<Contact, "id" | "user" | "status" | "origin"> & Partial<Contact>;

/** A contact with nothing in its conversation yet. */
export async function beginContact(step: Step, given: Given): Promise<Contact> {
  const contact: Contact = {
    name: await uniqueName(step, given.user, given.profile?.displayName ?? NEW_NAME, given.id),
    alias: null,
    profile: null,
    incognito: null,
    shown: null,
    preferences: {},
    connection: null,
    failure: null,
    link: null,
    places: placesOf(given.link ?? null),
    version: CHAT_VERSION.compressionAndPq,
    verified: null,
    receipts: null,
    isBlocked: false,
    isMuted: false,
    isFavourite: false,
    contactReqId: null,
    requestItem: null,
    createdAt: step.now,
    nextOut: 1,
    ...given,
  };
  beginConversation(step, contact.id, contact.user, "contact");
  return updateContact(step, contact, {});
}

export function bind(step: Step, contact: string, connection: string): void {
  step.put(TABLE.bindings, connection, { kind: "contact", id: contact, lastItem: 0 });
}

/** What a user sets for a contact by itself. */
export interface ContactSettings {
  /** A name of one's own for the contact; null: the name that it gives itself. */
  readonly alias?: string | null;
  /** Whether it gets receipts; null: as set for all. */
  readonly receipts?: boolean | null;
  /** Messages are thrown away, and calls do not ring. */
  readonly isBlocked?: boolean;
  /** Messages come without a sound. */
  readonly isMuted?: boolean;
  readonly isFavourite?: boolean;
}

export async function setContact(step: Step, id: string, settings: ContactSettings): Promise<Contact> {
  const contact = await contactOf(step, id);
  const { alias } = settings;
  if (alias === undefined) return updateContact(step, contact, settings);
  const problem = alias === null ? null : nameProblem(alias);
  if (problem !== null) throw new ChatError("CONTENT", problem);
  const wanted = alias ?? contact.profile?.displayName ?? NEW_NAME;
  const name = await uniqueName(step, contact.user, wanted, id);
  if (alias !== null && name !== alias) throw new ChatError("PROHIBITED", `another contact is called ${alias}`);
  return updateContact(step, contact, { ...settings, name });
}

/** What the user wants with this contact alone; the contact is told. */
export async function setPreferences(step: Step, id: string, preferences: Preferences): Promise<Contact> {
  const contact = await contactOf(step, id);
  const user = await userOf(step, contact.user);
  const changed = updateContact(step, contact, { preferences });
  await tellProfile(step, user, changed);
  await noteAgreement(step, id, agreementOf(user, contact), agreementOf(user, changed));
  return contactOf(step, id);
}

/** The contact goes as soon as what waits for it was sent. `notify`: it is told before. */
export async function leaveContact(step: Step, id: string, notify: boolean): Promise<void> {
  const contact = await step.readSound(TABLE.contacts, id);
  if (!contact) return eraseDamaged(step, id);
  if (contact.status === "leaving") return;
  if (contact.status === "connected" && notify) {
    await enqueue(step, id, chatMessage({ type: "x.direct.del", params: {} }, newSharedId()));
  } else await eraseOutbox(step, id);
  await eraseItems(step, id);
  step.erase(TABLE.conversations, id);
  updateContact(step, await contactOf(step, id), { status: "leaving" });
  step.effect({ type: "send", contact: id });
}

async function eraseRecords(step: Step, id: string): Promise<void> {
  await eraseItems(step, id);
  await eraseOutbox(step, id);
  step.erase(TABLE.conversations, id);
  step.erase(TABLE.contacts, id);
  step.tell({ type: "contactDeleted", contact: id });
}

/** Nothing of the contact remains. One that is gone already is gone. */
export async function eraseContact(step: Step, id: string): Promise<void> {
  const contact = await step.read(TABLE.contacts, id);
  if (!contact) return;
  await eraseRecords(step, id);
  if (contact.connection !== null) step.erase(TABLE.bindings, contact.connection);
  await sweepUsers(step);
}

/** A contact that cannot be read any more: nobody can be told, but it need not stay for that. */
async function eraseDamaged(step: Step, id: string): Promise<void> {
  if (!await step.has(TABLE.contacts, id)) await contactOf(step, id);
  await eraseRecords(step, id);
  for (const connection of await step.keys(TABLE.bindings, {})) {
    const binding = await step.readSound(TABLE.bindings, connection);
    if (binding?.kind !== "contact" || binding.id !== id) continue;
    step.erase(TABLE.bindings, connection);
    step.effect({ type: "drop", connection });
  }
}

/** Removes users who are being deleted and whose contacts are all gone. */
export async function sweepUsers(step: Step): Promise<void> {
  const leaving = (await step.listSound(TABLE.users)).filter(({ isLeaving }) => isLeaving);
  if (leaving.length === 0) return;
  const owned = [...await step.listSound(TABLE.contacts), ...await step.listSound(TABLE.groups)];
  const users = new Set(owned.map(({ user }) => user));
  for (const { id } of leaving) {
    if (!users.has(id)) step.erase(TABLE.users, id);
  }
}

/** The code was compared: it is the one that both sides see. Null takes that back. */
export async function setVerified(step: Step, id: string, code: string | null): Promise<Contact> {
  return updateContact(step, await contactOf(step, id), { verified: code });
}

/** The code of the connection now: what was compared holds no longer when it is another one. */
export async function codeSeen(step: Step, id: string, code: string | null): Promise<void> {
  const contact = await contactOf(step, id);
  if (contact.verified === null || code === null || contact.verified === code) return;
  updateContact(step, contact, { verified: null });
  await addEvent(step, id, "codeChanged");
}

