import { PaddingError } from "#crypto/errors";
import { clearBlock, openClearBlock } from "../block.ts";
import { EncodeError } from "../codec.ts";
import {
  encodeTransmission,
  packBatches,
  type RawTransmission,
  readBatch,
  readTransmission,
  type SessionParams,
  type TransmissionForm,
} from "../transmission.ts";
import { NTF_BATCH_SIZE, NTF_BLOCK_SIZE, NTF_CONTENT_SIZE } from "./limits.ts";
import { NTF_VERSION } from "./version.ts";

/** Transmissions never carry a service's signature here. */
const NTF_FORM: TransmissionForm = { impliesSession: NTF_VERSION.authBatch, serviceSig: Number.POSITIVE_INFINITY };

/** A block of 512 bytes. @throws PaddingError when the content exceeds 510. */
export function ntfBlock(content: Uint8Array): Uint8Array {
  return clearBlock(content, NTF_BLOCK_SIZE);
}

/** @throws PaddingError also when it is no block of 512 bytes. */
export function openNtfBlock(block: Uint8Array): Uint8Array {
  const { length } = block;
  if (length !== NTF_BLOCK_SIZE) throw new PaddingError(`a block has ${NTF_BLOCK_SIZE} bytes, not ${length}`);
  return openClearBlock(block);
}

/** Writes a transmission around the bytes that `authorizedBytes` made. */
export function encodeNtfTransmission(
  params: SessionParams,
  authorized: Uint8Array,
  authorization: Uint8Array | null,
): Uint8Array {
  return encodeTransmission(params, authorized, authorization, null, NTF_FORM);
}

/** @throws TransmissionError */
export function readNtfTransmission(params: SessionParams, bytes: Uint8Array): RawTransmission {
  return readTransmission(params, bytes, NTF_FORM);
}

/** Whether a transmission fits a block, alone in it. */
export function fitsNtfBlock(version: number, transmission: Uint8Array): boolean {
  return version >= NTF_VERSION.authBatch
    ? 2 + transmission.length <= NTF_BATCH_SIZE
    : transmission.length <= NTF_CONTENT_SIZE;
}

/**
 * The contents of as few blocks as the version allows: batches, before version 2 a block for each transmission.
 * @throws EncodeError for a transmission that fits no block.
 */
export function packNtf(version: number, transmissions: readonly Uint8Array[]): readonly Uint8Array[] {
  if (version >= NTF_VERSION.authBatch) return packBatches(transmissions, NTF_BATCH_SIZE);
  const long = transmissions.find((transmission) => !fitsNtfBlock(version, transmission));
  if (long) throw new EncodeError(`transmission of ${long.length} bytes fits no block`);
  return transmissions;
}

/** The transmissions of one block's content. @throws DecodeError when a batch is malformed. */
export function readNtfContent(version: number, content: Uint8Array): readonly Uint8Array[] {
  return version >= NTF_VERSION.authBatch ? readBatch(content) : [content];
}
