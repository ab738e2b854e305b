import { dh } from "#crypto/keys";
import { AgentError, PeerError } from "../errors.ts";
import { checkDelivery, type RcvQueue, type SndQueue } from "../records.ts";
import { listRecords } from "../../store/record.ts";
import type { RotationPhase } from "../events.ts";
import type { Step } from "../step.ts";
import { erase, outboxKey, queuePrefix, TABLE } from "../tables.ts";
import { acceptsClientVersion } from "../versions.ts";
import type { QADD, QKEY, QUSE } from "../wire/agent-message.ts";
import type { Server } from "#protocol/address";
import { findQueue, sndQAddrOf, uriOf } from "./addresses.ts";
import { enqueue } from "./enqueue.ts";
import { removeLater } from "./leave.ts";
import { chooseQueue, newSndQueue } from "./queues.ts";
import { isSendingProhibited } from "./sending.ts";

// R receives from the queue that is replaced, S sends to it (agent protocol, queue rotation).

function tellReceive(step: Step, phase: RotationPhase, detail: string): void {
  step.tell({ type: "rotation", direction: "receive", phase, detail });
}

function tellSend(step: Step, phase: "started" | "secured", detail: string): void {
  step.tell({ type: "rotation", direction: "send", phase, detail });
}

/** Whether a queue is being replaced: one that is only kept for what may come late is not any more. */
export function isMoving({ rotation }: RcvQueue): boolean {
  return rotation !== null && rotation !== "received_message";
}

/** R: the application wants another queue, on `server` or on any other one. @throws AgentError */
export function startRotation(step: Step, server: Server | null): void {
  const { status, sync, receive, send } = step.connection;
  const [queue] = receive;
  if (status !== "connected" || !queue || send.length === 0) {
    throw new AgentError("PROHIBITED", "only a connection that is made can move to another relay");
  }
  if (receive.some(isMoving)) throw new AgentError("PROHIBITED", "the connection is moving already; abort that first");
  if (isSendingProhibited(sync.state)) {
    throw new AgentError("PROHIBITED", "the encryption has to be repaired first: synchronise");
  }
  step.updateRcvQueue(queue.id, { rotation: "started" });
  const wanted = server && { hosts: [...server.hosts], port: server.port, keyHash: server.keyHash };
  step.addTasks({ type: "rotate", replaces: queue.id, server: wanted });
  tellReceive(step, "started", "a queue is being made on another relay");
}

/** R: the new queue is there. */
export function rotationQueueMade(step: Step, made: RcvQueue): void {
  const { replaces } = made;
  const old = step.connection.receive.find(({ id }) => id === replaces);
  if (old?.rotation !== "started") {
    removeLater(step, made);
    return;
  }
  if (isSendingProhibited(step.connection.sync.state)) {
    removeLater(step, made);
    giveUpRotation(step, old.id, "the encryption has to be repaired first");
    return;
  }
  step.updateRcvQueue(old.id, { rotation: "sending_qadd" });
  step.update({ receive: [...step.connection.receive, made] });
  const queue = { uri: uriOf(made), replaces: sndQAddrOf(old) };
  enqueue(step, { type: "QADD", queues: [queue] }, "qadd");
}

/** R: takes the rotation back, as long as the peer was not told to use the new queue. @throws AgentError */
export function abortRotation(step: Step): void {
  const old = step.connection.receive.find(isMoving);
  if (!old) throw new AgentError("PROHIBITED", "the connection is not moving");
  if (old.rotation !== "started" && old.rotation !== "sending_qadd") {
    throw new AgentError("PROHIBITED", "the other side uses the new queue already; the move will be completed");
  }
  stay(step, old.id);
  tellReceive(step, "aborted", "the connection stays where it was");
}

/** R: the relay or the peer will not have it. `old`: the queue that was to be replaced. */
export function giveUpRotation(step: Step, old: number, detail: string): void {
  stay(step, old);
  tellReceive(step, "failed", detail);
}

