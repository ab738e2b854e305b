import { readRecord } from "../../store/record.ts";
import { PeerError } from "../errors.ts";
import { checkSentMessage, type Delivery } from "../records.ts";
import type { Step } from "../step.ts";
import { erase, outboxKey, queuePrefix, sentKey, TABLE } from "../tables.ts";
import { leaveIfDone } from "./leave.ts";
import { giveUpRotation } from "./rotate.ts";
import type { Dropped } from "./send-failure.ts";

/** Takes the item out of the outbox. False: the queue is gone, so that nothing follows from it. */
function takeOut(step: Step, queue: number, { item }: Delivery): boolean {
  step.erase(TABLE.outbox, outboxKey(step.connection.id, queue, item));
  return step.connection.send.some(({ id }) => id === queue);
}

/** Both sides can send. */
export function connected(step: Step): void {
  if (step.connection.status !== "pending") return;
  step.update({ status: "connected" });
  step.tell({ type: "connected", pq: step.connection.ratchet?.sndKem ?? false });
}

/** Tells the fate of a message, once though it may have gone to two queues. */
async function tellOnce(step: Step, delivery: Delivery, tell: () => void): Promise<void> {
  const key = sentKey(step.connection.id, delivery.sndMsgId);
  const message = await readRecord(step.store, TABLE.sent, key, checkSentMessage);
  if (!message || message.told) return;
  step.write(TABLE.sent, key, { ...message, told: true });
  tell();
}

/** The relay has taken the item. `isProxied`: it came there through another one. */
export async function delivered(step: Step, queue: number, delivery: Delivery, isProxied = false): Promise<void> {
  if (!takeOut(step, queue, delivery)) return;
  const { role } = step.connection;
  const { mode } = step.sndQueue(queue);
  switch (delivery.kind) {
    case "confirmation":
      if (role === "initiator" && mode === "messaging") {
        step.updateSndQueue(queue, { status: "active" });
        connected(step);
      } else if (step.sndQueue(queue).status !== "active") step.updateSndQueue(queue, { status: "confirmed" });
      break;
    case "hello":
      step.updateSndQueue(queue, { status: "active" });
      if (step.connection.receive[0]?.status === "active") connected(step);
      break;
    case "message":
      await tellOnce(step, delivery, () => step.tell({ type: "sent", item: delivery.item, isProxied }));
      break;
    case "qtest":
      await finishSendRotation(step, queue);
      break;
  }
  await leaveIfDone(step, queue, delivery.item);
}

/** The new queue works: it alone stays. */
async function finishSendRotation(step: Step, queue: number): Promise<void> {
  const { replaces } = step.sndQueue(queue);
  step.updateSndQueue(queue, { status: "active", replaces: null });
  if (replaces === null) return;
  step.update({ send: step.connection.send.filter(({ id }) => id !== replaces) });
  step.changes.push(...await erase(step.store, TABLE.outbox, queuePrefix(step.connection.id, replaces)));
  step.tell({ type: "rotation", direction: "send", phase: "completed", detail: "the peer receives at its new relay" });
}

/** Whether another queue is still to have the item. */
async function isElsewhere(step: Step, queue: number, { item }: Delivery): Promise<boolean> {
  const { id, send } = step.connection;
  for (const other of send) {
    if (other.id !== queue && await step.store.read(TABLE.outbox, outboxKey(id, other.id, item))) return true;
  }
  return false;
}

/** The item will not be sent any more. */
export async function refused(step: Step, queue: number, delivery: Delivery, dropped: Dropped): Promise<void> {
  if (!takeOut(step, queue, delivery)) return;
  // Once the peer's new queue may be used, everything goes there too, and the peer removes the old one.
  const isReplaced = step.connection.send.some(({ replaces, status }) => replaces === queue && status !== "new");
  const isKnown = isReplaced && delivery.kind !== "message";
  if (isKnown || (delivery.kind !== "qtest" && await isElsewhere(step, queue, delivery))) return leaveIfDone(step, queue, delivery.item);
  const { reason, detail } = dropped;
  switch (delivery.kind) {
    case "confirmation":
      step.fail({ type: "failed", reason, detail });
      break;
    case "hello":
      step.fail({ type: "failed", reason: step.connection.role === "joiner" ? "NOT_ACCEPTED" : reason, detail });
      break;
    case "message":
      await tellOnce(step, delivery, () => step.tell({ type: "unsent", item: delivery.item, reason, detail }));
      break;
    case "qadd":
    case "quse": {
      // The peer does not know of the new queue, or that it may use it.
      const phase = delivery.kind === "qadd" ? "sending_qadd" : "sending_quse";
      const old = step.connection.receive.find(({ rotation }) => rotation === phase);
      if (old) giveUpRotation(step, old.id, detail);
      break;
    }
    case "qkey":
    case "qtest":
      step.tell({ type: "rotation", direction: "send", phase: "failed", detail });
      break;
    case "ratchetKey":
    case "receipt":
    case "qcont":
    case "eready":
      step.faults.push(new PeerError("A_QUEUE", `the peer's queue did not take the ${delivery.kind}: ${detail}`));
      break;
  }
  await leaveIfDone(step, queue, delivery.item);
}
