import type { Group } from "../../chat/group-records.ts";
import type { Contact, Conversation } from "../../chat/records.ts";
import { displayName } from "../../chat/wire/rules/display.ts";
import { words } from "../words/words.ts";

/** A contact's name as it is shown. Nobody knows it before the contact has told. */
export function nameOf({ name, profile, alias }: Contact): string {
  return profile === null && alias === null ? words.people.somebodyNew : displayName(name);
}

/** A conversation's name as it is shown. */
export function shownName({ conversation, contact, group }: {
  readonly conversation: Conversation;
  readonly contact: Contact | null;
  readonly group: Group | null;
}): string {
  if (conversation.kind === "notes") return words.notes;
  return contact ? nameOf(contact) : displayName(group?.name ?? "");
}
