import { readRecord } from "../../store/record.ts";
import type { RatchetState } from "../../ratchet/snapshot.ts";
import { PeerError } from "../errors.ts";
import { checkSentMessage, type RcvQueue } from "../records.ts";
import type { Step } from "../step.ts";
import { sentKey, TABLE } from "../tables.ts";
import type { AMessage, Receipt } from "../wire/agent-message.ts";
import type { SndQAddr } from "#protocol/queue-address";
import { equal } from "#crypto/bytes";
import { findQueue } from "./addresses.ts";
import { connected } from "./delivered.ts";
import { enqueue } from "./enqueue.ts";
import { ereadyReceived } from "./resync.ts";
import { queueAdded, queueKeyed, queueUsed } from "./rotate.ts";

/** Messages between agents. `before`: the ratchet before this message was decrypted. */
export async function control(
  step: Step,
  queue: RcvQueue,
  message: Exclude<AMessage, { readonly type: "A_MSG" }>,
  before: RatchetState | null,
): Promise<void> {
  if (message.type === "HELLO") return helloReceived(step, queue);
  if (step.connection.send.length === 0) {
    throw new PeerError("A_PROHIBITED", `${message.type} cannot come before the connection is allowed`);
  }
  switch (message.type) {
    case "A_RCVD":
      for (const receipt of message.receipts) await receiptReceived(step, receipt);
      return;
    case "A_QCONT":
      return continueReceived(step, message.address);
    case "QADD":
      return queueAdded(step, message);
    case "QKEY":
      return queueKeyed(step, message);
    case "QUSE":
      return queueUsed(step, message);
    case "QTEST":
      // Its arrival is the test.
      return;
    case "EREADY":
      return ereadyReceived(step, before);
  }
}

/** Agent protocol, joining an invitation, steps 10 and 11. `queue` is as it was before the message came. */
function helloReceived(step: Step, queue: RcvQueue): void {
  const { status, role, send: [send] } = step.connection;
  // A message that overtook HELLO made the queue active; that is no reason to wait for ever.
  if (queue.status === "active" && status !== "pending") {
    throw new PeerError("A_PROHIBITED", "HELLO came to a queue that is active already");
  }
  if (!send) return;
  if (send.status === "active") connected(step);
  // The joiner's own HELLO is on its way by now, and connects once it is delivered.
  else if (role === "initiator") enqueue(step, { type: "HELLO" }, "hello", { notification: true, queues: [send] });
}

async function receiptReceived(step: Step, { sndMsgId, msgHash }: Receipt): Promise<void> {
  const key = sentKey(step.connection.id, sndMsgId);
  const sent = await readRecord(step.store, TABLE.sent, key, checkSentMessage);
  if (!sent) {
    step.faults.push(new PeerError("A_PROHIBITED", `a receipt names message ${sndMsgId}, which was not sent or is forgotten`));
    return;
  }
  if (sent.receipt === "ok") return;
  const status = equal(msgHash, sent.hash) ? "ok" : "badHash";
  step.write(TABLE.sent, key, { ...sent, receipt: status });
  step.tell({ type: "receipt", item: sent.item, status });
}

/** The peer has emptied its queue. */
function continueReceived(step: Step, address: SndQAddr): void {
  const queue = findQueue(step.connection.send, address);
  if (!queue) throw new PeerError("A_QUEUE", "the peer says to go on with a queue that is not one of this connection");
  step.effect({ type: "deliver", queue: queue.id, now: true });
}
