import { type Codec, transform, word16 } from "./codec.ts";
import { struct } from "./combine.ts";

/** SMP protocol versions at which something changes on the wire (SMP transport, version gates). */
export const VERSION = {
  /** The oldest that is spoken: transmissions carry the session id. */
  initial: 6,
  authKeys: 7,
  proxy: 8,
  senderAuthKey: 9,
  deletedEvent: 10,
  blockEncryption: 11,
  blockedEntity: 12,
  proxyServerFlag: 14,
  shortLinks: 15,
  serviceCerts: 16,
  newNtfCreds: 17,
  clientNotices: 18,
  serviceSubscriptions: 19,
  webIdentityProof: 19,
  names: 20,
} as const;

export interface VersionRange {
  readonly min: number;
  readonly max: number;
}

/** What this relay speaks with its clients. */
export const RELAY_VERSIONS: VersionRange = { min: VERSION.initial, max: VERSION.serviceSubscriptions };
/** What our client speaks. */
export const CLIENT_VERSIONS: VersionRange = { min: VERSION.initial, max: VERSION.serviceSubscriptions };

/** Word16 min, Word16 max; min above max does not parse. */
export const versionRange: Codec<VersionRange> = transform(
  struct<VersionRange>({ min: word16, max: word16 }),
  (range) => {
    if (range.min > range.max) throw new RangeError("version range is empty");
    return range;
  },
  (range) => range,
);

/** The highest version in both ranges; null when they have none in common. */
export function agreedVersion(own: VersionRange, peer: VersionRange): number | null {
  const version = Math.min(own.max, peer.max);
  return version >= Math.max(own.min, peer.min) ? version : null;
}

export function isInRange(version: number, range: VersionRange): boolean {
  return version >= range.min && version <= range.max;
}
