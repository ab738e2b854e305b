import { type Permutation, permutation } from "#crypto/permutation";
import { ID_LENGTH } from "#protocol/limits";
import type { QueueIds } from "./create.ts";

/**
 * How ids lead to queues without any directory: recipient and notifier ids are keyed permutations of the sender id.
 * Whoever lacks the relay's secret cannot tell that two of them belong together.
 */
export interface IdScheme {
  idsOf(senderId: Uint8Array): QueueIds;
  /** Null for an id that no queue of this relay can have. */
  senderOfRecipient(recipientId: Uint8Array): Uint8Array | null;
  senderOfNotifier(notifierId: Uint8Array): Uint8Array | null;
}

function backward(role: Permutation, id: Uint8Array): Uint8Array | null {
  return id.length === ID_LENGTH ? role.backward(id) : null;
}

export function idScheme(secret: Uint8Array): IdScheme {
  const recipient = permutation(secret, "smp-edge recipient id");
  const notifier = permutation(secret, "smp-edge notifier id");
  return {
    idsOf: (senderId) => ({
      senderId,
      recipientId: recipient.forward(senderId),
      notifierId: notifier.forward(senderId),
    }),
    senderOfRecipient: (id) => backward(recipient, id),
    senderOfNotifier: (id) => backward(notifier, id),
  };
}
