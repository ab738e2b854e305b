import { KeyError } from "#crypto/errors";
import { utf8 } from "#crypto/bytes";
import { REPAIR_RETRY } from "../relay/notification/limits.ts";
import type { DeliveryResult, Push } from "../relay/notification/ports.ts";
import { sealWebPush } from "./encryption.ts";
import { allowedEndpoint, type EndpointPolicy } from "./endpoint.ts";
import {
  gone,
  notificationData,
  type Provider,
  type PushAnswer,
  retry,
  retryAfter,
  SENT,
} from "./provider.ts";
import type { Vapid } from "./vapid.ts";

/** Seconds for which a push service keeps what it cannot bring yet. */
const TTL = { verification: 86_400, messages: 2_592_000, check: 3_600 } as const;

/** What distinguishes the kinds outside: only how urgent they are. Of checks that wait the last one is enough. */
function headersOf({ kind }: Push, authorization: string): Record<string, string> {
  return {
    authorization,
    "content-encoding": "aes128gcm",
    "content-type": "application/octet-stream",
    ttl: `${TTL[kind]}`,
    urgency: kind === "check" ? "normal" : "high",
    ...(kind === "check" ? { topic: "check" } : {}),
  };
}

/** Somewhere else for now, too late, too early, too many. */
const PASSING: ReadonlySet<number> = new Set([302, 303, 307, 408, 425, 429]);

/**
 * RFC 8030, and the drafts of NTF for the mapping. 401 and 403 are about our key, which clients learn with their
 * subscription: it may be the operator's mistake, so a token is not given up at once for it. But users choose who
 * answers, and whoever only ever refuses is like one that is not there.
 */
function readStatus(answer: PushAnswer, now: number): DeliveryResult {
  const { status } = answer;
  if (status >= 200 && status < 300) return SENT;
  const why = `the push service answered ${status}`;
  if (status === 404 || status === 410) return gone("UNREGISTERED");
  if (status === 401 || status === 403) {
    const after = Math.max(REPAIR_RETRY.first, retryAfter(answer, now) ?? 0);
    return retry(`${why}: it does not take this server's key`, after);
  }
  return status >= 500 || PASSING.has(status) ? retry(why, retryAfter(answer, now)) : gone("BAD");
}

/** Web Push, which UnifiedPush speaks too: browsers and distributors differ in nothing that is seen from here. */
export function webPushProvider(vapid: Vapid, policy: EndpointPolicy): Provider {
  return {
    allows: (token) => token.provider === "webpush" && allowedEndpoint(token, policy) !== null,
    async prepare(push, now) {
      const { token } = push;
      const url = token.provider === "webpush" ? allowedEndpoint(token, policy) : null;
      if (token.provider !== "webpush" || !url) return { type: "result", result: gone("BAD") };
      try {
        const body = await sealWebPush(token, utf8(JSON.stringify(notificationData(push))));
        const authorization = await vapid.authorization(url.origin, now);
        return { type: "request", request: { url: url.href, headers: headersOf(push, authorization), body } };
      } catch (error) {
        if (error instanceof KeyError) return { type: "result", result: gone("BAD") };
        throw error;
      }
    },
    read: (answer, _, now) => readStatus(answer, now),
  };
}
