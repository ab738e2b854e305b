import type { NotificationData } from "#protocol/ntf/notification";
import type { ApnsProvider } from "#protocol/ntf/token";
import type { DeliveryResult, Push } from "../relay/notification/ports.ts";
import { PushConfigError } from "./config-error.ts";
import { signJwt } from "./jwt.ts";
import { importSigningPkcs8, type SigningKey } from "./p256.ts";
import { readPrivateKeyPem } from "./pem.ts";
import {
  fieldOf,
  fixConfiguration,
  gone,
  notificationData,
  type Provider,
  type PushAnswer,
  readJson,
  retry,
  retryAfter,
  SENT,
} from "./provider.ts";

/** The app for which an operator pushes, and the key that Apple gave for it. */
export interface ApnsConfig {
  /** Bundle id of the app. */
  readonly topic: string;
  readonly teamId: string;
  readonly keyId: string;
  /** The `.p8` file: PEM of PKCS#8. */
  readonly privateKey: string;
  /** Origin of a stand-in, for tokens of tests; null: there is none, and such tokens are refused. */
  readonly testOrigin: string | null;
}

const ORIGINS: Readonly<Record<"apns_prod" | "apns_dev", string>> = {
  apns_prod: "https://api.push.apple.com",
  apns_dev: "https://api.sandbox.push.apple.com",
};

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
/** Apple refuses a token that is older than an hour, and to be given another within 20 minutes. */
const JWT_LIFETIME = 30 * MINUTE;
const JWT_KEPT = 20 * MINUTE;

const ALERT = {
  "mutable-content": 1,
  alert: "Encrypted message or another app event",
  category: "NTF_CAT_CHECK_MESSAGE",
} as const;
const BACKGROUND = { "content-available": 1 } as const;

/** The JSON that is posted (NTF, push payloads). At most 4,096 bytes, as Apple grants. */
export function apnsPayload(kind: Push["kind"], data: NotificationData): string {
  return JSON.stringify({ aps: kind === "messages" ? ALERT : BACKGROUND, notificationData: data });
}

/** An identifier as Apple makes them. */
const IDENTIFIER = /^[A-Z0-9]{10}$/;
const TOPIC = /^[A-Za-z0-9.-]{1,255}$/;

function check({ topic, teamId, keyId }: ApnsConfig): void {
  if (!TOPIC.test(topic)) throw new PushConfigError("the topic for APNs is the bundle id of the app");
  if (!IDENTIFIER.test(teamId)) throw new PushConfigError("the team id for APNs has 10 capital letters and digits");
  if (!IDENTIFIER.test(keyId)) throw new PushConfigError("the key id for APNs has 10 capital letters and digits");
}

/**
 * Apple's token authentication: one token serves all requests for half an hour. On one connection Apple takes no new
 * token within 20 minutes, and on Cloudflare nobody knows who shares a connection: so all that have the key make the
 * same one, by the clock.
 */
class ProviderToken {
  readonly #key: SigningKey;
  readonly #config: ApnsConfig;
  #made: { readonly jwt: string; readonly at: number } | null = null;
  #droppedAt = Number.NEGATIVE_INFINITY;

  constructor(key: SigningKey, config: ApnsConfig) {
    this.#key = key;
    this.#config = config;
  }

  async at(now: number): Promise<string> {
    const made = this.#made;
    if (made && now >= made.at && now - made.at < JWT_LIFETIME) return made.jwt;
    const begin = now - (now % JWT_LIFETIME);
    const at = this.#droppedAt <= now ? Math.max(begin, this.#droppedAt) : begin;
    // Raw r and s, as RFC 7518 has it and Apple documents ES256. The official server sends DER there.
    const { teamId: iss, keyId: kid } = this.#config;
    const claims = { iss, iat: Math.floor(at / SECOND) };
    const jwt = await signJwt({ alg: "ES256", kid }, claims, (message) => this.#key.signAlike(message));
    this.#made = { jwt, at };
    return jwt;
  }

  /** False: it is so young that another would not be taken either. */
  drop(now: number): boolean {
    const isOld = this.#made !== null && now - this.#made.at >= JWT_KEPT;
    if (isOld) {
      this.#made = null;
      this.#droppedAt = now;
    }
    return isOld;
  }
}

function reasonOf(answer: PushAnswer): string {
  const reason = fieldOf(readJson(answer), "reason");
  return typeof reason === "string" ? reason.slice(0, 100) : "no reason";
}

/** Apple's answers as the official server maps them, and those that it lets pass as errors of one push. */
function readAnswer(answer: PushAnswer, token: ProviderToken, now: number): DeliveryResult {
  const { status } = answer;
  if (status === 200) return SENT;
  const reason = reasonOf(answer);
  const why = `APNs answered ${status} ${reason}`;
  switch (reason) {
    case "BadDeviceToken":
      return gone("BAD");
    case "DeviceTokenNotForTopic":
      return gone("TOPIC");
    case "ExpiredToken":
      return gone("EXPIRED");
    case "Unregistered":
      return gone("UNREGISTERED");
    case "ExpiredProviderToken":
      return token.drop(now) ? retry(why, 0) : fixConfiguration(`${why}: is the clock right?`);
  }
  // 410 for a reason that nobody knows is no reason to give a token up.
  if (status === 410 || status === 408 || status === 429 || status >= 500) return retry(why, retryAfter(answer, now));
  return fixConfiguration(why);
}

/** @throws PushConfigError */
export async function apnsProvider(config: ApnsConfig): Promise<Provider> {
  check(config);
  const key = await importSigningPkcs8(readPrivateKeyPem(config.privateKey));
  const jwt = new ProviderToken(key, config);
  const originOf = (provider: ApnsProvider): string | null => {
    if (provider === "apns_null") return null;
    return provider === "apns_test" ? config.testOrigin : ORIGINS[provider];
  };
  return {
    allows: ({ provider }) =>
      provider !== "webpush" && provider !== "fcm" && (provider === "apns_null" || originOf(provider) !== null),
    async prepare(push, now) {
      const { token, kind } = push;
      if (token.provider === "webpush" || token.provider === "fcm") return { type: "result", result: gone("BAD") };
      const origin = originOf(token.provider);
      // apns_null: clients test servers with it, nobody is told.
      if (token.provider === "apns_null") return { type: "result", result: SENT };
      if (origin === null) return { type: "result", result: fixConfiguration("no stand-in for test tokens is set up") };
      const headers = {
        authorization: `bearer ${await jwt.at(now)}`,
        "apns-topic": config.topic,
        "apns-push-type": kind === "messages" ? "alert" : "background",
        ...(kind === "messages" ? {} : { "apns-priority": "5" }),
        "content-type": "application/json",
      };
      const body = apnsPayload(kind, notificationData(push));
      return { type: "request", request: { url: `${origin}/3/device/${token.token}`, headers, body } };
    },
    read: (answer, _, now) => readAnswer(answer, jwt, now),
  };
}
