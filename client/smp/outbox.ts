import { hex } from "#crypto/bytes";

/** A command that waits to be written. */
export interface Outgoing {
  readonly entityId: Uint8Array;
  readonly transmission: Uint8Array;
  /** Set once it is written: from then on the relay may execute it. */
  sent: boolean;
  /** Set when nobody waits for it any more: it need not be written. */
  abandoned: boolean;
}

export interface Round {
  readonly round: readonly Outgoing[];
  readonly rest: Outgoing[];
}

/**
 * The commands that may share one block, in order, and those that must wait for a later one. The official router
 * executes a block from its last command to its first, so that two commands for one entity would change places.
 */
export function takeRound(waiting: readonly Outgoing[]): Round {
  const entities = new Set<string>();
  const round: Outgoing[] = [];
  const rest: Outgoing[] = [];
  for (const outgoing of waiting) {
    if (outgoing.abandoned) continue;
    const entity = hex(outgoing.entityId);
    if (entity !== "" && entities.has(entity)) rest.push(outgoing);
    else round.push(outgoing);
    entities.add(entity);
  }
  return { round, rest };
}
