import { ChatError } from "../errors.ts";
import type { Address, Contact, User } from "../records.ts";
import type { Step } from "../step.ts";
import { TABLE } from "../tables.ts";
import { newSharedId } from "../wire/ids.ts";
import { chatMessage } from "../wire/message.ts";
import { type Profile, profile as profileCodec } from "../wire/profile.ts";
import { MAX_PROFILE_IMAGE_LENGTH, MAX_SHORT_DESCR_LENGTH } from "../wire/rules/limits.ts";
import { nameProblem } from "../wire/rules/names.ts";
import { addEvent } from "./items.ts";
import { uniqueName } from "./names.ts";
import { enqueue } from "./outbox.ts";
import { type Agreement, agreementOf, differences, shownProfile } from "./preferences.ts";
import { contactOf, updateContact } from "./records.ts";

const textOf = (profile: Profile): string => JSON.stringify(profileCodec.write(profile));

export function isSameProfile(a: Profile, b: Profile): boolean {
  return textOf(a) === textOf(b);
}

/** @throws ChatError "CONTENT" when a profile cannot be shown to others. */
export function checkProfile({ displayName, shortDescr = "", image = "" }: Profile): void {
  const problem = nameProblem(displayName);
  if (problem !== null) throw new ChatError("CONTENT", problem);
  if ([...shortDescr].length > MAX_SHORT_DESCR_LENGTH) {
    throw new ChatError("CONTENT", `a description must not be longer than ${MAX_SHORT_DESCR_LENGTH} characters`);
  }
  if (image !== "" && !image.startsWith("data:image/")) throw new ChatError("CONTENT", "the image is not a data URI");
  if (image.length > MAX_PROFILE_IMAGE_LENGTH) {
    throw new ChatError("LARGE", `the image takes ${image.length} characters, ${MAX_PROFILE_IMAGE_LENGTH} fit`);
  }
}

/** What a contact is told of the user when the connection is made. */
export function introduction(user: User, contact: Contact): { readonly profile: Profile; readonly shown: string } {
  const profile = shownProfile(user, contact);
  return { profile, shown: textOf(profile) };
}

/** Tells a contact what changed of the profile or the preferences that it sees; nothing when nothing did. */
export async function tellProfile(step: Step, user: User, contact: Contact): Promise<void> {
  const isGone = contact.status === "left" || contact.status === "failed" || contact.status === "leaving";
  if (contact.shown === null || isGone) return;
  const { profile, shown } = introduction(user, contact);
  if (shown === contact.shown) return;
  updateContact(step, contact, { shown });
  await enqueue(step, contact.id, chatMessage({ type: "x.info", params: { profile } }, newSharedId()));
}

/** The event item for what two agreements differ in. */
export async function noteAgreement(step: Step, contact: string, before: Agreement, after: Agreement): Promise<void> {
  const changed = differences(before, after);
  if (changed.length > 0) await addEvent(step, contact, "preferencesChanged", changed.join(" "));
}

/** Takes over what a contact says of itself. What follows from it, {@link noteProfile} says. */
export async function takeProfile(step: Step, contactId: string, profile: Profile): Promise<void> {
  step.put(TABLE.contacts, contactId, { ...await contactOf(step, contactId), profile });
}

/** What follows from the profile that a contact has now, compared with before: its name, and items that say so. */
export async function noteProfile(step: Step, user: User, before: Contact): Promise<Contact> {
  const contact = await contactOf(step, before.id);
  const { profile } = contact;
  if (!profile || (before.profile && isSameProfile(before.profile, profile))) return contact;
  const isRenamed = before.profile?.displayName !== profile.displayName;
  const wanted = contact.alias ?? profile.displayName;
  const name = isRenamed ? await uniqueName(step, user.id, wanted, contact.id) : contact.name;
  const changed = updateContact(step, contact, { name });
  // A blocked contact says nothing, not even by its name.
  if (before.profile === null || contact.isBlocked) return changed;
  const { preferences: _, ...visible } = profile;
  const { preferences: __, ...visibleBefore } = before.profile;
  if (!isSameProfile(visible, visibleBefore)) await addEvent(step, contact.id, "profileChanged", profile.displayName);
  await noteAgreement(step, contact.id, agreementOf(user, before), agreementOf(user, changed));
  return changed;
}

/** Writes an address. What stands behind its short link follows in the background. */
export function changeAddress(step: Step, address: Address, part: Partial<Address>): Address {
  const { isStale, ...others } = { ...address, ...part };
  const changed = { ...others, isStale: isStale && others.shortLink !== null };
  step.put(TABLE.addresses, changed.user, changed);
  if (changed.isStale) step.effect({ type: "publish", user: changed.user });
  return changed;
}

/** A profile that changed goes to all contacts who see it. */
export async function userChanged(step: Step, user: User): Promise<void> {
  step.put(TABLE.users, user.id, user);
  step.tell({ type: "user", user });
  const address = await step.read(TABLE.addresses, user.id);
  if (address) changeAddress(step, address, { isStale: true });
  for (const contact of await step.listSound(TABLE.contacts)) {
    if (contact.user === user.id) await tellProfile(step, user, contact);
  }
}
