import { AUTHENTICATOR_LENGTH } from "#crypto/authenticator";
import { concat, EMPTY, equal } from "#crypto/bytes";
import { DecodeError, EncodeError, large, Reader, str, strOf, Writer } from "./codec.ts";
import { maybe, nonEmpty } from "./combine.ts";
import { BATCH_COUNT, BATCH_SIZE } from "./limits.ts";
import { VERSION } from "./version.ts";

/** What both ends of a connection know about how transmissions are written. */
export interface SessionParams {
  readonly version: number;
  readonly sessionId: Uint8Array;
}

/** The versions of a protocol from which its transmissions have another form. */
export interface TransmissionForm {
  /** The session id is authorized but not sent. */
  readonly impliesSession: number;
  /** Room for a service's signature follows every authorization. */
  readonly serviceSig: number;
}

export const SMP_FORM: TransmissionForm = { impliesSession: VERSION.authKeys, serviceSig: VERSION.serviceCerts };

/** Proof that a command may be done: a signature, or an X25519 authenticator. */
export interface Authorization {
  readonly kind: "Ed25519" | "Ed448" | "X25519";
  readonly bytes: Uint8Array;
}

/** A transmission before its command is read. */
export interface RawTransmission {
  readonly authorization: Authorization | null;
  /** Signature by the session key of a service, 64 bytes. */
  readonly serviceSig: Uint8Array | null;
  readonly corrId: Uint8Array;
  readonly entityId: Uint8Array;
  readonly command: Uint8Array;
  /** The bytes that the authorization covers; the session id is among them in every version. */
  readonly authorized: Uint8Array;
}

const ED25519_SIGNATURE_LENGTH = 64;
const KINDS: Readonly<Record<number, Authorization["kind"]>> = {
  [ED25519_SIGNATURE_LENGTH]: "Ed25519",
  114: "Ed448",
  [AUTHENTICATOR_LENGTH]: "X25519",
};

const serviceSignature = maybe(strOf(ED25519_SIGNATURE_LENGTH));

function short(bytes: Uint8Array): Uint8Array {
  if (bytes.length > 255) throw new EncodeError(`${bytes.length} bytes do not fit a short string`);
  return concat(Uint8Array.of(bytes.length), bytes);
}

/** Str session id, Str corrId, Str entityId, command: what is signed or authenticated, in every version. */
export function authorizedBytes(
  sessionId: Uint8Array,
  corrId: Uint8Array,
  entityId: Uint8Array,
  command: Uint8Array,
): Uint8Array {
  return concat(short(sessionId), short(corrId), short(entityId), command);
}

/** Writes a transmission around the bytes that {@link authorizedBytes} made. */
export function encodeTransmission(
  params: SessionParams,
  authorized: Uint8Array,
  authorization: Uint8Array | null,
  serviceSig: Uint8Array | null,
  form = SMP_FORM,
): Uint8Array {
  const writer = new Writer();
  str.write(writer, authorization ?? EMPTY, params.version);
  if (authorization && params.version >= form.serviceSig) serviceSignature.write(writer, serviceSig, params.version);
  const implied = params.version >= form.impliesSession ? 1 + params.sessionId.length : 0;
  return writer.bytes(authorized.subarray(implied)).done();
}

/** How a transmission can be unreadable; ERR tells the peer `BLOCK` or `SESSION`. */
export class TransmissionError extends Error {
  override readonly name = "TransmissionError";
  readonly type: "BLOCK" | "SESSION";
  /** Empty when not even the corrId could be read. */
  readonly corrId: Uint8Array;

  constructor(type: "BLOCK" | "SESSION", corrId: Uint8Array, cause?: unknown) {
    super(type === "BLOCK" ? "transmission is malformed" : "transmission names another session", { cause });
    this.type = type;
    this.corrId = corrId;
  }
}

function readAuthorization(bytes: Uint8Array, corrId: Uint8Array): Authorization | null {
  if (bytes.length === 0) return null;
  const kind = KINDS[bytes.length];
  if (!kind) throw new TransmissionError("BLOCK", corrId);
  return { kind, bytes };
}

/** @throws TransmissionError */
export function readTransmission(params: SessionParams, bytes: Uint8Array, form = SMP_FORM): RawTransmission {
  try {
    const reader = new Reader(bytes);
    const authorization = str.read(reader, params.version);
    const hasSlot = params.version >= form.serviceSig && authorization.length > 0;
    const serviceSig = hasSlot ? serviceSignature.read(reader, params.version) : null;
    const rest = bytes.subarray(reader.offset);
    const sendsSession = params.version < form.impliesSession;
    const session = sendsSession ? str.read(reader, params.version) : params.sessionId;
    const corrId = str.read(reader, params.version);
    const entityId = str.read(reader, params.version);
    const command = reader.rest();
    if (!equal(session, params.sessionId)) throw new TransmissionError("SESSION", corrId);
    const authorized = sendsSession ? rest.slice() : concat(short(params.sessionId), rest);
    return { authorization: readAuthorization(authorization, corrId), serviceSig, corrId, entityId, command, authorized };
  } catch (error) {
    if (error instanceof DecodeError) throw new TransmissionError("BLOCK", EMPTY, error);
    throw error;
  }
}

/**
 * Packs transmissions into as few contents of blocks as the limits allow, keeping their order. As in the official
 * code blocks are filled from the last transmission on, so that the first block is the one with room left.
 * `batchSize`: bytes of a block that its transmissions and their lengths may take.
 * @throws EncodeError for a transmission that fits no block.
 */
export function packBatches(transmissions: readonly Uint8Array[], batchSize = BATCH_SIZE): Uint8Array[] {
  const batches: Uint8Array[][] = [];
  let room = 0;
  for (const transmission of transmissions.toReversed()) {
    const size = 2 + transmission.length;
    if (size > batchSize) throw new EncodeError(`transmission of ${transmission.length} bytes fits no block`);
    const current = batches.at(-1);
    if (!current || size > room || current.length === BATCH_COUNT) {
      batches.push([transmission]);
      room = batchSize - size;
    } else {
      current.push(transmission);
      room -= size;
    }
  }
  return batches.reverse().map((filled) => encodeBatch(filled.reverse()));
}

/**
 * Count byte, then each transmission with its Word16 length.
 * @throws EncodeError when the count or a length does not fit its field.
 */
export function encodeBatch(transmissions: readonly Uint8Array[]): Uint8Array {
  const writer = new Writer();
  batch.write(writer, [...transmissions], 0);
  return writer.done();
}
const batch = nonEmpty(large);

/** The transmissions of one block's content, as views. @throws DecodeError on count 0 or trailing bytes. */
export function readBatch(content: Uint8Array): Uint8Array[] {
  const reader = new Reader(content);
  const count = reader.byte();
  if (count === 0) reader.fail("batch is empty");
  const transmissions = Array.from({ length: count }, () => reader.view(reader.byte() * 256 + reader.byte()));
  if (reader.remaining > 0) reader.fail("bytes follow the batch");
  return transmissions;
}
