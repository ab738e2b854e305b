import * as v from "valibot";
import type { AlgorithmName, PublicKey, SecretKey } from "#crypto/keys";
import {
  KEM_CIPHERTEXT_LENGTH,
  KEM_PUBLIC_KEY_LENGTH,
  KEM_SECRET_KEY_LENGTH,
  KEM_SECRET_LENGTH,
} from "#crypto/sntrup761";
import type { E2eKeys } from "./agree.ts";
import type { MessageKey } from "./encrypt.ts";
import { RatchetError } from "./errors.ts";
import { ASSOCIATED_DATA_LENGTH, DH_LENGTH, IV_LENGTH, KEY_LENGTH } from "./limits.ts";
import type { SkippedKey } from "./skipped.ts";
import type { RatchetState } from "./state.ts";

// States and keys are stored as they are: plain objects of bytes, numbers, booleans and nulls, which CBOR holds.
// A record that was tampered with or cut must not become a ratchet, so that each is checked on its way in.

export type { E2eKeys } from "./agree.ts";
export type { MessageKey } from "./encrypt.ts";
export type { SkippedKey } from "./skipped.ts";
export type { RatchetState } from "./state.ts";

const bytes = (length: number): v.GenericSchema<unknown, Uint8Array> =>
  v.pipe(v.instance(Uint8Array, "must be bytes"), v.length(length, `must have ${length} bytes`));
const key = bytes(KEY_LENGTH);
const dhKey = bytes(DH_LENGTH);
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const version = v.pipe(count, v.maxValue(0xffff));

const kemKeys = v.object({ publicKey: bytes(KEM_PUBLIC_KEY_LENGTH), secretKey: bytes(KEM_SECRET_KEY_LENGTH) });
const kemShared = v.object({
  peerKey: bytes(KEM_PUBLIC_KEY_LENGTH),
  secret: bytes(KEM_SECRET_LENGTH),
  ciphertext: bytes(KEM_CIPHERTEXT_LENGTH),
});

const ratchet: v.GenericSchema<unknown, RatchetState> = v.object({
  version: v.object({ current: version, max: version }),
  associatedData: bytes(ASSOCIATED_DATA_LENGTH),
  dh: v.object({ publicKey: dhKey, secretKey: dhKey }),
  kem: v.nullable(v.object({ own: kemKeys, accepted: v.nullable(kemShared) })),
  supportKem: v.boolean(),
  enableKem: v.boolean(),
  sndKem: v.boolean(),
  rcvKem: v.boolean(),
  rootKey: key,
  snd: v.nullable(v.object({ peerKey: dhKey, chainKey: key, headerKey: key })),
  rcv: v.nullable(v.object({ chainKey: key, headerKey: key })),
  ns: count,
  nr: count,
  pn: count,
  nextSndHeaderKey: key,
  nextRcvHeaderKey: key,
  steps: count,
});

const messageKey: v.GenericSchema<unknown, MessageKey> = v.object({
  version,
  associatedData: bytes(ASSOCIATED_DATA_LENGTH),
  key,
  iv: bytes(IV_LENGTH),
  header: v.pipe(v.instance(Uint8Array, "must be bytes"), v.minLength(1, "must not be empty")),
});

const skippedKey: v.GenericSchema<unknown, SkippedKey> = v.object({
  headerKey: key,
  number: count,
  key,
  iv: bytes(IV_LENGTH),
  chain: count,
});

const algorithm = v.literal("X448" satisfies AlgorithmName);
const publicKey: v.GenericSchema<unknown, PublicKey<"X448">> = v.object({ algorithm, raw: dhKey });
const secretKey: v.GenericSchema<unknown, SecretKey<"X448">> = v.object({ algorithm, secret: dhKey });
const keyPair = v.object({ publicKey, secretKey });

const e2eKeys: v.GenericSchema<unknown, E2eKeys> = v.object({
  key1: keyPair,
  key2: keyPair,
  kem: v.nullable(kemKeys),
});

function checked<T>(what: string, schema: v.GenericSchema<unknown, T>, record: unknown): T {
  const result = v.safeParse(schema, record);
  if (result.success) return result.output;
  const [issue] = result.issues;
  const where = v.getDotPath(issue) ?? "the whole";
  const advice = "restore a backup, or re-synchronise the connection";
  throw new RatchetError("RECORD", `${what} as stored is damaged: ${where}: ${issue.message}; ${advice}`);
}

/**
 * The plain object to store: a copy that holds what {@link RatchetState} names and nothing else.
 * @throws RatchetError (`RECORD`)
 */
export function ratchetToRecord(state: RatchetState): RatchetState {
  return checked("the ratchet", ratchet, state);
}

/** @throws RatchetError (`RECORD`) unless every field is there with its type and length */
export function ratchetFromRecord(record: unknown): RatchetState {
  return checked("the ratchet", ratchet, record);
}

/** As {@link ratchetToRecord}. */
export function messageKeyToRecord(value: MessageKey): MessageKey {
  return checked("the key of a message", messageKey, value);
}

/** As {@link ratchetFromRecord}. */
export function messageKeyFromRecord(record: unknown): MessageKey {
  return checked("the key of a message", messageKey, record);
}

/** As {@link ratchetToRecord}. */
export function skippedKeyToRecord(value: SkippedKey): SkippedKey {
  return checked("the key of a skipped message", skippedKey, value);
}

/** As {@link ratchetFromRecord}. */
export function skippedKeyFromRecord(record: unknown): SkippedKey {
  return checked("the key of a skipped message", skippedKey, record);
}

/** As {@link ratchetToRecord}. */
export function e2eKeysToRecord(value: E2eKeys): E2eKeys {
  return checked("the key pair of a connection link", e2eKeys, value);
}

/** As {@link ratchetFromRecord}. */
export function e2eKeysFromRecord(record: unknown): E2eKeys {
  return checked("the key pair of a connection link", e2eKeys, record);
}
