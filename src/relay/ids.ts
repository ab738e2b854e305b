import { concat } from "#crypto/bytes";
import { type Permutation, permutation } from "#crypto/permutation";
import { ID_LENGTH } from "#protocol/limits";
import type { QueueIds } from "./create.ts";

/**
 * How ids lead to queues without any directory: recipient and notifier ids are keyed permutations of the sender id.
 * Whoever lacks the relay's secret cannot tell that two of them belong together.
 */
export interface IdScheme {
  idsOf(senderId: Uint8Array): QueueIds;
  /**
   * The id of the notifier that comes after this one: a notification server knows the former by its id, and would
   * take the key of another for a wrong one. 65,535 notifiers later ids come again.
   */
  nextNotifierId(notifierId: Uint8Array): Uint8Array;
  /** Null for an id that no queue of this relay can have. */
  senderOfRecipient(recipientId: Uint8Array): Uint8Array | null;
  senderOfNotifier(notifierId: Uint8Array): Uint8Array | null;
}

/** Bytes that number the notifiers of a queue after the first, whose id is as long as all others. */
const COUNT_LENGTH = 2;
const RENEWED_LENGTH = ID_LENGTH + COUNT_LENGTH;
const MOST = 0xffff;

function backward(role: Permutation, id: Uint8Array): Uint8Array | null {
  return id.length === ID_LENGTH ? role.backward(id) : null;
}

export function idScheme(secret: Uint8Array): IdScheme {
  const recipient = permutation(secret, "smp-edge recipient id");
  const notifier = permutation(secret, "smp-edge notifier id");
  const renewed = permutation(secret, "smp-edge renewed notifier id");
  const numbered = (senderId: Uint8Array, number: number): Uint8Array =>
    renewed.forward(concat(senderId, new Uint8Array([number >> 8, number])));
  return {
    idsOf: (senderId) => ({
      senderId,
      recipientId: recipient.forward(senderId),
      notifierId: notifier.forward(senderId),
    }),
    senderOfRecipient: (id) => backward(recipient, id),
    senderOfNotifier: (id) =>
      id.length === RENEWED_LENGTH ? renewed.backward(id).slice(0, ID_LENGTH) : backward(notifier, id),
    nextNotifierId: (id) => {
      if (id.length === ID_LENGTH) return numbered(notifier.backward(id), 1);
      const former = renewed.backward(id);
      const number = ((former[ID_LENGTH] ?? 0) << 8) | (former[ID_LENGTH + 1] ?? 0);
      return numbered(former.slice(0, ID_LENGTH), number === MOST ? 1 : number + 1);
    },
  };
}
