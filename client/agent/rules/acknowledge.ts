import type { Step } from "../step.ts";
import { AGENT_VERSION } from "../versions.ts";
import { enqueue } from "./enqueue.ts";
import { canSend } from "./sending.ts";

/** The application has stored a message. With `receipt` its sender is told so, where it understands that. */
export function acknowledge(step: Step, item: number, receipt: Uint8Array | null): void {
  const held = step.held(item);
  if (!held) return;
  step.effect({ type: "ack", queue: held.queue, msgId: held.msgId });
  const isUnderstood = step.connection.agentVersion >= AGENT_VERSION.deliveryReceipts;
  if (receipt === null || !isUnderstood || !canSend(step.connection)) return;
  const { sndMsgId, hash } = held;
  enqueue(step, { type: "A_RCVD", receipts: [{ sndMsgId, msgHash: hash, info: receipt }] }, "receipt");
}
