import { sha256 } from "#crypto/hash";
import { dh } from "#crypto/keys";
import { decode } from "#protocol/codec";
import { openReceivedMessage, type ReceivedMessage } from "#protocol/message";
import { readRecord } from "../../store/record.ts";
import { PeerError } from "../errors.ts";
import { verdictOf } from "../integrity.ts";
import { checkReceivedHash, type RcvQueue } from "../records.ts";
import type { Step } from "../step.ts";
import { hashKey, TABLE } from "../tables.ts";
import { acceptsClientVersion, raisedAgentVersion } from "../versions.ts";
import { type AgentEnvelope, agentEnvelope } from "../wire/agent-envelope.ts";
import { type ClientMsgEnvelope, openClientMessage, readClientMsgEnvelope } from "../wire/client-message.ts";
import { confirmationReceived } from "./confirm.ts";
import { control } from "./control.ts";
import { sndQAddrOf } from "./addresses.ts";
import { enqueue } from "./enqueue.ts";
import { asFault, openWithRatchet } from "./open.ts";
import { requestReceived } from "./request.ts";
import { canSend } from "./sending.ts";
import { ratchetKeyReceived } from "./resync.ts";
import { hasToWait } from "./rotate.ts";
import { syncAfterFailure, syncAfterSuccess } from "./sync-state.ts";

/** A MSG of the relay. */
export interface BrokerMessage {
  readonly msgId: Uint8Array;
  readonly encBody: Uint8Array;
}

/** What a queue was used for, once its envelope is open. */
interface Opened {
  readonly envelope: AgentEnvelope;
  readonly header: ClientMsgEnvelope;
  readonly senderKey: Parameters<typeof confirmationReceived>[1]["senderKey"];
  readonly secret: Uint8Array;
}

/**
 * Processes one message of a receive queue (agent protocol, receiving messages). Whatever the peer did wrong becomes a
 * fault; the queue goes on. A message for the application is acknowledged by it, everything else here.
 */
export async function receive(step: Step, queueId: number, message: BrokerMessage): Promise<void> {
  const queue = step.rcvQueue(queueId);
  const saved = step.save();
  let isHeld = false;
  try {
    isHeld = await process(step, queue, message);
  } catch (error) {
    step.restore(saved);
    step.faults.push(asFault(error));
  }
  if (!isHeld) step.effect({ type: "ack", queue: queueId, msgId: message.msgId });
}

function open(queue: RcvQueue, body: Uint8Array): Opened {
  const header = readClientMsgEnvelope(body);
  if (!acceptsClientVersion(header.clientVersion, queue.clientVersion)) {
    throw new PeerError("A_VERSION", `the peer speaks version ${header.clientVersion} of queue messages`);
  }
  const secret = queue.e2eSecret ?? (header.e2eKey && dh(queue.dhKeys.secretKey, header.e2eKey));
  if (!secret) throw new PeerError("A_PROHIBITED", "a message came before the confirmation of its sender");
  const { senderKey, envelope } = openClientMessage(header, secret);
  return { header, secret, senderKey, envelope: decode(agentEnvelope, envelope) };
}

/** True: it is not acknowledged now, but by the application, or when it comes again. */
async function process(step: Step, queue: RcvQueue, { msgId, encBody }: BrokerMessage): Promise<boolean> {
  const received = openReceivedMessage(queue.rcvDhSecret, msgId, encBody);
  if (received.type === "quota") {
    if (canSend(step.connection)) {
      enqueue(step, { type: "A_QCONT", address: sndQAddrOf(queue) }, "qcont");
    }
    return false;
  }
  const opened = open(queue, received.body);
  const { envelope, header } = opened;
  if (header.e2eKey !== null) {
    noteTime(step, queue, received.ts);
    return first(step, queue, opened);
  }
  if (opened.senderKey !== null) throw new PeerError("A_PROHIBITED", "only a confirmation may hold a key");
  if (hasToWait(step, queue)) return true;
  noteTime(step, queue, received.ts);
  if (envelope.type === "message" || envelope.type === "ratchetKey") {
    step.update({ agentVersion: raisedAgentVersion(step.connection.agentVersion, envelope.agentVersion) });
  }
  switch (envelope.type) {
    case "ratchetKey":
      await ratchetKeyReceived(step, envelope);
      return false;
    case "message":
      return ratchetMessage(step, { queue, msgId, encrypted: envelope.encAgentMessage, received });
    case "confirmation":
    case "invitation":
      throw new PeerError("A_PROHIBITED", `a ${envelope.type} cannot come here`);
  }
}

