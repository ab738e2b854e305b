import { utf8 } from "#crypto/bytes";
import { type Codec, EncodeError, str } from "./codec.ts";

const lenient = new TextDecoder("utf-8", { fatal: false, ignoreBOM: true });

/** Bytes that may stand in a password: printable as Latin-1, no space, and none of `@ : /` (they end it in an address). */
function isAllowed(byte: number): boolean {
  if (byte === 0x40 || byte === 0x3a || byte === 0x2f) return false;
  return (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
}

/** Str: the password for creating queues (BasicAuth). Another byte does not parse. */
export const password: Codec<string> = {
  write(writer, value, version) {
    const bytes = utf8(value);
    if (!bytes.every(isAllowed)) throw new EncodeError("a password must be printable, without space, @, : and /");
    str.write(writer, bytes, version);
  },
  read(reader, version) {
    const bytes = str.read(reader, version);
    return bytes.every(isAllowed) ? lenient.decode(bytes) : reader.fail("a password has a character that is not allowed");
  },
};
