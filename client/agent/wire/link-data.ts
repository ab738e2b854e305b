import type { PublicKey } from "#crypto/keys";
import { bool, type Codec, large, str, transform } from "#protocol/codec";
import { list, struct } from "#protocol/combine";
import { type VersionRange, versionRange } from "#protocol/version";
import { type ConnectionRequest, connectionRequest } from "./connection-request.ts";
import { linkKeyCodec, type OwnerAuth, ownerAuth } from "./owner.ts";
import { type ContactShortLink, shortLink } from "./short-link.ts";
import { union } from "./union.ts";

/** The part of a short link's data that never changes: the link's key is its hash. */
export interface FixedLinkData {
  readonly agentVersions: VersionRange;
  /** Signs both parts. */
  readonly rootKey: PublicKey<"Ed25519">;
  readonly request: ConnectionRequest;
  /** Of the application's choice. */
  readonly linkEntityId: Uint8Array | null;
}

const fixedFields = struct<Omit<FixedLinkData, "linkEntityId">>({
  agentVersions: versionRange,
  rootKey: linkKeyCodec,
  request: connectionRequest,
});

/** Range, root key, connection request, then Str entity id or nothing; what follows is ignored (section 2.8). */
export const fixedLinkData: Codec<FixedLinkData> = {
  write(writer, value, version) {
    fixedFields.write(writer, value, version);
    if (value.linkEntityId !== null) str.write(writer, value.linkEntityId, version);
  },
  read(reader, version) {
    const fields = fixedFields.read(reader, version);
    const linkEntityId = reader.attempt(() => str.read(reader, version)) ?? null;
    reader.view(reader.remaining);
    return { ...fields, linkEntityId };
  },
};

export interface InvitationUserData {
  readonly type: "invitation";
  readonly agentVersions: VersionRange;
  /** For the application. */
  readonly data: Uint8Array;
}

export interface ContactUserData {
  readonly type: "contact";
  readonly agentVersions: VersionRange;
  /** Whether the connection request of the fixed data may be used. */
  readonly direct: boolean;
  /** Who else may sign this part. */
  readonly owners: readonly OwnerAuth[];
  /** Other addresses at which requests are taken. */
  readonly relays: readonly ContactShortLink[];
  /** For the application. */
  readonly data: Uint8Array;
}

/** The part of a short link's data that its owners may change. */
export type UserLinkData = InvitationUserData | ContactUserData;

const LARGE_MARK = 0xff;

/** Str up to 254 bytes; 0xFF and Large for more. */
const userBytes: Codec<Uint8Array> = {
  write(writer, value, version) {
    if (value.length < LARGE_MARK) return str.write(writer, value, version);
    writer.byte(LARGE_MARK);
    large.write(writer, value, version);
  },
  read(reader, version) {
    if (reader.peek() !== LARGE_MARK) return str.read(reader, version);
    reader.byte();
    return large.read(reader, version);
  },
};

const relay: Codec<ContactShortLink> = transform(
  shortLink,
  (link) => {
    if (link.mode !== "contact") throw new RangeError("a relay must be a contact link");
    return link;
  },
  (link) => link,
);

const known = union<UserLinkData>({
  invitation: ["I", struct<Omit<InvitationUserData, "type">>({ agentVersions: versionRange, data: userBytes })],
  contact: [
    "C",
    struct<Omit<ContactUserData, "type">>({
      agentVersions: versionRange,
      direct: bool,
      owners: list(ownerAuth) as Codec<readonly OwnerAuth[]>,
      relays: list(relay) as Codec<readonly ContactShortLink[]>,
      data: userBytes,
    }),
  ],
});

/**
 * `I`, range, data; or `C`, range, Bool direct, List OwnerAuth, List short link, data. What follows is ignored
 * (agent specification, section 2.8).
 */
export const userLinkData: Codec<UserLinkData> = {
  write: (writer, value, version) => known.write(writer, value, version),
  read(reader, version) {
    const value = known.read(reader, version);
    reader.view(reader.remaining);
    return value;
  },
};
