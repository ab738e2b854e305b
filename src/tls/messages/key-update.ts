import { word8 } from "#protocol/codec";
import { refuse } from "../errors.ts";
import { type HandshakeMessage, readMessage, writeMessage } from "./message.ts";

const NOT_REQUESTED = 0;
const REQUESTED = 1;

/** RFC 8446 section 4.6.3: whether the server wants the client's keys updated too. @throws TlsError */
export function readKeyUpdate(message: HandshakeMessage): boolean {
  const request = readMessage(message, "key_update", word8);
  if (request !== NOT_REQUESTED && request !== REQUESTED) {
    refuse("illegal_parameter", `key_update has request ${request}`);
  }
  return request === REQUESTED;
}

export function writeKeyUpdate(isRequested: boolean): Uint8Array {
  return writeMessage("key_update", word8, isRequested ? REQUESTED : NOT_REQUESTED);
}
