import { openAesGcm } from "#crypto/aes-gcm";
import { concat, equal } from "#crypto/bytes";
import { BoxError, PaddingError } from "#crypto/errors";
import { unpad } from "#crypto/pad";
import { RatchetError } from "./errors.ts";
import { type EncryptedHeader, type EncryptedMessage, type Header, openHeader, readMessage } from "./header.ts";
import { chainKdf } from "./kdf.ts";
import { freshKeys, type KeySource } from "./keys.ts";
import {
  findSkipped,
  isReceiving,
  type ReceivingState,
  type SkippedKey,
  skippedHeaderKeys,
  skipTo,
} from "./skipped.ts";
import type { RatchetState } from "./state.ts";
import { ratchetStep } from "./step.ts";

export type DecryptResult =
  | { readonly ok: true; readonly plaintext: Uint8Array }
  | { readonly ok: false; readonly error: RatchetError };

/**
 * What came of a message. Whoever asked writes the state, the change of the skipped keys and the message in one go,
 * or keeps what was before.
 *
 * After an error these are what the official code would keep. It moves on when a header was right and only the body
 * is not, after which the true message is a DUPLICATE. Keeping the state from before is safe too, and better when the
 * message began a chain (`steps` rose): the true message can still be read, and so can a peer's chain of which one
 * came first that was sent after PQ was switched off, as its header lacks the ciphertext that the chain was made with.
 */
export interface Decrypted {
  readonly state: RatchetState;
  readonly skipped: { readonly add: readonly SkippedKey[]; readonly remove: readonly SkippedKey[] };
  readonly result: DecryptResult;
}

const NOTHING: Decrypted["skipped"] = { add: [], remove: [] };

function failed(error: RatchetError): DecryptResult {
  return { ok: false, error };
}

/** Runs what throws RatchetErrors only, where they are to be values. */
function caught<T>(run: () => T): { readonly value: T } | RatchetError {
  try {
    return { value: run() };
  } catch (error) {
    if (error instanceof RatchetError) return error;
    throw error;
  }
}

interface OpenedHeader {
  readonly headerKey: Uint8Array;
  readonly header: Header;
}

/**
 * The current header key comes first, then the next, then those of skipped messages. The official code begins with
 * the last; as one key at most opens a header the result is the same, in one attempt for nearly every message.
 */
function findHeader(state: RatchetState, skipped: readonly SkippedKey[], encrypted: EncryptedHeader): OpenedHeader {
  const open = (keys: readonly Uint8Array[]): OpenedHeader | null => {
    for (const headerKey of keys) {
      const header = openHeader(headerKey, encrypted, state.associatedData);
      if (header) return { headerKey, header };
    }
    return null;
  };
  const own = state.rcv ? [state.rcv.headerKey, state.nextRcvHeaderKey] : [state.nextRcvHeaderKey];
  const opened = open(own) ?? open(skippedHeaderKeys(skipped));
  if (!opened) throw new RatchetError("HEADER", "no header key of this ratchet opens the message");
  return opened;
}

function openBody(
  state: RatchetState,
  keys: { readonly key: Uint8Array; readonly iv: Uint8Array },
  message: EncryptedMessage,
): DecryptResult {
  const authenticated = concat(state.associatedData, message.header);
  try {
    const padded = openAesGcm(keys.key, keys.iv, message.body, message.tag, authenticated);
    return { ok: true, plaintext: unpad(padded).slice() };
  } catch (cause) {
    if (cause instanceof PaddingError) return failed(new RatchetError("PADDING", "the message is not padded", { cause }));
    if (!(cause instanceof BoxError)) throw cause;
    return failed(new RatchetError("BODY", "the header is right and the body does not open: it was altered", { cause }));
  }
}

/** A peer that speaks a higher version than was agreed moves both to it. */
function upgraded(state: RatchetState, peerMax: number): RatchetState {
  const { current, max } = state.version;
  return { ...state, version: { current: Math.max(current, Math.min(peerMax, max)), max } };
}

interface Reached {
  readonly state: ReceivingState;
  readonly skipped: readonly SkippedKey[];
}

/** To the message's chain: the one that is being received, or by a ratchet step the next. */
function toChain(state: RatchetState, { headerKey, header }: OpenedHeader, source: KeySource): Reached {
  const from = upgraded(state, header.maxVersion);
  if (isReceiving(from) && equal(headerKey, from.rcv.headerKey)) return { state: from, skipped: [] };
  if (!equal(headerKey, from.nextRcvHeaderKey)) {
    throw new RatchetError("HEADER", "the message is of an older chain and its key is gone: most likely a duplicate");
  }
  const ended = isReceiving(from) ? skipTo(header.pn, from) : { state: from, skipped: [] };
  return { state: ratchetStep(ended.state, header, source), skipped: ended.skipped };
}

/**
 * Decrypts one message (ratchet specification, section 7) with the skipped keys of the connection at hand. Nothing
 * is changed and nothing thrown for what a peer may send: errors are in the result.
 * @param source of the new keys that a ratchet step takes
 */
export function decrypt(
  state: RatchetState,
  skipped: readonly SkippedKey[],
  message: Uint8Array,
  source: KeySource = freshKeys,
): Decrypted {
  const found = caught(() => {
    const read = readMessage(message);
    return { read, opened: findHeader(state, skipped, read.encryptedHeader) };
  });
  if (found instanceof RatchetError) return { state, skipped: NOTHING, result: failed(found) };
  const { read, opened } = found.value;

  const passedOver = findSkipped(skipped, opened.headerKey, opened.header.ns);
  if (passedOver) {
    return { state, skipped: { add: [], remove: [passedOver] }, result: openBody(state, passedOver, read) };
  }

  const reached = caught(() => toChain(state, opened, source));
  if (reached instanceof RatchetError) return { state, skipped: NOTHING, result: failed(reached) };
  const before = reached.value;

  const here = caught(() => skipTo(opened.header.ns, before.state));
  if (here instanceof RatchetError) {
    return { state: before.state, skipped: { add: before.skipped, remove: [] }, result: failed(here) };
  }
  const { state: at, skipped: since } = here.value;
  const { chainKey, messageKey, bodyIv } = chainKdf(at.rcv.chainKey);
  return {
    state: { ...at, rcv: { ...at.rcv, chainKey }, nr: at.nr + 1 },
    skipped: { add: [...before.skipped, ...since], remove: [] },
    result: openBody(state, { key: messageKey, iv: bodyIv }, read),
  };
}
