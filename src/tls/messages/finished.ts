import { equal } from "#crypto/bytes";
import { SHA256_LENGTH } from "#crypto/hkdf-sha256";
import { fixed } from "#protocol/codec";
import { refuse } from "../errors.ts";
import { type HandshakeMessage, readMessage, writeMessage } from "./message.ts";

/** RFC 8446 section 4.4.4. */
const finished = fixed(SHA256_LENGTH);

/** Compares in constant time. @throws TlsError */
export function checkFinished(message: HandshakeMessage, expected: Uint8Array): void {
  const data = readMessage(message, "finished", finished);
  if (!equal(data, expected)) refuse("decrypt_error", "the server saw another handshake than the client");
}

export function writeFinished(verifyData: Uint8Array): Uint8Array {
  return writeMessage("finished", finished, verifyData);
}
