import { sha256 } from "#crypto/hash";
import { encode } from "#protocol/codec";
import { encryptHeader } from "../../ratchet/encrypt.ts";
import { AgentError } from "../errors.ts";
import type { Delivery, SndQueue } from "../records.ts";
import type { Step } from "../step.ts";
import { outboxKey, sentKey, TABLE } from "../tables.ts";
import { type AgentMessage, agentMessage, type AMessage } from "../wire/agent-message.ts";
import { connInfoPaddedLength, messagePaddedLength } from "../wire/padded-lengths.ts";

/** What the pad takes of the padded length. */
const PAD_OVERHEAD = 2;

/** Queues that a message goes to: the first always, others once they may be used. */
export function sendTargets(queues: readonly SndQueue[]): SndQueue[] {
  return queues.filter(({ status }, i) => i === 0 || status === "secured" || status === "active");
}

type Content = Delivery["content"];

/** Numbers an item and puts it into the outbox of each queue. `plaintext` is what the hash chain goes over. */
function put(
  step: Step,
  queues: readonly SndQueue[],
  plaintext: Uint8Array,
  about: Pick<Delivery, "kind" | "notification">,
  content: Content,
): Delivery {
  const sndMsgId = step.connection.sent.number + 1;
  const item = step.nextItem();
  step.update({ sent: { number: sndMsgId, hash: sha256(plaintext) } });
  const delivery: Delivery = { item, sndMsgId, ...about, at: step.now, content, wait: null };
  for (const { id } of queues) {
    step.write(TABLE.outbox, outboxKey(step.connection.id, id, item), delivery);
    step.effect({ type: "deliver", queue: id, now: false });
  }
  return delivery;
}

/**
 * Encrypts with the ratchet: its header at once, its body when it is sent. `pq`: asks for post-quantum encryption, as
 * the ratchet itself gives it up with the other side and takes it up again only when both ask. @throws AgentError
 */
function encrypted(
  step: Step,
  plaintext: Uint8Array,
  paddedLength: number,
  { pq = false }: { readonly pq?: boolean } = {},
): { key: Extract<Content, { type: "message" }>["key"]; plaintext: Uint8Array; paddedLength: number } {
  const { ratchet } = step.connection;
  if (!ratchet) throw new AgentError("PROHIBITED", "nothing can be sent before the other side has answered");
  if (plaintext.length > paddedLength - PAD_OVERHEAD) {
    const most = paddedLength - PAD_OVERHEAD;
    throw new AgentError("LARGE", `${plaintext.length} bytes do not fit into a message of at most ${most}`);
  }
  const { state, key } = encryptHeader(ratchet, pq ? { pq: "on" } : {});
  step.update({ ratchet: state });
  return { key, plaintext, paddedLength };
}

/** A message of the agent to some queues. @throws AgentError when it is too long or there is no ratchet yet */
export function enqueue(
  step: Step,
  message: AMessage,
  kind: Delivery["kind"],
  { notification = false, queues = sendTargets(step.connection.send) }: {
    readonly notification?: boolean;
    readonly queues?: readonly SndQueue[];
  } = {},
): Delivery {
  const { sent, agentVersion, pq } = step.connection;
  const plaintext = encode(agentMessage, {
    type: "message",
    sndMsgId: sent.number + 1,
    prevMsgHash: sent.hash,
    message,
  });
  const paddedLength = messagePaddedLength(agentVersion, pq);
  const body = encrypted(step, plaintext, paddedLength, { pq: pq && kind === "message" });
  const content = { type: "message", ...body } as const;
  const delivery = put(step, queues, plaintext, { kind, notification }, content);
  if (kind === "message") {
    step.write(TABLE.sent, sentKey(step.connection.id, delivery.sndMsgId), {
      item: delivery.item,
      hash: step.connection.sent.hash,
      at: step.now,
      told: false,
      receipt: null,
    });
  }
  return delivery;
}

/** A confirmation with own connection information, to the one send queue. @throws AgentError when it is too long */
export function enqueueConfirmation(
  step: Step,
  queue: SndQueue,
  message: AgentMessage,
  e2eParams: Uint8Array | null,
): void {
  const { agentVersion, pq } = step.connection;
  const plaintext = encode(agentMessage, message);
  const body = encrypted(step, plaintext, connInfoPaddedLength(agentVersion, pq));
  const content = { type: "confirmation", agentVersion, e2eParams, ...body } as const;
  put(step, [queue], plaintext, { kind: "confirmation", notification: true }, content);
}

/** Keys for a new ratchet: they go outside of the ratchet. */
export function enqueueRatchetKey(step: Step, e2eParams: Uint8Array, agentVersion: number): void {
  const plaintext = encode(agentMessage, { type: "ratchetInfo", info: new Uint8Array() });
  const content = { type: "ratchetKey", agentVersion, e2eParams } as const;
  put(step, sendTargets(step.connection.send), plaintext, { kind: "ratchetKey", notification: true }, content);
}
