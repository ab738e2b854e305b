import { sha256 } from "#crypto/hash";
import type { AuthAlgorithm, PublicKey } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import { base64url } from "#crypto/bytes";
import { decode, encode } from "#protocol/codec";
import { isInRange } from "#protocol/version";
import { decrypt } from "../../ratchet/decrypt.ts";
import { RatchetError } from "../../ratchet/errors.ts";
import { E2E_VERSIONS } from "../../ratchet/parameters.ts";
import { initInitiator } from "../../ratchet/state.ts";
import { AgentError, PeerError } from "../errors.ts";
import { type Connection, type RcvQueue, type SndQueue, type Task } from "../records.ts";
import type { Step } from "../step.ts";
import { hashKey, TABLE } from "../tables.ts";
import { acceptsAgentVersion, acceptsClientVersion, AGENT_VERSIONS, isPqSupported } from "../versions.ts";
import type { ConfirmationEnvelope } from "../wire/agent-envelope.ts";
import { agentMessage } from "../wire/agent-message.ts";
import { type SmpQueueInfo, smpQueueInfo } from "#protocol/queue-address";
import { connected } from "./delivered.ts";
import { enqueueConfirmation } from "./enqueue.ts";
import { checkInfo } from "./establish.ts";
import { newSndQueue } from "./queues.ts";
import { openWithRatchet } from "./open.ts";

export interface ReceivedConfirmation {
  readonly queue: RcvQueue;
  readonly envelope: ConfirmationEnvelope;
  /** With which the sender will authorize SEND, when it has not secured the queue itself. */
  readonly senderKey: PublicKey<AuthAlgorithm> | null;
  readonly secret: Uint8Array;
  readonly clientVersion: number;
}

/** A confirmation from the joiner to the initiator or back (agent protocol, joining an invitation, steps 6 and 9). */
export async function confirmationReceived(step: Step, received: ReceivedConfirmation): Promise<void> {
  const { queue, envelope, senderKey } = received;
  const { connection } = step;
  const { agentVersion } = envelope;
  if (!acceptsAgentVersion(agentVersion, connection.agentVersion)) {
    throw new PeerError("A_VERSION", `the peer speaks agent version ${agentVersion}`);
  }
  if (senderKey === null && queue.mode !== "messaging") {
    throw new PeerError("A_PROHIBITED", "the confirmation has no key to secure the queue with");
  }
  // Not so for a queue that a connected side moves to: that one is new too.
  if (connection.status !== "pending") throw new PeerError("A_PROHIBITED", `the connection is ${connection.status} already`);
  if (queue.status !== "new") throw new PeerError("A_PROHIBITED", "the queue has had its confirmation already");
  if (connection.role === "initiator" && connection.send.length === 0) initiatorConfirmed(step, received);
  else if (connection.role === "joiner" && envelope.e2eParams === null) await joinerConfirmed(step, received);
  else throw new PeerError("A_PROHIBITED", "no confirmation is expected in this state of the connection");
}

function confirmQueue(step: Step, { queue, envelope, secret, clientVersion }: ReceivedConfirmation): void {
  step.updateRcvQueue(queue.id, {
    status: "confirmed",
    e2eSecret: secret,
    clientVersion: Math.min(queue.clientVersion, clientVersion),
  });
  const key = hashKey(step.connection.id, sha256(envelope.encConnInfo));
  step.write(TABLE.hashes, key, { at: step.now, item: null });
}

/** The joiner has answered: there is a ratchet now, so that what it sends next can be read before it is allowed. */
function initiatorConfirmed(step: Step, received: ReceivedConfirmation): void {
  const { envelope, senderKey } = received;
  const { e2eKeys } = step.connection;
  const parameters = envelope.e2eParams;
  if (!parameters || !e2eKeys) throw new PeerError("A_PROHIBITED", "the confirmation has no ratchet parameters");
  if (!isInRange(parameters.version, E2E_VERSIONS)) {
    throw new PeerError("A_VERSION", `the peer speaks end-to-end version ${parameters.version}`);
  }
  const pq = step.connection.pq && isPqSupported(envelope.agentVersion, parameters.version);
  const ratchet = startRatchet(() => initInitiator(e2eKeys, parameters, pq));
  const { state, result } = decrypt(ratchet, [], envelope.encConnInfo);
  if (!result.ok) throw new PeerError("A_CRYPTO", `the confirmation does not open: ${result.error.message}`);
  const message = decode(agentMessage, result.plaintext);
  if (message.type !== "connInfoReply") throw new PeerError("A_PROHIBITED", "the confirmation names no queue to reply to");
  // Nobody is to be asked about a peer that cannot be answered: this throws when its key is unusable.
  newSndQueue(0, message.queues[0]);
  confirmQueue(step, received);
  const id = base64url(randomBytes(12));
  step.update({
    ratchet: state,
    pq,
    agentVersion: Math.min(envelope.agentVersion, AGENT_VERSIONS.max),
    received: { number: 1, hash: sha256(result.plaintext) },
    e2eKeys: null,
    confirmation: { id, senderKey, replyQueue: encode(smpQueueInfo, message.queues[0]), isAllowed: false },
  });
  step.tell({ type: "confirmation", confirmation: id, info: message.connInfo, pq });
}

