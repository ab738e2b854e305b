import { sha256 } from "#crypto/hash";
import { type Codec, int64, str, tail } from "#protocol/codec";
import { struct } from "#protocol/combine";
import { type SmpQueueInfo, smpQueueInfo } from "#protocol/queue-address";
import { type AMessage, aMessage } from "./a-message.ts";
import { type NonEmpty, nonEmpty } from "./non-empty.ts";
import { union } from "./union.ts";

export type { AMessage, QADD, QKEY, QTEST, QUSE, Receipt } from "./a-message.ts";

/** What the ratchet encrypts. The hash chain goes over the encoding of these. */
export type AgentMessage =
  /** The initiator's confirmation. */
  | { readonly type: "connInfo"; readonly connInfo: Uint8Array }
  /** The joiner's confirmation: only the first queue is used. */
  | { readonly type: "connInfoReply"; readonly queues: NonEmpty<SmpQueueInfo>; readonly connInfo: Uint8Array }
  /** Beside the keys for a new ratchet, not encrypted by one. */
  | { readonly type: "ratchetInfo"; readonly info: Uint8Array }
  | {
    readonly type: "message";
    /** The sender's number for it: 1, 2, 3... */
    readonly sndMsgId: number;
    /** SHA-256 of the message before it; empty when there is none. */
    readonly prevMsgHash: Uint8Array;
    readonly message: AMessage;
  };

/** A letter, then what it stands for (agent specification, section 4). */
export const agentMessage: Codec<AgentMessage> = union<AgentMessage>({
  connInfo: ["I", struct({ connInfo: tail })],
  connInfoReply: ["D", struct({ queues: nonEmpty(smpQueueInfo), connInfo: tail })],
  ratchetInfo: ["R", struct({ info: tail })],
  message: ["M", struct({ sndMsgId: int64, prevMsgHash: str, message: aMessage })],
});

/** SHA-256 of an encoded AgentMessage: what the next one says of it, and its receipt. */
export function messageHash(plaintext: Uint8Array): Uint8Array {
  return sha256(plaintext);
}
