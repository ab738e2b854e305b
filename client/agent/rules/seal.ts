import { decode, encode } from "#protocol/codec";
import type { AuthSecretKey } from "#protocol/authorize";
import { encryptBody } from "../../ratchet/encrypt.ts";
import { e2eParams, proposedE2eParams } from "../../ratchet/parameters.ts";
import type { Delivery, SndQueue } from "../records.ts";
import { AGENT_VERSIONS } from "../versions.ts";
import { type AgentEnvelope, agentEnvelope, type InvitationEnvelope } from "../wire/agent-envelope.ts";
import { sealClientMessage } from "../wire/client-message.ts";

export interface Sealed {
  /** Of SEND. */
  readonly body: Uint8Array;
  /** Authorizes SEND; null: it goes without. */
  readonly key: AuthSecretKey | null;
}

function envelopeOf({ content }: Delivery): AgentEnvelope {
  switch (content.type) {
    case "confirmation":
      return {
        type: "confirmation",
        agentVersion: content.agentVersion,
        e2eParams: content.e2eParams === null ? null : decode(e2eParams, content.e2eParams),
        encConnInfo: encryptBody(content.key, content.plaintext, content.paddedLength),
      };
    case "message":
      return {
        type: "message",
        agentVersion: AGENT_VERSIONS.max,
        encAgentMessage: encryptBody(content.key, content.plaintext, content.paddedLength),
      };
    case "ratchetKey":
      return {
        type: "ratchetKey",
        agentVersion: content.agentVersion,
        e2eParams: decode(proposedE2eParams, content.e2eParams),
        info: Uint8Array.of(0x52),
      };
  }
}

/** The bytes for the relay. A repeated confirmation has the same queue key, each sealing its own nonce. */
export function sealDelivery(queue: SndQueue, delivery: Delivery): Sealed {
  const isConfirmation = delivery.kind === "confirmation";
  // Who secured the queue with SKEY is known to the relay already; else the recipient has to be told the key.
  const isSecured = queue.mode === "messaging";
  const envelope = encode(agentEnvelope, envelopeOf(delivery));
  const body = sealClientMessage({
    clientVersion: queue.clientVersion,
    secret: queue.e2eSecret,
    e2eKey: isConfirmation ? queue.dhKeys.publicKey : null,
    message: { senderKey: isConfirmation && !isSecured ? queue.authKeys.publicKey : null, envelope },
  });
  return { body, key: isConfirmation && !isSecured ? null : queue.authKeys.secretKey };
}

/** An invitation for an address, whose queue takes SEND from anybody. */
export function sealRequest(queue: SndQueue, envelope: InvitationEnvelope): Uint8Array {
  return sealClientMessage({
    clientVersion: queue.clientVersion,
    secret: queue.e2eSecret,
    e2eKey: queue.dhKeys.publicKey,
    message: { senderKey: null, envelope: encode(agentEnvelope, envelope) },
  });
}
