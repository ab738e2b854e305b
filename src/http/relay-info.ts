import type { Context as Call } from "hono";
import { AddressError, formatServerAddress, parseServerAddress } from "#protocol/address";
import { base64url } from "#crypto/bytes";
import { NOTIFICATIONS_PATH } from "#protocol/ntf/limits";
import { formatNtfServer } from "#protocol/ntf/server";
import { RELAY_VERSIONS, type VersionRange } from "#protocol/version";
import type { PublicHosts } from "../config.ts";
import { contextOf } from "../objects/context.ts";
import type { Env } from "../objects/env.ts";
import { notificationsOf } from "../objects/notifications.ts";
import type { CreationPolicy } from "../relay/create.ts";
import { identityFingerprint } from "../relay/identity.ts";
import { troubleOf } from "./trouble.ts";

/** What everybody may know of a relay. */
export interface RelayInfo {
  /** `smp://<fingerprint>@host[,host...][:port]` */
  readonly address: string;
  /** base64url, padded as it stands in the address. */
  readonly fingerprint: string;
  readonly versions: VersionRange;
  /** Who may create queues: anybody, those who know the password, or nobody. */
  readonly newQueues: "open" | "password" | "off";
}

/** How devices register to be woken by pushes. */
export interface NotificationsInfo {
  /** `ntf://<fingerprint>@host[,host...][:port]` */
  readonly address: string;
  /** Of WebSockets to it. */
  readonly path: string;
  /** With which clients subscribe at their push service: base64url, 87 characters. */
  readonly vapid: string;
}

type RelayCall = Call<{ Bindings: Env }>;

// What a page says depends on the Host header, so no cache may share it.
export const PRIVATE_MINUTE = "private, max-age=60";

/** A DNS name, a port and the brackets of IPv6 fit; longer ones are only meant to annoy. */
const LONGEST_AUTHORITY = 262;

function newQueues(policy: CreationPolicy): RelayInfo["newQueues"] {
  if (!policy.allowNewQueues) return "off";
  return policy.password === null ? "open" : "password";
}

/** @throws AddressError when the authority is not one host with or without a port */
function placeOf(fingerprint: string, authority: string): PublicHosts {
  if (authority.length > LONGEST_AUTHORITY) throw new AddressError("the host name is too long");
  const server = parseServerAddress(`smp://${fingerprint}@${authority.toLowerCase()}`);
  if (server.hosts.length !== 1 || server.password !== null) throw new AddressError("a relay is at one host");
  return server;
}

/** @throws ConfigError, IdentityError, AddressError when the request's Host is not a host */
export async function describeRelay(c: RelayCall): Promise<RelayInfo> {
  const { config, identity } = await contextOf(c.env);
  const keyHash = identityFingerprint(identity);
  const fingerprint = base64url(keyHash);
  const { hosts, port } = config.publicHosts ?? placeOf(fingerprint, c.req.header("host") ?? new URL(c.req.url).host);
  return {
    address: formatServerAddress({ hosts, port, keyHash }),
    fingerprint,
    versions: RELAY_VERSIONS,
    newQueues: newQueues(config.policy),
  };
}

/** The notification server, null when it is off. */
async function describeNotifications(c: RelayCall, address: string): Promise<NotificationsInfo | null> {
  const { config } = await contextOf(c.env);
  if (!config.push.isOn) return null;
  const { vapidKey } = await notificationsOf(c.env);
  return { address: formatNtfServer(parseServerAddress(address)), path: NOTIFICATIONS_PATH, vapid: vapidKey };
}

/** GET /relay.json: the landing page for programs. */
export async function relayInfo(c: RelayCall): Promise<Response> {
  try {
    const relay = await describeRelay(c);
    const info = { ...relay, notifications: await describeNotifications(c, relay.address) };
    return c.json(info, 200, { "Cache-Control": PRIVATE_MINUTE, "X-Content-Type-Options": "nosniff" });
  } catch (error) {
    const { status, text, remedy } = troubleOf(error);
    return c.json({ error: remedy ? `${text} ${remedy}` : text }, status, { "Cache-Control": "no-store" });
  }
}