/** R: forgets the new queue, and what was to be done for it. */
function stay(step: Step, old: number): void {
  const { receive, todo } = step.connection;
  for (const queue of receive) if (queue.replaces === old) removeLater(step, queue);
  step.update({
    receive: receive.filter(({ replaces }) => replaces !== old).map((one) => (one.id === old ? { ...one, rotation: null } : one)),
    todo: todo.filter(({ type }) => type === "remove"),
  });
}

function checkSync(step: Step): void {
  if (isSendingProhibited(step.connection.sync.state)) {
    throw new PeerError("A_QUEUE", "the peer moves its queue while the encryption is being repaired");
  }
}

/** S: the peer has a new queue. */
export async function queueAdded(step: Step, { queues: [added] }: QADD): Promise<void> {
  checkSync(step);
  const { send } = step.connection;
  if (!added.replaces) throw new PeerError("A_QUEUE", "QADD replaces no queue");
  const info = chooseQueue(added.uri);
  if (!info) throw new PeerError("A_VERSION", "the peer's new queue is of a version that is not known here");
  if (findQueue(send, { server: info.server, senderId: info.senderId })) {
    throw new PeerError("A_QUEUE", "QADD names a queue that is in use");
  }
  const old = findQueue(send, added.replaces);
  if (!old) throw new PeerError("A_QUEUE", "QADD replaces a queue that is not one of this connection");
  const dropped = send.filter(({ replaces }) => replaces === old.id);
  const kept = send.filter(({ replaces }) => replaces !== old.id);
  for (const { id } of dropped) step.changes.push(...await erase(step.store, TABLE.outbox, queuePrefix(step.connection.id, id)));
  const queue: SndQueue = { ...newSndQueue(step.nextQueue(), info), replaces: old.id };
  step.update({ send: kept });
  const own = { ...info, dhKey: queue.dhKeys.publicKey };
  enqueue(step, { type: "QKEY", queues: [{ info: own, senderKey: queue.authKeys.publicKey }] }, "qkey");
  step.updateSndQueue(old.id, { rotation: "sending_qkey" });
  step.update({ send: [...step.connection.send, queue] });
  tellSend(step, "started", "the peer moves to another relay");
}

/** R: the peer says with which keys it will use the new queue. */
export function queueKeyed(step: Step, { queues: [keyed] }: QKEY): void {
  checkSync(step);
  const { info, senderKey } = keyed;
  const { receive } = step.connection;
  const queue = findQueue(receive, { server: info.server, senderId: info.senderId });
  if (!queue) throw new PeerError("A_QUEUE", "QKEY names a queue that is not one of this connection");
  const old = receive.find(({ id }) => id === queue.replaces);
  if (!acceptsClientVersion(info.clientVersion, 0)) {
    throw new PeerError("A_VERSION", `the peer speaks version ${info.clientVersion} of queue messages`);
  }
  if (queue.status !== "new" && queue.status !== "confirmed") throw new PeerError("A_QUEUE", "the queue is secured already");
  if (old?.rotation !== "sending_qadd") throw new PeerError("A_QUEUE", "QKEY came though no queue is being replaced");
  step.updateRcvQueue(queue.id, {
    status: "confirmed",
    e2eSecret: dh(queue.dhKeys.secretKey, info.dhKey),
    clientVersion: Math.min(queue.clientVersion, info.clientVersion),
  });
  step.addTasks({ type: "secureReceive", queue: queue.id, senderKey }, { type: "use", queue: queue.id });
  tellReceive(step, "confirmed", "the peer knows the new queue");
}

