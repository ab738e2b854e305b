import type { AuthAlgorithm, PublicKey } from "#crypto/keys";
import type { QueueUri } from "#protocol/address";
import { bool, type Codec, int64, large, str, tail } from "#protocol/codec";
import { maybe, struct } from "#protocol/combine";
import { authKey } from "#protocol/key";
import { queueUri, type SmpQueueInfo, smpQueueInfo, type SndQAddr, sndQAddr } from "#protocol/queue-address";
import { none } from "#protocol/tagged";
import { type NonEmpty, nonEmpty } from "./non-empty.ts";
import { union } from "./union.ts";

/** What the recipient of a message tells of it. */
export interface Receipt {
  /** The sender's number of the message. */
  readonly sndMsgId: number;
  /** SHA-256 of the message as it was received. */
  readonly msgHash: Uint8Array;
  /** For the application. */
  readonly info: Uint8Array;
}

/** The recipient has a new queue, which replaces another one. */
export interface QADD {
  readonly type: "QADD";
  readonly queues: NonEmpty<{ readonly uri: QueueUri; readonly replaces: SndQAddr | null }>;
}

/** The sender's keys for the new queue: `info` holds its DH key. */
export interface QKEY {
  readonly type: "QKEY";
  readonly queues: NonEmpty<{ readonly info: SmpQueueInfo; readonly senderKey: PublicKey<AuthAlgorithm> }>;
}

/** The new queue is secured and may be used. */
export interface QUSE {
  readonly type: "QUSE";
  readonly queues: NonEmpty<{ readonly address: SndQAddr; readonly primary: boolean }>;
}

/** Sent through the new queue only. */
export interface QTEST {
  readonly type: "QTEST";
  readonly queues: NonEmpty<SndQAddr>;
}

/** What agents and their applications tell each other. Of every list only the first element is used. */
export type AMessage =
  | { readonly type: "HELLO" }
  /** A message of the application. */
  | { readonly type: "A_MSG"; readonly body: Uint8Array }
  | { readonly type: "A_RCVD"; readonly receipts: NonEmpty<Receipt> }
  /** The queue was full and is empty again. */
  | { readonly type: "A_QCONT"; readonly address: SndQAddr }
  | QADD
  | QKEY
  | QUSE
  | QTEST
  /** The first message of a new ratchet. */
  | { readonly type: "EREADY"; readonly lastDecryptedMsgId: number };

/** One or two letters, then what they stand for (agent specification, section 4). */
export const aMessage: Codec<AMessage> = union<AMessage>({
  HELLO: ["H", none],
  A_MSG: ["M", struct({ body: tail })],
  A_RCVD: ["V", struct({ receipts: nonEmpty(struct<Receipt>({ sndMsgId: int64, msgHash: str, info: large })) })],
  A_QCONT: ["QC", struct({ address: sndQAddr })],
  QADD: ["QA", struct({ queues: nonEmpty(struct({ uri: queueUri, replaces: maybe(sndQAddr) })) })],
  QKEY: ["QK", struct({ queues: nonEmpty(struct({ info: smpQueueInfo, senderKey: authKey })) })],
  QUSE: ["QU", struct({ queues: nonEmpty(struct({ address: sndQAddr, primary: bool })) })],
  QTEST: ["QT", struct({ queues: nonEmpty(sndQAddr) })],
  EREADY: ["E", struct({ lastDecryptedMsgId: int64 })],
});
