import { concat, EMPTY, utf8 } from "#crypto/bytes";
import { hkdf } from "#crypto/hash";
import { ID_LENGTH } from "#protocol/limits";

const INFO = utf8("smp-edge service id");

/** The id of a service follows from its certificate, so that it needs no directory. 24 bytes. */
export function serviceIdOf(idSecret: Uint8Array, fingerprint: Uint8Array): Uint8Array {
  return hkdf(EMPTY, idSecret, concat(INFO, fingerprint), ID_LENGTH);
}
