import { concat, equal } from "#crypto/bytes";
import { permutation } from "#crypto/permutation";
import { randomBytes } from "#crypto/random";
import { ID_LENGTH } from "#protocol/limits";

/** What names one registered token inside the server: 16 random bytes. */
export const DEVICE_LENGTH = 16;
const REST_LENGTH = ID_LENGTH - DEVICE_LENGTH;
const NO_REST = new Uint8Array(REST_LENGTH);

/**
 * How the ids of tokens and subscriptions lead to the token that they belong to, without any directory: they are keyed
 * permutations of its name and 8 more bytes, zeros for the token, random for a subscription. Without the server's
 * secret nobody can tell which ids belong together.
 */
export interface NotificationIds {
  tokenId(device: Uint8Array): Uint8Array;
  newSubId(device: Uint8Array): Uint8Array;
  /** Null for an id that no token of this server has. */
  deviceOfToken(tokenId: Uint8Array): Uint8Array | null;
  /** Null for what is no id. An id of nobody leads to a token that does not exist. */
  deviceOfSub(subId: Uint8Array): Uint8Array | null;
}

export function newDevice(): Uint8Array {
  return randomBytes(DEVICE_LENGTH);
}

export function notificationIds(secret: Uint8Array): NotificationIds {
  const token = permutation(secret, "smp-edge notification token id");
  const subscription = permutation(secret, "smp-edge notification subscription id");
  return {
    tokenId: (device) => token.forward(concat(device, NO_REST)),
    newSubId: (device) => subscription.forward(concat(device, randomBytes(REST_LENGTH))),
    deviceOfToken: (id) => {
      if (id.length !== ID_LENGTH) return null;
      const name = token.backward(id);
      return equal(name.subarray(DEVICE_LENGTH), NO_REST) ? name.slice(0, DEVICE_LENGTH) : null;
    },
    deviceOfSub: (id) => (id.length === ID_LENGTH ? subscription.backward(id).slice(0, DEVICE_LENGTH) : null),
  };
}
