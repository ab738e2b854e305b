import { base64url, fromBase64url } from "#crypto/bytes";
import { AddressError, formatServerAddress, parseServerAddress, server, type Server } from "../address.ts";
import { type Codec, str, transform } from "../codec.ts";
import { struct } from "../combine.ts";
import { withKnownOnion } from "../onion.ts";

/** A queue as its notifier knows it. */
export interface NtfQueue {
  readonly server: Server;
  readonly notifierId: Uint8Array;
}

/** Whoever reads a queue adds the onion host that a known server has, as official servers and clients do. */
function extended({ server: place, notifierId }: NtfQueue): NtfQueue {
  return { server: { ...place, hosts: withKnownOnion(place.hosts) }, notifierId };
}

/**
 * Server, Str notifier id. By its text a queue is stored and told of, so one whose text could not be read again is
 * refused: servers as such are taken with ports, names and fingerprints of any kind.
 */
export const ntfQueue: Codec<NtfQueue> = transform(
  struct<NtfQueue>({ server, notifierId: str }),
  (queue) => parseNtfQueue(formatNtfQueue(queue)),
  (queue) => queue,
);

/** `smp://<fingerprint>@host[,host...][:port]/<notifier id>`: also the name of a queue in stores. */
export function formatNtfQueue(queue: NtfQueue): string {
  return `${formatServerAddress(queue.server)}/${base64url(queue.notifierId)}`;
}

/** @throws AddressError */
export function parseNtfQueue(text: string): NtfQueue {
  const match = /^(?<address>smp:\/\/[^/]+)\/(?<id>[A-Za-z0-9_-]+=*)$/.exec(text);
  const { address = "", id = "" } = (match?.groups ?? {}) as Record<string, string | undefined>;
  const { password, ...place } = parseServerAddress(address);
  if (password !== null) throw new AddressError("the address of a queue has no password");
  try {
    return extended({ server: place, notifierId: fromBase64url(id) });
  } catch (cause) {
    throw new AddressError("the notifier id is not base64url", { cause });
  }
}
