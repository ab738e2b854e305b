import { decode, encode, word16, word8 } from "#protocol/codec";
import { struct } from "#protocol/combine";

/** Content types (RFC 8446 section 5.1). */
export const CONTENT = { changeCipherSpec: 20, alert: 21, handshake: 22, applicationData: 23 } as const;

export type ContentType = (typeof CONTENT)[keyof typeof CONTENT];

/** The version on every record of TLS 1.3 but the first, where 0x0301 pleases old middleboxes. */
export const RECORD_VERSION = 0x0303;
export const FIRST_RECORD_VERSION = 0x0301;

/** What stands before the content of a record. */
export interface RecordHeader {
  readonly type: number;
  readonly version: number;
  readonly length: number;
}

const recordHeader = struct<RecordHeader>({ type: word8, version: word16, length: word16 });

/** Bytes of a {@link RecordHeader}. */
export const RECORD_HEADER_LENGTH = 5;

export function writeRecordHeader(type: ContentType, length: number, version = RECORD_VERSION): Uint8Array {
  return encode(recordHeader, { type, version, length });
}

export function readRecordHeader(bytes: Uint8Array): RecordHeader {
  return decode(recordHeader, bytes);
}
