import { str } from "#protocol/codec";
import { struct } from "#protocol/combine";
import { refuse } from "../errors.ts";
import { byType, type Extension, extensions, required } from "../extensions.ts";
import { numbers } from "./client-hello.ts";
import { type HandshakeMessage, readMessage, readPart } from "./message.ts";

export interface CertificateRequest {
  readonly requestContext: Uint8Array;
  readonly extensions: Extension[];
}

/** RFC 8446 section 4.3.2. */
export const certificateRequest = struct<CertificateRequest>({ requestContext: str, extensions });

/** Only checks it: the client has no certificate, whichever is asked for. @throws TlsError */
export function readCertificateRequest(message: HandshakeMessage): void {
  const where = "certificate_request";
  const request = readMessage(message, where, certificateRequest);
  if (request.requestContext.length > 0) {
    refuse("illegal_parameter", `${where} has a context, as after the handshake`);
  }
  const types = byType(request.extensions, where);
  readPart(required(types, "signature_algorithms", where), "signature_algorithms", numbers);
}
