import { equal } from "#crypto/bytes";

/** The last item that came from the peer: its number and SHA-256; 0 and no bytes before the first. */
export interface ChainEnd {
  readonly number: number;
  readonly hash: Uint8Array;
}

/** Whether a message follows the one before it. It is delivered whatever the verdict. */
export type Integrity =
  | { readonly type: "ok" }
  /** Its number is below the last one. */
  | { readonly type: "badId"; readonly id: number }
  /** It has the last one's number. */
  | { readonly type: "duplicate" }
  /** Messages `from` to `to` are missing. */
  | { readonly type: "skipped"; readonly from: number; readonly to: number }
  /** It has the right number and follows another message than the last one. */
  | { readonly type: "badHash" };

/** Compares a message with the one before it; the first rule that matches holds (agent specification, section 4.1). */
export function verdictOf(
  last: ChainEnd,
  { sndMsgId, prevMsgHash }: { readonly sndMsgId: number; readonly prevMsgHash: Uint8Array },
): Integrity {
  const next = last.number + 1;
  if (sndMsgId < last.number) return { type: "badId", id: sndMsgId };
  if (sndMsgId === last.number) return { type: "duplicate" };
  if (sndMsgId > next) return { type: "skipped", from: next, to: sndMsgId - 1 };
  return equal(prevMsgHash, last.hash) ? { type: "ok" } : { type: "badHash" };
}
