import { equal } from "#crypto/bytes";
import { sameServer, type Server, type ServerAddress } from "#protocol/address";
import { ConnectError, ProxyError, type SimplexError } from "../../errors.ts";

/**
 * Which relays of other people are spoken to through one's own (agent protocol, proxy decision).
 * `always`: all of them. `unknown`: those that are not among one's own. `unprotected`: those of `unknown` that would
 * see the network address; without an anonymising network below, which this client does not know of, the same.
 * `never`: none.
 */
export type ProxyMode = "always" | "unknown" | "unprotected" | "never";

/**
 * What to do about a relay that no own relay reaches or forwards to. `allow`: go there directly. `allowProtected`: only
 * where that does not show the network address, which this client never knows. `prohibit`: wait.
 */
export type ProxyFallback = "allow" | "allowProtected" | "prohibit";

export interface ProxyPolicy {
  readonly mode: ProxyMode;
  readonly fallback: ProxyFallback;
}

/**
 * As official apps have it. A fallback of `allow` would let a hostile relay see the network address: it only has to
 * refuse proxies.
 */
export const DEFAULT_PROXY_POLICY: ProxyPolicy = { mode: "unknown", fallback: "allowProtected" };

/** How a command comes to a relay. */
export interface Route {
  /** Through any of these; null: directly. None: there is nothing to forward, and only the fallback is left. */
  readonly proxies: readonly ServerAddress[] | null;
  /** Where a direct connection would go. */
  readonly direct: Server;
}

function isSameRelay(a: Server, b: Server): boolean {
  return equal(a.keyHash, b.keyHash) || sameServer(a, b);
}

function sharesHost(a: Server, b: Server): boolean {
  return a.hosts.some((host) => b.hosts.includes(host));
}

/**
 * Whether all hosts of a relay are those of own ones, onion hosts aside: with one own host among others it would be
 * the others that are connected to.
 */
function hasOwnHosts({ hosts }: Server, own: readonly Server[]): boolean {
  const clear = hosts.filter((host) => !host.endsWith(".onion"));
  return clear.length > 0 && clear.every((host) => own.some((one) => one.hosts.includes(host)));
}

/** `own`: the relays that are configured, all of them able to forward as far as is known. */
export function chooseRoute(mode: ProxyMode, destination: Server, own: readonly ServerAddress[]): Route {
  // A relay may have other addresses too, such as a gateway's: one's own is reached by the one that is configured.
  const sameKey = own.find(({ keyHash }) => equal(keyHash, destination.keyHash));
  const direct = { proxies: null, direct: sameKey ?? destination };
  if (mode === "never") return direct;
  const isKnown = sameKey !== undefined || hasOwnHosts(destination, own);
  if (mode !== "always" && isKnown) return direct;
  const others = own.filter((one) => !isSameRelay(one, destination));
  // The only own relay is the destination: it knows the network address already.
  if (others.length === 0 && own.length > 0) return direct;
  const elsewhere = others.filter((one) => !sharesHost(one, destination));
  return { ...direct, proxies: elsewhere.length > 0 ? elsewhere : others };
}

/** Whether a relay does not forward for this client at all. */
export function isUnfit(error: unknown): error is SimplexError {
  // A proxy without a version in common cannot even be asked.
  if (error instanceof ConnectError) return error.failure === "version";
  return error instanceof ProxyError && error.failure === "notAllowed";
}

/**
 * Whether a command that came to nothing through a proxy needs another way: through another proxy, or directly. A
 * network that is down is waited for instead.
 */
export function needsOtherWay(error: unknown): error is SimplexError {
  return isUnfit(error) || (error instanceof ProxyError && error.failure === "host");
}

/** Whether it may go directly when there is no other proxy left. */
export function mayGoDirect({ fallback }: ProxyPolicy, error: unknown): boolean {
  // `allowProtected` asks for what nothing here can tell: that the network address is hidden.
  return fallback === "allow" && needsOtherWay(error);
}