function startRatchet<T>(start: () => T): T {
  try {
    return start();
  } catch (error) {
    if (error instanceof RatchetError) throw new PeerError("A_CRYPTO", error.message, { cause: error });
    throw error;
  }
}

/** The initiator has allowed the connection. */
async function joinerConfirmed(step: Step, received: ReceivedConfirmation): Promise<void> {
  const { queue, envelope, senderKey } = received;
  const message = await openWithRatchet(step, envelope.encConnInfo);
  if (message.type !== "connInfo") throw new PeerError("A_PROHIBITED", "the confirmation holds no connection information");
  confirmQueue(step, received);
  step.update({ received: { number: 1, hash: sha256(message.plaintext) } });
  step.tell({ type: "info", info: message.connInfo });
  if (senderKey) {
    step.addTasks({ type: "secureReceive", queue: queue.id, senderKey }, { type: "hello" });
    return;
  }
  step.updateRcvQueue(queue.id, { status: "active" });
  const [first] = step.connection.send;
  if (first) step.updateSndQueue(first.id, { status: "active" });
  connected(step);
}

/** The application allows the connection (step 7), which it may do again after a crash. @throws AgentError */
export function allow(step: Step, confirmation: string, info: Uint8Array): void {
  const { connection } = step;
  const pending = connection.confirmation;
  if (pending?.id !== confirmation) {
    throw new AgentError("NOT_FOUND", `there is no confirmation '${confirmation}' to allow`);
  }
  if (pending.isAllowed) return;
  const [receive] = connection.receive;
  if (!receive) throw new AgentError("PROHIBITED", "the connection has lost its queue");
  const reply = decode(smpQueueInfo, pending.replyQueue);
  if (!acceptsClientVersion(reply.clientVersion, 0)) {
    throw new AgentError("VERSION", `the other side's queue is of version ${reply.clientVersion}, which is not known here`);
  }
  checkInfo(info, connection.agentVersion, connection.pq);
  const queue = newSndQueue(step.nextQueue(), reply);
  step.update({ send: [queue], info, confirmation: { ...pending, isAllowed: true } });
  step.addTasks(...securing(receive, pending.senderKey, queue), { type: "confirm" });
}

function securing(
  receive: RcvQueue,
  senderKey: NonNullable<Connection["confirmation"]>["senderKey"],
  send: SndQueue,
): Task[] {
  const tasks: Task[] = [];
  if (senderKey) tasks.push({ type: "secureReceive", queue: receive.id, senderKey });
  if (send.mode === "messaging") tasks.push({ type: "secureSend", queue: send.id });
  return tasks;
}

/** The initiator's confirmation, once the queues are secured. */
export function sendOwnInfo(step: Step): void {
  const [queue] = step.connection.send;
  if (!queue) throw new AgentError("PROHIBITED", "there is no queue to confirm to");
  const connInfo = step.connection.info ?? new Uint8Array();
  enqueueConfirmation(step, queue, { type: "connInfo", connInfo }, null);
  step.update({ info: null });
}

/** The joiner's confirmation, which tells where to reply (step 5). */
export function sendReply(step: Step, reply: SmpQueueInfo): void {
  const [queue] = step.connection.send;
  if (!queue) throw new AgentError("PROHIBITED", "there is no queue to confirm to");
  const connInfo = step.connection.info ?? new Uint8Array();
  enqueueConfirmation(step, queue, { type: "connInfoReply", queues: [reply], connInfo }, step.connection.e2eParams);
  step.update({ info: null, e2eParams: null });
}
