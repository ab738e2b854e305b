import type { DeliveryResult, Push } from "../relay/notification/ports.ts";
import { PushConfigError } from "./config-error.ts";
import { signJwt } from "./jwt.ts";
import { readPrivateKeyPem } from "./pem.ts";
import {
  fieldOf,
  fixConfiguration,
  gone,
  notificationData,
  type Prepared,
  type Provider,
  type PushAnswer,
  type PushRequest,
  readJson,
  retry,
  retryAfter,
  SENT,
} from "./provider.ts";
import { unshared } from "./unshared.ts";
import type { PlatformKey } from "./web-crypto.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const RS256 = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" } as const;
const SCOPE = "https://www.googleapis.com/auth/firebase.messaging";
const GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const DEFAULT_TOKEN_URI = "https://oauth2.googleapis.com/token";
const ASSERTION_LIFETIME = 3_600;
/** An access token that ends so soon is asked for anew. */
const RENEWED_BEFORE = 5 * MINUTE;
const LONGEST_LIFETIME = 24 * 3_600;
/** FCM asks for it when a quota is used up and nothing else is said. */
const QUOTA_PAUSE = MINUTE;

/** A service account of Firebase, as its JSON file has it. */
interface ServiceAccount {
  readonly project: string;
  readonly email: string;
  readonly keyId: string | null;
  readonly key: PlatformKey;
  readonly tokenUri: string;
}

const PROJECT = /^[a-z0-9:.-]{1,100}$/;

function text(json: unknown, name: string): string {
  const value = fieldOf(json, name);
  if (typeof value !== "string" || value === "") throw new PushConfigError(`the service account for FCM lacks '${name}'`);
  return value;
}

async function importRsa(der: Uint8Array): Promise<PlatformKey> {
  try {
    return await crypto.subtle.importKey("pkcs8", unshared(der), RS256, false, ["sign"]);
  } catch (cause) {
    throw new PushConfigError("the service account for FCM has no RSA key in PKCS#8", { cause });
  }
}

function parse(file: string): unknown {
  try {
    return JSON.parse(file);
  } catch (cause) {
    throw new PushConfigError("the service account for FCM is no JSON", { cause });
  }
}

async function readAccount(file: string): Promise<ServiceAccount> {
  const json = parse(file);
  const project = text(json, "project_id");
  if (!PROJECT.test(project)) throw new PushConfigError("'project_id' of the service account is no project");
  const keyId = fieldOf(json, "private_key_id");
  const tokenUri = fieldOf(json, "token_uri") ?? DEFAULT_TOKEN_URI;
  const isSafe = typeof tokenUri === "string" && tokenUri.startsWith("https://") && URL.canParse(tokenUri);
  if (!isSafe) throw new PushConfigError("'token_uri' of the service account is no https URL");
  return {
    project,
    email: text(json, "client_email"),
    keyId: typeof keyId === "string" ? keyId : null,
    key: await importRsa(readPrivateKeyPem(text(json, "private_key"))),
    tokenUri,
  };
}

/** The access token for all requests of about an hour (RFC 7523). */
class AccessToken {
  readonly #account: ServiceAccount;
  #granted: { readonly token: string; readonly expires: number } | null = null;

  constructor(account: ServiceAccount) {
    this.#account = account;
  }

  at(now: number): string | null {
    return this.#granted && this.#granted.expires - RENEWED_BEFORE > now ? this.#granted.token : null;
  }

  drop(): void {
    this.#granted = null;
  }

  async request(now: number): Promise<PushRequest> {
    const { email, keyId, key, tokenUri } = this.#account;
    const iat = Math.floor(now / SECOND);
    const claims = { iss: email, scope: SCOPE, aud: tokenUri, iat, exp: iat + ASSERTION_LIFETIME };
    const assertion = await signJwt(
      { alg: "RS256", typ: "JWT", ...(keyId === null ? {} : { kid: keyId }) },
      claims,
      async (message) => new Uint8Array(await crypto.subtle.sign(RS256, key, unshared(message))),
    );
    return {
      url: tokenUri,
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams({ grant_type: GRANT, assertion }).toString(),
    };
  }