/** Notifications of what is no newer than this tell nothing new. */
function noteTime(step: Step, { id }: RcvQueue, ts: number): void {
  if (ts > (step.rcvQueue(id).newestAt ?? -1)) step.updateRcvQueue(id, { newestAt: ts });
}

/** A message whose header has a key: a confirmation, or an invitation for an address. */
async function first(step: Step, queue: RcvQueue, opened: Opened): Promise<boolean> {
  const { envelope, header, senderKey, secret } = opened;
  if (envelope.type === "confirmation") {
    // Once the queue has a secret this can only be the same confirmation again.
    if (queue.e2eSecret !== null) return false;
    await confirmationReceived(step, { queue, envelope, senderKey, secret, clientVersion: header.clientVersion });
    return false;
  }
  if (envelope.type === "invitation" && queue.e2eSecret === null && senderKey === null) {
    await requestReceived(step, envelope);
    return false;
  }
  throw new PeerError("A_PROHIBITED", `a ${envelope.type} cannot come with a key in its header`);
}

interface RatchetInput {
  readonly queue: RcvQueue;
  readonly msgId: Uint8Array;
  readonly encrypted: Uint8Array;
  readonly received: ReceivedMessage & { readonly type: "message" };
}

/** True: it holds a message for the application, which has to acknowledge it. */
async function ratchetMessage(step: Step, { queue, msgId, encrypted, received }: RatchetInput): Promise<boolean> {
  const { id } = step.connection;
  const key = hashKey(id, sha256(encrypted));
  // The second copy of a rotation, or a delivery whose acknowledgement was lost: never decrypted twice.
  const known = await readRecord(step.store, TABLE.hashes, key, checkReceivedHash);
  if (known) return known.item !== null && step.held(known.item)?.queue === queue.id;
  let opened: Awaited<ReturnType<typeof openWithRatchet>>;
  const ratchetBefore = step.connection.ratchet;
  try {
    opened = await openWithRatchet(step, encrypted);
  } catch (error) {
    const fault = asFault(error);
    step.write(TABLE.hashes, key, { at: step.now, item: null });
    syncAfterFailure(step, fault);
    step.faults.push(fault);
    return false;
  }
  if (queue.status !== "active") step.updateRcvQueue(queue.id, { status: "active" });
  syncAfterSuccess(step);
  if (opened.type !== "message") {
    step.write(TABLE.hashes, key, { at: step.now, item: null });
    step.faults.push(new PeerError("A_PROHIBITED", `a ${opened.type} cannot come in a message`));
    return false;
  }
  const { sndMsgId, prevMsgHash, message, plaintext, isLate } = opened;
  const integrity = verdictOf(step.connection.received, { sndMsgId, prevMsgHash });
  // What is late does not turn the chain back. Honest numbers begin with 1; what is stored is a count.
  if (!isLate) step.update({ received: { number: Math.max(0, sndMsgId), hash: sha256(plaintext) } });
  if (message.type !== "A_MSG") {
    step.write(TABLE.hashes, key, { at: step.now, item: null });
    const saved = step.save();
    try {
      await control(step, queue, message, ratchetBefore);
    } catch (error) {
      // The ratchet has moved on and stays so.
      step.restore(saved);
      step.faults.push(asFault(error));
    }
    return false;
  }
  const item = step.nextItem();
  step.write(TABLE.hashes, key, { at: step.now, item });
  step.tell({
    type: "message",
    item,
    body: message.body,
    integrity,
    sndMsgId,
    brokerTime: received.ts * 1_000,
    notification: received.notification,
    pq: step.connection.ratchet?.rcvKem ?? false,
  }, { queue: queue.id, msgId, sndMsgId, hash: sha256(plaintext) });
  return true;
}