/** R: the new queue is secured, the peer may use it. */
export function useQueue(step: Step, id: number): void {
  const queue = step.connection.receive.find((one) => one.id === id);
  const old = step.connection.receive.find((one) => one.id === queue?.replaces);
  // Aborted while the relay was asked.
  if (!queue || old?.rotation !== "sending_qadd") return;
  enqueue(step, { type: "QUSE", queues: [{ address: sndQAddrOf(queue), primary: true }] }, "quse");
  step.updateRcvQueue(old.id, { rotation: "sending_quse" });
  tellReceive(step, "secured", "the new queue is secured");
}

/** S: the new queue may be used; the old one stays until a message has gone through the new one. */
export async function queueUsed(step: Step, { queues: [used] }: QUSE): Promise<void> {
  checkSync(step);
  const queue = findQueue(step.connection.send, used.address);
  if (!queue || queue.replaces === null) throw new PeerError("A_QUEUE", "QUSE names a queue that replaces none");
  const old = step.connection.send.find(({ id }) => id === queue.replaces);
  if (old?.rotation !== "sending_qkey") throw new PeerError("A_QUEUE", "QUSE came out of order");
  step.updateSndQueue(queue.id, { status: "secured" });
  // The old queue goes with what is still to be sent to it, so all of that takes the new one too.
  const { id } = step.connection;
  const waiting = await listRecords(step.store, TABLE.outbox, checkDelivery, { prefix: queuePrefix(id, old.id) });
  for (const { value } of waiting) step.write(TABLE.outbox, outboxKey(id, queue.id, value.item), { ...value, wait: null });
  // Through the old queue too, where nothing follows from it, so that no number is missing among its messages.
  enqueue(step, { type: "QTEST", queues: [used.address] }, "qtest");
  step.updateSndQueue(old.id, { rotation: "sending_qtest" });
  tellSend(step, "secured", "the peer's new queue is tried");
}

/**
 * R: a message came through the new queue: nothing new comes through the old one any more, which is removed when it is
 * empty. True: the message has to wait for that, since what is still in the old queue was sent before it.
 */
export function hasToWait(step: Step, queue: RcvQueue): boolean {
  const old = step.connection.receive.find(({ id }) => id === queue.replaces);
  switch (old?.rotation) {
    case undefined:
    case "received_message":
      return false;
    case "draining":
      return true;
    case "sending_quse":
      break;
    default:
      step.faults.push(new PeerError("A_QUEUE", "a message came through a queue that the peer was not told to use"));
      return false;
  }
  step.updateRcvQueue(old.id, { rotation: "draining" });
  // The first queue is the primary one.
  const others = step.connection.receive.filter(({ id }) => id !== queue.id);
  step.update({ receive: [step.rcvQueue(queue.id), ...others] });
  step.addTasks({ type: "remove", queue: old.id });
  return true;
}

/** R: the old relay cannot be reached. What it still has comes late, if at all; the new queue waits no longer. */
export function stopWaiting(step: Step, id: number): void {
  const old = step.connection.receive.find((one) => one.id === id);
  if (old?.rotation !== "draining") return;
  step.updateRcvQueue(id, { rotation: "received_message" });
  step.addTasks({ type: "remove", queue: id });
  takeWhatWaits(step, id);
  tellReceive(step, "completed", "the connection has moved; the old relay could not be reached");
}

/** What came through the queue that replaces `id` was left with its relay. */
function takeWhatWaits(step: Step, id: number): void {
  const successor = step.connection.receive.find(({ replaces }) => replaces === id);
  if (successor) step.effect({ type: "again", queue: successor.id });
}

/** The relay has removed a queue, or does not have it. */
export function queueRemoved(step: Step, id: number): void {
  const queue = step.connection.receive.find((one) => one.id === id);
  if (!queue) return;
  takeWhatWaits(step, id);
  const rest = step.connection.receive.filter((one) => one.id !== id);
  step.update({ receive: rest.map((one) => (one.replaces === id ? { ...one, replaces: null } : one)) });
  if (queue.rotation === "draining") tellReceive(step, "completed", "the connection has moved");
}
