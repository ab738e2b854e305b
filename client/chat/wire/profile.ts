import { type JsonCodec, object, type Open, open, optional, text } from "./json.ts";
import { type GroupPreferences, groupPreferences, type Preferences, preferences } from "./preferences.ts";

/** How somebody shows themselves. Names come as they were sent: neutralise them before they are shown. */
export interface Profile {
  readonly displayName: string;
  /** May be empty. */
  readonly fullName: string;
  /** Up to 160 characters from official clients. */
  readonly shortDescr?: string;
  /** A data URI; official clients keep it within 12,500 characters. */
  readonly image?: string;
  /** Full or short link of an address. */
  readonly contactLink?: string;
  readonly preferences?: Preferences;
  readonly peerType?: Open<"human" | "bot">;
}

export const profile: JsonCodec<Profile> = object<Profile>({
  displayName: text,
  fullName: text,
  shortDescr: optional(text),
  image: optional(text),
  contactLink: optional(text),
  preferences: optional(preferences),
  peerType: optional(open),
});

export interface MemberAdmission {
  readonly review?: Open<"all">;
}

export interface GroupProfile {
  readonly displayName: string;
  readonly fullName: string;
  readonly shortDescr?: string;
  /** What new members are welcomed with. */
  readonly description?: string;
  readonly image?: string;
  readonly groupPreferences?: GroupPreferences;
  readonly memberAdmission?: MemberAdmission;
}

export const groupProfile: JsonCodec<GroupProfile> = object<GroupProfile>({
  displayName: text,
  fullName: text,
  shortDescr: optional(text),
  description: optional(text),
  image: optional(text),
  groupPreferences: optional(groupPreferences),
  memberAdmission: optional(object<MemberAdmission>({ review: optional(open) })),
});
