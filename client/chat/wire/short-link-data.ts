import { concat, utf8 } from "#crypto/bytes";
import { COMPRESSED, type Compression, type DecompressionLimits, Decompressor } from "./compression.ts";
import { type MsgContent, msgContent } from "./content.ts";
import { MessageError } from "./errors.ts";
import { type Id, id } from "./ids.ts";
import { bool, expectObject, type JsonCodec, object, optional } from "./json.ts";
import { checkDepth, parseJson, stringifyJson } from "./message.ts";
import { type GroupProfile, groupProfile, type Profile, profile } from "./profile.ts";

/** Data of a short link that is longer is compressed. */
export const MAX_PLAIN_LINK_DATA = 10_240;

/** What is behind the link of an address or an invitation. */
export interface ContactLinkData {
  readonly profile: Profile;
  /** The welcome text of an address. */
  readonly message?: MsgContent;
  /** Whether a request becomes a group in which others of the business answer as well. */
  readonly business: boolean;
}

export interface GroupLinkData {
  readonly groupProfile: GroupProfile;
}

/** What clients put behind a short link for who follows it (chat specification, section 3). */
export type ShortLinkUserData = ContactLinkData | GroupLinkData;

const contactData = object<Omit<ContactLinkData, "business"> & { readonly business?: boolean }>({
  profile,
  message: optional(msgContent),
  business: optional(bool),
});
const groupData = object<GroupLinkData>({ groupProfile });

export const shortLinkUserData: JsonCodec<ShortLinkUserData> = {
  read(json) {
    if ("groupProfile" in expectObject(json)) return groupData.read(json);
    return { business: false, ...contactData.read(json) };
  },
  write: (data) => ("groupProfile" in data ? groupData.write(data) : contactData.write(data)),
};

/**
 * JSON; when that is longer than 10,240 bytes 'X' and one Zstandard frame, without a count.
 * @param compression null where nothing can be compressed: the data stays JSON, and may not fit behind a link.
 */
export function encodeShortLinkData(data: ShortLinkUserData, compression: Compression | null): Uint8Array {
  const json = stringifyJson(shortLinkUserData.write(data));
  if (json.length <= MAX_PLAIN_LINK_DATA || compression === null) return json;
  return concat(Uint8Array.of(COMPRESSED), compression.compress(json));
}

/** @throws MessageError */
export function decodeShortLinkData(
  bytes: Uint8Array,
  compression: Compression,
  limits?: DecompressionLimits,
): ShortLinkUserData {
  if (bytes.length === 0) throw new MessageError("the data of the link is empty");
  const isCompressed = bytes[0] === COMPRESSED;
  const json = isCompressed ? new Decompressor(compression, limits).content(bytes.subarray(1)) : bytes;
  const data = parseJson(json);
  checkDepth(data);
  return shortLinkUserData.read(data);
}

interface GroupClientData {
  readonly groupLinkId: Id;
}

const groupClientData = object<GroupClientData>({ groupLinkId: id });

/** The client data of the full link of a group. */
export function groupLinkClientData(groupLinkId: Id): string {
  return JSON.stringify(groupClientData.write({ groupLinkId }));
}

/** The id of the group's link when client data of a full link is of a group; null for anything else. */
export function readGroupLinkId(clientData: string): Id | null {
  try {
    return groupClientData.read(parseJson(utf8(clientData))).groupLinkId;
  } catch (error) {
    if (!(error instanceof MessageError)) throw error;
    return null;
  }
}
