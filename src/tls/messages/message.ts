import { concat } from "#crypto/bytes";
import { type Codec, decode, DecodeError, encode, word8 } from "#protocol/codec";
import { struct } from "#protocol/combine";
import { refuse } from "../errors.ts";
import { word24 } from "../vector.ts";

/** Handshake messages (RFC 8446 section 4) that there are between a server of SMP and this client. */
export const HANDSHAKE = {
  client_hello: 1,
  server_hello: 2,
  new_session_ticket: 4,
  encrypted_extensions: 8,
  certificate: 11,
  certificate_request: 13,
  certificate_verify: 15,
  finished: 20,
  key_update: 24,
} as const;

export type HandshakeName = keyof typeof HANDSHAKE;

export interface HandshakeMessage {
  readonly type: number;
  readonly body: Uint8Array;
  /** Header and body, as the transcript has it. */
  readonly bytes: Uint8Array;
}

interface HandshakeHeader {
  readonly type: number;
  readonly length: number;
}

const handshakeHeader = struct<HandshakeHeader>({ type: word8, length: word24 });

/** Bytes of a {@link HandshakeHeader}. */
export const HANDSHAKE_HEADER_LENGTH = 4;

export function readHandshakeHeader(bytes: Uint8Array): HandshakeHeader {
  return decode(handshakeHeader, bytes);
}

/** Header and body. */
export function writeMessage<T>(name: HandshakeName, codec: Codec<T>, value: T): Uint8Array {
  const body = encode(codec, value);
  return concat(encode(handshakeHeader, { type: HANDSHAKE[name], length: body.length }), body);
}

/** @throws TlsError when it is another message or is malformed. */
export function readMessage<T>(message: HandshakeMessage, name: HandshakeName, codec: Codec<T>): T {
  if (message.type !== HANDSHAKE[name]) {
    refuse("unexpected_message", `the server sent handshake message ${message.type} instead of ${name}`);
  }
  return readPart(message.body, name, codec);
}

/** Decodes the whole of `bytes`. @throws TlsError when they are malformed. */
export function readPart<T>(bytes: Uint8Array, name: string, codec: Codec<T>): T {
  try {
    return decode(codec, bytes);
  } catch (cause) {
    if (!(cause instanceof DecodeError)) throw cause;
    return refuse("decode_error", `${name} of the server is malformed: ${cause.message}`, { cause });
  }
}
