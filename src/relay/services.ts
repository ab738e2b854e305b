import { concat, EMPTY, equal, utf8 } from "#crypto/bytes";
import { hkdf } from "#crypto/hash";
import type { ServiceRole } from "#protocol/handshake";
import { ID_LENGTH } from "#protocol/limits";
import type { ServiceChange } from "./ports.ts";

const INFO = utf8("smp-edge service id");

/** The id of a service follows from its certificate, so that it needs no directory. 24 bytes. */
export function serviceIdOf(idSecret: Uint8Array, fingerprint: Uint8Array): Uint8Array {
  return hkdf(EMPTY, idSecret, concat(INFO, fingerprint), ID_LENGTH);
}

function sameId(a: Uint8Array | null, b: Uint8Array | null): boolean {
  return a === null || b === null ? a === b : equal(a, b);
}

/** A queue, or its notifier, leaves one service and joins another, where they differ. */
export function changeService(
  from: Uint8Array | null,
  to: Uint8Array | null,
  role: ServiceRole,
  entityId: Uint8Array,
): ServiceChange[] {
  if (sameId(from, to)) return [];
  return [
    ...(from ? [{ serviceId: from, role, change: "left", entityId } as const] : []),
    ...(to ? [{ serviceId: to, role, change: "joined", entityId } as const] : []),
  ];
}
