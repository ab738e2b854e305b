import { equal, hex } from "#crypto/bytes";
import { RatchetError } from "./errors.ts";
import { chainKdf } from "./kdf.ts";
import { MAX_SKIP, MAX_STORED_SKIPPED } from "./limits.ts";
import type { RatchetState, ReceivingChain } from "./state.ts";

/** The key of a message that was passed over and may still come. Plain data, secret, stored beside the ratchet. */
export interface SkippedKey {
  /** 32 bytes: opens the headers of the message's chain. */
  readonly headerKey: Uint8Array;
  /** Number of the message in its chain. */
  readonly number: number;
  /** 32 bytes */
  readonly key: Uint8Array;
  /** 16 bytes */
  readonly iv: Uint8Array;
  /** Number of the receiving chain, later ones higher. Ours, to know the oldest. */
  readonly chain: number;
}

/** A state that has received something. */
export interface ReceivingState extends RatchetState {
  readonly rcv: ReceivingChain;
}

export function isReceiving(state: RatchetState): state is ReceivingState {
  return state.rcv !== null;
}

/**
 * Passes over the messages of the receiving chain before number `until`, keeping their keys (ratchet specification,
 * section 7).
 * @throws RatchetError (`DUPLICATE`, `EARLIER`, `SKIPPED`)
 */
export function skipTo(
  until: number,
  state: ReceivingState,
): { readonly state: ReceivingState; readonly skipped: SkippedKey[] } {
  const { nr, rcv } = state;
  if (nr === until + 1) throw new RatchetError("DUPLICATE", "the last message of its chain came once more");
  if (nr > until) {
    const count = nr - until - 1;
    throw new RatchetError("EARLIER", `a message ${count} before the last one, which has no key any more`, { count });
  }
  if (until > nr + MAX_SKIP) {
    const count = until + 1 - nr;
    const what = `${count - 1} messages are missing before this one; at most ${MAX_SKIP} can be`;
    throw new RatchetError("SKIPPED", what, { count });
  }
  const skipped: SkippedKey[] = [];
  let { chainKey } = rcv;
  for (let number = nr; number < until; number++) {
    const step = chainKdf(chainKey);
    skipped.push({ headerKey: rcv.headerKey, number, key: step.messageKey, iv: step.bodyIv, chain: state.steps });
    ({ chainKey } = step);
  }
  return { state: { ...state, rcv: { ...rcv, chainKey }, nr: until }, skipped };
}

export function findSkipped(
  skipped: readonly SkippedKey[],
  headerKey: Uint8Array,
  number: number,
): SkippedKey | undefined {
  return skipped.find((candidate) => candidate.number === number && equal(candidate.headerKey, headerKey));
}

/** The header keys of skipped messages, each once. */
export function skippedHeaderKeys(skipped: readonly SkippedKey[]): Uint8Array[] {
  return [...new Map(skipped.map(({ headerKey }) => [hex(headerKey), headerKey])).values()];
}

/**
 * Those of all stored keys of a connection that are too many: of the oldest chain first, and within a chain the
 * lowest numbers. Their messages can no longer be read when they come after all.
 */
export function skippedToDrop(stored: readonly SkippedKey[], limit: number = MAX_STORED_SKIPPED): SkippedKey[] {
  const excess = stored.length - limit;
  if (excess <= 0) return [];
  return stored.toSorted((a, b) => a.chain - b.chain || a.number - b.number).slice(0, excess);
}
