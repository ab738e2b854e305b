/** Versions of the SMP client protocol, which senders and recipients of one queue speak with each other. */
export const SMP_CLIENT_VERSION = {
  initial: 1,
  /** A server may have several host names. */
  hostNames: 2,
  /** The sender may secure the queue (SKEY). */
  senderCanSecure: 3,
  /** Short links; the queue mode stands in addresses. */
  shortLinks: 4,
} as const;
