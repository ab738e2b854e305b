import { sha256 } from "#crypto/hash";
import type { Server } from "#protocol/address";
import type { ConnectionInfo, MadeLink, RelayInfo } from "./options.ts";
import type { Connection, ShortLinkOwner } from "./records.ts";
import { isMoving } from "./rules/rotate.ts";
import type { Relay } from "./runtime/relays.ts";
import type { ConnectionMode, ConnectionRequest } from "./wire/connection-request.ts";
import { formatLink } from "./wire/link.ts";
import type { ShortLink } from "./wire/short-link.ts";

/** Both forms of a link that was made. */
export function madeLink(connection: string, request: ConnectionRequest, short: ShortLink | null): MadeLink {
  return { connection, link: formatLink(request), shortLink: short && formatLink(short, { scheme: "https" }) };
}

/** The short form of a link whose data the relay of its queue keeps. */
export function shortLinkOf(mode: ConnectionMode, server: Server, { linkId, linkKey }: ShortLinkOwner): ShortLink {
  if (mode === "invitation") return { type: "short", mode, server, linkId, linkKey };
  return { type: "short", mode, kind: "contact", server, linkKey };
}

/** What the application may know of a connection: nothing that has to stay secret. */
export function infoOf(record: Connection): ConnectionInfo {
  const { id, profile, createdAt, role, status, agentVersion, ratchet, sync, receive, send, confirmation, notifies } = record;
  return {
    id,
    profile,
    createdAt,
    role,
    status,
    agentVersion,
    receivesAt: receive.map(({ server }) => server),
    sendsTo: send.map(({ server }) => server),
    quantumSafe: { sending: ratchet?.sndKem ?? false, receiving: ratchet?.rcvKem ?? false },
    sync: sync.state,
    isMoving: receive.some(isMoving),
    notifications: notifies !== false,
    securityCode: ratchet && sha256(ratchet.associatedData),
    confirmation: confirmation?.isAllowed === false ? confirmation.id : null,
  };
}

export function relayInfo({ server, connection: { client, hasQueues, isSubscribed } }: Relay): RelayInfo {
  return { server, isConnected: client !== null, hasQueues, isSubscribed };
}
