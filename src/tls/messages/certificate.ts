import { EMPTY } from "#crypto/bytes";
import { str } from "#protocol/codec";
import { struct } from "#protocol/combine";
import { refuse } from "../errors.ts";
import { answeredExtensions, type Extension, extensions } from "../extensions.ts";
import { opaque24, vector, word24 } from "../vector.ts";
import { type HandshakeMessage, readMessage, writeMessage } from "./message.ts";

export interface CertificateEntry {
  /** X.509 in DER. */
  readonly data: Uint8Array;
  readonly extensions: Extension[];
}

export interface CertificateMessage {
  readonly requestContext: Uint8Array;
  readonly entries: CertificateEntry[];
}

/** RFC 8446 section 4.4.2. */
export const certificateMessage = struct<CertificateMessage>({
  requestContext: str,
  entries: vector(word24, struct<CertificateEntry>({ data: opaque24, extensions })),
});

/** The server's chain in DER, leaf first, not verified yet. @throws TlsError */
export function readCertificates(message: HandshakeMessage): Uint8Array[] {
  const { requestContext, entries } = readMessage(message, "certificate", certificateMessage);
  if (requestContext.length > 0) refuse("illegal_parameter", "certificate of the server names a request");
  if (entries.length === 0) refuse("decode_error", "the server sent no certificate");
  for (const entry of entries) answeredExtensions(entry.extensions, "certificate", []);
  return entries.map(({ data }) => data);
}

/** What a client without a certificate answers when the server asks for one (RFC 8446 section 4.4.2). */
export function writeNoCertificate(): Uint8Array {
  return writeMessage("certificate", certificateMessage, { requestContext: EMPTY, entries: [] });
}
