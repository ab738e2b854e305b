import { CryptoError } from "#crypto/errors";
import { decode, DecodeError } from "#protocol/codec";
import { decrypt } from "../../ratchet/decrypt.ts";
import { RatchetError } from "../../ratchet/errors.ts";
import { skippedToDrop } from "../../ratchet/skipped.ts";
import { skippedKeyFromRecord } from "../../ratchet/snapshot.ts";
import { listRecords } from "../../store/record.ts";
import { AgentError, PeerError } from "../errors.ts";
import type { Step } from "../step.ts";
import { skippedKey, TABLE } from "../tables.ts";
import { type AgentMessage, agentMessage } from "../wire/agent-message.ts";

/** What a peer can cause; anything else is thrown on. */
export function asFault(error: unknown): PeerError {
  if (error instanceof PeerError) return error;
  if (error instanceof DecodeError) return new PeerError("A_MESSAGE", error.message, { cause: error });
  const isCrypto = error instanceof CryptoError || error instanceof RatchetError;
  if (isCrypto) return new PeerError("A_CRYPTO", error.message, { cause: error });
  // What it asks for cannot be answered: the answer would be too long, or the state of the connection forbids it.
  if (error instanceof AgentError) return new PeerError("A_PROHIBITED", error.message, { cause: error });
  throw error;
}

/** What the ratchet encrypted. */
export type Decrypted = AgentMessage & {
  readonly plaintext: Uint8Array;
  /** It was passed over before: messages that were sent after it came first. */
  readonly isLate: boolean;
};

/** Decrypts with the connection's ratchet and keeps what follows. @throws PeerError, having changed nothing */
export async function openWithRatchet(step: Step, encrypted: Uint8Array): Promise<Decrypted> {
  const { id, ratchet } = step.connection;
  if (!ratchet) throw new PeerError("A_PROHIBITED", "a message came before the connection has a ratchet");
  const prefix = `${id}/`;
  const stored = await listRecords(step.store, TABLE.skipped, skippedKeyFromRecord, { prefix });
  const skipped = stored.map(({ value }) => value);
  const { state, skipped: change, result } = decrypt(ratchet, skipped, encrypted);
  if (!result.ok) throw new PeerError("A_CRYPTO", result.error.message, { cause: result.error });
  step.update({ ratchet: state });
  const excess = change.add.length === 0 ? [] : skippedToDrop([...skipped, ...change.add]);
  for (const key of change.add) step.write(TABLE.skipped, skippedKey(id, key.headerKey, key.number), key);
  for (const { headerKey, number } of [...change.remove, ...excess]) {
    step.erase(TABLE.skipped, skippedKey(id, headerKey, number));
  }
  const { plaintext } = result;
  return { ...decode(agentMessage, plaintext), plaintext, isLate: change.remove.length > 0 };
}
