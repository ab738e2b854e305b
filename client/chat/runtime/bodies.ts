import type { Owner } from "../rules/owners.ts";
import type { Waiting } from "../rules/outbox.ts";
import type { Step } from "../step.ts";
import { chunkKey, TABLE } from "../tables.ts";
import { TooLargeError } from "../wire/errors.ts";
import { encodeFileChunk } from "../wire/file-chunk.ts";
import type { ChatMessage } from "../wire/message.ts";
import { packMessages } from "../wire/pack.ts";

/** What the agent is given next of what waits for somebody. */
export type NextBody =
  | { readonly type: "body"; readonly body: Uint8Array; readonly notification: boolean; readonly rows: readonly Waiting[] }
  /** These cannot be sent. */
  | { readonly type: "refused"; readonly detail: string; readonly rows: readonly Waiting[] };

interface WaitingMessage extends Waiting {
  readonly message: ChatMessage;
}

const isMessageRow = (row: Waiting): row is WaitingMessage => row.message !== null;

/** A part of a file goes alone. Its bytes are read only now, so that those of a file are never all in memory. */
async function chunkBody(step: Step, { chunk, subject, ...row }: Waiting): Promise<NextBody> {
  const rows = [{ chunk, subject, ...row }];
  if (!chunk || subject === null) return { type: "refused", detail: "there is nothing to be sent", rows };
  const { msgId, number } = chunk;
  const stored = number === 0 ? null : await step.readSound(TABLE.chunks, chunkKey(subject, number));
  if (number !== 0 && !stored) return { type: "refused", detail: "the file is gone", rows };
  const body = encodeFileChunk({ msgId, part: stored && { number, bytes: stored.bytes } });
  return { type: "body", body, notification: false, rows };
}

/** @param waiting at least one, in order */
export async function nextBody(step: Step, { carrier }: Owner, waiting: readonly Waiting[]): Promise<NextBody> {
  const [first] = waiting;
  if (first && !isMessageRow(first)) return chunkBody(step, first);
  const end = waiting.findIndex((row) => !isMessageRow(row));
  const rows = waiting.slice(0, end < 0 ? waiting.length : end).filter(isMessageRow);
  try {
    const [packed] = packMessages(rows.map(({ message }) => message), carrier, step.compression);
    if (!packed) return { type: "refused", detail: "there is nothing to be sent", rows };
    return { type: "body", ...packed, rows: rows.slice(0, packed.count) };
  } catch (error) {
    if (!(error instanceof TooLargeError)) throw error;
    const tooLong = rows.filter(({ message }) => {
      try {
        packMessages([message], carrier, step.compression);
        return false;
      } catch (reason) {
        if (reason instanceof TooLargeError) return true;
        throw reason;
      }
    });
    return { type: "refused", detail: error.message, rows: tooLong };
  }
}
