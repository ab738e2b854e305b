import { concat } from "#crypto/bytes";
import { ArchiveError, type ArchiveErrorCode } from "../../../../client/archive/errors.ts";

export async function listOf<T>(items: AsyncIterable<T>): Promise<T[]> {
  const out: T[] = [];
  for await (const item of items) out.push(item);
  return out;
}

export async function bytesOf(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  return concat(...(await listOf(pieces)));
}

/** The code that an attempt fails with; `ok` when it does not. Anything but an ArchiveError is thrown on. */
export async function codeOf(attempt: () => Promise<unknown>): Promise<ArchiveErrorCode | "ok"> {
  try {
    await attempt();
    return "ok";
  } catch (error) {
    if (error instanceof ArchiveError) return error.code;
    throw error;
  }
}