  accept(answer: PushAnswer, now: number): DeliveryResult | null {
    const why = `the token server for FCM answered ${answer.status}`;
    if (answer.status === 429 || answer.status >= 500) return retry(why, retryAfter(answer, now));
    const json = readJson(answer);
    const token = fieldOf(json, "access_token");
    const seconds = fieldOf(json, "expires_in");
    const isGranted = answer.status === 200 && typeof token === "string" && /^[!-~]{1,8192}$/.test(token)
      && typeof seconds === "number" && seconds > 0;
    if (!isGranted) return fixConfiguration(why);
    this.#granted = { token, expires: now + Math.min(seconds, LONGEST_LIFETIME) * SECOND };
    // One that is too short-lived to be used would be asked for again and again.
    return this.at(now) === null ? fixConfiguration("the token server for FCM grants tokens for minutes only") : null;
  }
}

/** A data message: the app is woken and shows what it finds inside. */
function messageFor(push: Push, registration: string): string {
  const data = { notificationData: JSON.stringify(notificationData(push)) };
  const android = push.kind === "check"
    ? { priority: "NORMAL", ttl: "3600s", collapse_key: "check" }
    : { priority: "HIGH", ttl: push.kind === "messages" ? "2419200s" : "86400s" };
  return JSON.stringify({ message: { token: registration, data, android } });
}

function errorOf(answer: PushAnswer): { readonly code: string; readonly status: string; readonly message: string } {
  const error = fieldOf(readJson(answer), "error");
  const details = fieldOf(error, "details");
  const codes = Array.isArray(details) ? details.map((detail: unknown) => fieldOf(detail, "errorCode")) : [];
  const word = (value: unknown): string => (typeof value === "string" ? value.slice(0, 200) : "");
  const code = word(codes.find((value) => typeof value === "string"));
  return { code, status: word(fieldOf(error, "status")), message: word(fieldOf(error, "message")) };
}

function readAnswer(answer: PushAnswer, token: AccessToken, now: number): DeliveryResult {
  if (answer.status === 200) return SENT;
  const { code, status, message } = errorOf(answer);
  const why = `FCM answered ${answer.status} ${code === "" ? status : code}`;
  if (code === "UNREGISTERED") return gone("UNREGISTERED");
  if (code === "SENDER_ID_MISMATCH") return gone("TOPIC");
  // What else is wrong with a request of ours is wrong with all of them.
  if (answer.status === 400 && /registration token/i.test(message)) return gone("BAD");
  if (answer.status === 401 && code !== "THIRD_PARTY_AUTH_ERROR") {
    token.drop();
    return retry(why, 0);
  }
  if (answer.status === 429) return retry(why, retryAfter(answer, now) ?? QUOTA_PAUSE);
  return answer.status >= 500 ? retry(why, retryAfter(answer, now)) : fixConfiguration(why);
}

/** Firebase Cloud Messaging, HTTP v1. `file`: the JSON of a service account. @throws PushConfigError */
export async function fcmProvider(file: string): Promise<Provider> {
  const account = await readAccount(file);
  const access = new AccessToken(account);
  const url = `https://fcm.googleapis.com/v1/projects/${account.project}/messages:send`;
  return {
    allows: ({ provider }) => provider === "fcm",
    async prepare(push, now): Promise<Prepared> {
      if (push.token.provider !== "fcm") return { type: "result", result: gone("BAD") };
      const token = access.at(now);
      if (token === null) {
        return { type: "first", request: await access.request(now), accept: (answer, at) => access.accept(answer, at) };
      }
      const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
      return { type: "request", request: { url, headers, body: messageFor(push, push.token.token) } };
    },
    read: (answer, _, now) => readAnswer(answer, access, now),
  };
}
