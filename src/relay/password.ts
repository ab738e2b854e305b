import { equal, utf8 } from "#crypto/bytes";
import { sha256 } from "#crypto/hash";

/** Whether a client knows what the relay asks for; null: it asks for nothing. How much of it was right shows in no time. */
export function knowsPassword(wanted: string | null, given: string | null): boolean {
  return wanted === null || (given !== null && equal(sha256(utf8(wanted)), sha256(utf8(given))));
}
