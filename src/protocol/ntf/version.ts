import type { VersionRange } from "../version.ts";

/** Versions of the protocol of notification servers at which something changes on the wire. */
export const NTF_VERSION = {
  /** One transmission a block, which carries the session id; no key of the server. */
  initial: 1,
  /** Authenticators, batches, the session id is implied. */
  authBatch: 2,
  /** INVALID says why. */
  invalidReason: 3,
} as const;

/** What both sides speak. */
export const NTF_VERSIONS: VersionRange = { min: NTF_VERSION.initial, max: NTF_VERSION.invalidReason };
/** All that is offered to TLS clients without ALPN. */
export const LEGACY_NTF_VERSIONS: VersionRange = { min: NTF_VERSION.initial, max: NTF_VERSION.initial };
