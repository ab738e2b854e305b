/** Bytes of plaintext in a full message of the agent, without and with post-quantum encryption. */
export const BODY = { classical: 15_838, pq: 13_616 } as const;

export type Operation = "within" | "reply" | "begin";

/** Two parties with a double ratchet between them. Every operation encrypts one full message and decrypts it. */
export interface Pair {
  /** One more message of whoever sent last: the chain goes on. */
  within(): Promise<void> | void;
  /** A message of the other party: it moves the ratchet. */
  reply(): Promise<void> | void;
  /** Two new parties, from their keys to the first message decrypted. */
  begin(): Promise<void> | void;
}

/** Fails unless the message came through. */
export function expectWhole(received: number, sent: number): void {
  if (received !== sent) throw new Error(`${sent} bytes were encrypted, ${received} decrypted`);
}
