import { EMPTY, utf8 } from "#crypto/bytes";
import { hkdf, sha3_256 } from "#crypto/hash";
import { ID_LENGTH } from "#protocol/limits";
import type { ConnectionMode } from "./connection-request.ts";

const BOX_KEY_LENGTH = 32;
const CONTACT = utf8("SimpleXContactLink");
const INVITATION = utf8("SimpleXInvLink");

/** What follows from a link's key (agent specification, section 2.8). */
export interface LinkSecrets {
  /** 24 bytes; null for an invitation, whose id the server gives. */
  readonly linkId: Uint8Array | null;
  /** Opens the link's data, 32 bytes. */
  readonly boxKey: Uint8Array;
}

/** The link's key, 32 bytes: it commits to the fixed data, so nobody can change that, the server included. */
export function linkKeyOf(fixedData: Uint8Array): Uint8Array {
  return sha3_256(fixedData);
}

export function linkSecrets(mode: ConnectionMode, linkKey: Uint8Array): LinkSecrets {
  if (mode === "invitation") return { linkId: null, boxKey: hkdf(EMPTY, linkKey, INVITATION, BOX_KEY_LENGTH) };
  const derived = hkdf(EMPTY, linkKey, CONTACT, ID_LENGTH + BOX_KEY_LENGTH);
  return { linkId: derived.slice(0, ID_LENGTH), boxKey: derived.slice(ID_LENGTH) };
}
