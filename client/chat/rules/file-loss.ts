import type { Sending } from "../file-records.ts";
import type { Step } from "../step.ts";
import { prefixOf, TABLE } from "../tables.ts";
import type { Id } from "../wire/ids.ts";
import { newSharedId } from "../wire/ids.ts";
import { chatMessage } from "../wire/message.ts";
import { enqueue, loseFile } from "./outbox.ts";
import { ownerOf } from "./owners.ts";

// Own files that do not go where they were announced: who waits for one is told, or it would do so for ever.

/** Tells somebody that an own file does not come. */
export async function tellFileGone(step: Step, owner: string, msgId: Id): Promise<void> {
  if ((await ownerOf(step, owner))?.isGone !== false) return;
  await enqueue(step, owner, chatMessage({ type: "x.file.cancel", params: { msgId } }, newSharedId()));
}

/** Whether a part of a file waits to be sent between the messages. */
async function hasWaitingChunk(step: Step, { item, owner }: Sending): Promise<boolean> {
  for (const key of await step.keys(TABLE.waiting, { prefix: prefixOf(item) + prefixOf(owner) })) {
    const pointer = await step.readSound(TABLE.waiting, key);
    const outgoing = pointer && await step.readSound(TABLE.outbox, pointer.to);
    if (outgoing?.chunk) return true;
  }
  return false;
}

/** Own files that are under way are about to be erased. `prefix`: of the ids of their items. */
export async function tellFilesGone(step: Step, prefix: string): Promise<void> {
  for (const key of await step.keys(TABLE.sendings, { prefix })) {
    const sending = await step.readSound(TABLE.sendings, key);
    const item = sending && await step.readSound(TABLE.items, sending.item);
    if (!sending || !item || item.msgId === null) continue;
    const isUnderWay = sending.link === null ? await hasWaitingChunk(step, sending) : !sending.isDone;
    if (isUnderWay) await tellFileGone(step, sending.owner, item.msgId);
  }
}

/** The connection that somebody made for an own file is not needed any more. `key`: of the record. */
export function endSending(step: Step, key: string, sending: Sending): void {
  const { connection } = sending;
  step.put(TABLE.sendings, key, { ...sending, connection: null, isDone: true });
  if (connection === null) return;
  step.erase(TABLE.bindings, connection);
  step.effect({ type: "drop", connection });
}

/** An own file cannot be brought to one who accepted it. `key`: of the record. */
export async function giveUpSending(step: Step, key: string, sending: Sending): Promise<void> {
  endSending(step, key, sending);
  await loseFile(step, sending.owner, sending.item);
  const item = await step.readSound(TABLE.items, sending.item);
  if (item && item.msgId !== null) await tellFileGone(step, sending.owner, item.msgId);
}
