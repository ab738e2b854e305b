import { endpointOf, type WebPushToken } from "#protocol/ntf/token";
import { isListed, isOpen, type ProxyPolicy, readHost } from "../relay/proxy-policy.ts";

/** Which endpoints users may name, as for relays: whatever stands there is asked by this server in their name. */
export type EndpointPolicy = Pick<ProxyPolicy, "ports" | "hosts" | "allowsPrivate">;

/** Privileged ports but that of https belong to other services, which must not be talked to. */
export const DEFAULT_ENDPOINT_POLICY: EndpointPolicy = {
  ports: [{ from: 443, to: 443 }, { from: 1_024, to: 65_535 }],
  hosts: null,
  allowsPrivate: false,
};

const HTTPS_PORT = 443;
const LONGEST = 512;

/**
 * The URL of an endpoint to which this server may post, null when it may not: https only, a host of the Internet (see
 * `readHost`), an open port. What the name resolves to is for whoever connects; on Workers nothing private is in reach.
 */
export function allowedEndpoint(token: WebPushToken, policy: EndpointPolicy): URL | null {
  const text = endpointOf(token);
  const { host, reach } = readHost(token.host);
  const port = token.port === "" ? HTTPS_PORT : Number(token.port);
  const isReachable = reach === "public" || (reach === "private" && policy.allowsPrivate);
  const isAllowed = isReachable && isOpen(port, policy) && isListed(host, policy.hosts);
  if (!isAllowed || text.length > LONGEST || !URL.canParse(text)) return null;
  const url = new URL(text);
  // Both readers must have understood the same.
  return url.protocol === "https:" && url.hostname === host && url.username === "" && url.password === "" ? url : null;
}
