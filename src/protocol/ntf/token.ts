import { base64url, concat, fromBase64url, utf8 } from "#crypto/bytes";
import { type Codec, latin1, type Reader, str, strOf, transform } from "../codec.ts";
import { struct } from "../combine.ts";

/** A text or an endpoint is not a device token; the message says what is wrong with it. */
export class TokenError extends Error {
  override readonly name = "TokenError";
}

/** Apple's two environments, a stand-in for tests, and one that sends nothing (clients test servers with it). */
export type ApnsProvider = "apns_dev" | "apns_prod" | "apns_test" | "apns_null";

export interface ApnsToken {
  readonly provider: ApnsProvider;
  /** Lower-case hexadecimal text, of apns_null also `test_ntf_token`. */
  readonly token: string;
}

/** A Web Push or UnifiedPush endpoint and the keys of whoever receives there (RFC 8291). */
export interface WebPushToken {
  readonly provider: "webpush";
  readonly host: string;
  /** Decimal; empty where the endpoint names none. */
  readonly port: string;
  /** All that follows host and port, from the first `/` on. */
  readonly path: string;
  /** The authentication secret, 16 bytes. */
  readonly auth: Uint8Array;
  /** Uncompressed point of P-256: 0x04, x, y: 65 bytes. */
  readonly p256dh: Uint8Array;
}

/** A registration of Firebase Cloud Messaging. Our own extension: official servers refuse it as `CMD SYNTAX`. */
export interface FcmToken {
  readonly provider: "fcm";
  readonly token: string;
}

/** Where push notifications of one device go. */
export type DeviceToken = ApnsToken | WebPushToken | FcmToken;

export const WEB_PUSH_AUTH_LENGTH = 16;
export const P256_POINT_LENGTH = 65;
const UNCOMPRESSED = 0x04;

const HEX = /^(?:[0-9a-f]{2}){1,127}$/;
const NULL_TOKEN = "test_ntf_token";
const HOST = /^[A-Za-z0-9._-]{1,253}$/;
const PORT = /^(?:|[1-9]\d{0,4})$/;
const MAX_PORT = 65_535;
/** Path and query of a URL as they are sent: ASCII without space, `"`, `#`, `<`, `>`, `\`, `^`, backticks, `{|}`. */
const PATH = /^\/[!$-;=?-[\]_a-z~]*$/;
const FCM = /^[A-Za-z0-9_:.-]{1,255}$/;

const APNS_CODES: Readonly<Record<ApnsProvider, string>> = {
  apns_dev: "AD",
  apns_prod: "AP",
  apns_test: "AT",
  apns_null: "AN",
};
const APNS_PROVIDERS = Object.keys(APNS_CODES) as ApnsProvider[];
const WEB_PUSH_CODE = "WP";
const FCM_CODE = "FC";

function checkApns(provider: ApnsProvider, token: string): ApnsToken {
  const isToken = HEX.test(token) || (provider === "apns_null" && token === NULL_TOKEN);
  if (!isToken) throw new TokenError("an APNs token is an even number of lower-case hexadecimal digits");
  return { provider, token };
}

function checkFcm(token: string): FcmToken {
  if (!FCM.test(token)) throw new TokenError("an FCM token has letters, digits and _ : . - only");
  return { provider: "fcm", token };
}

type WebPushParts = Omit<WebPushToken, "provider">;

function checkWebPush({ host, port, path, auth, p256dh }: WebPushParts): WebPushToken {
  if (!HOST.test(host)) throw new TokenError("the host of a push endpoint is a name or an IPv4 address");
  if (!PORT.test(port) || Number(port) > MAX_PORT) throw new TokenError(`${port} is not a port`);
  if (!PATH.test(path)) throw new TokenError("the path of a push endpoint begins with / and is plain ASCII");
  if (auth.length !== WEB_PUSH_AUTH_LENGTH) throw new TokenError(`the auth secret has ${auth.length} bytes, not 16`);
  if (p256dh.length !== P256_POINT_LENGTH || p256dh[0] !== UNCOMPRESSED) {
    throw new TokenError("the key of a push endpoint is an uncompressed point of P-256, 65 bytes");
  }
  return { provider: "webpush", host, port, path, auth, p256dh };
}

const webPushParts = transform<WebPushParts, WebPushToken>(
  struct<WebPushParts>({
    host: latin1(str),
    port: latin1(str),
    path: latin1(str),
    auth: strOf(WEB_PUSH_AUTH_LENGTH),
    p256dh: strOf(P256_POINT_LENGTH),
  }),
  checkWebPush,
  (token) => token,
);

function readToken(reader: Reader, version: number): DeviceToken {
  const code = String.fromCharCode(reader.byte(), reader.byte());
  if (code === WEB_PUSH_CODE) return webPushParts.read(reader, version);
  if (code === FCM_CODE) return checkFcm(latin1(str).read(reader, version));
  const provider = APNS_PROVIDERS.find((name) => APNS_CODES[name] === code);
  return provider ? checkApns(provider, latin1(str).read(reader, version)) : reader.fail("no such push provider");
}

function codeOf({ provider }: DeviceToken): string {
  if (provider === "webpush") return WEB_PUSH_CODE;
  return provider === "fcm" ? FCM_CODE : APNS_CODES[provider];
}

/** Two letters, then Str token; for `WP` Str host, Str port, Str path, Str auth, Str p256dh (NTF, token encoding). */
export const deviceToken: Codec<DeviceToken> = {
  write(writer, token, version) {
    writer.bytes(utf8(codeOf(token)));
    if (token.provider === "webpush") webPushParts.write(writer, token, version);
    else latin1(str).write(writer, token.token, version);
  },
  read(reader, version) {
    try {
      return readToken(reader, version);
    } catch (error) {
      if (error instanceof TokenError) return reader.fail(error.message);
      throw error;
    }
  },
};

/** `https://host[:port]`: who is asked to push. */
export function originOf({ host, port }: WebPushToken): string {
  return `https://${host}${port === "" ? "" : `:${port}`}`;
}

/** The URL to which pushes are posted. */
export function endpointOf(token: WebPushToken): string {
  return `${originOf(token)}${token.path}`;
}

/** A token as official clients store and show it: one line. */
export function formatDeviceToken(token: DeviceToken): string {
  if (token.provider !== "webpush") return `${token.provider} ${token.token}`;
  return `webpush ${endpointOf(token)} ${base64url(token.auth)} ${base64url(token.p256dh)}`;
}

const ENDPOINT = /^https:\/\/(?<host>[^/:?#@\s]+)(?::(?<port>\d+))?(?<path>\/\S*)$/;

function readKey(what: string, value: string): Uint8Array {
  try {
    return fromBase64url(value);
  } catch (cause) {
    throw new TokenError(`${what} is not base64url`, { cause });
  }
}

/** The token of a subscription that a browser or a distributor made. @throws TokenError */
export function webPushToken(endpoint: string, auth: Uint8Array, p256dh: Uint8Array): WebPushToken {
  const groups = ENDPOINT.exec(endpoint)?.groups as Record<"host" | "port" | "path", string | undefined> | undefined;
  if (!groups) throw new TokenError("a push endpoint looks like https://host[:port]/path");
  const { host = "", port = "", path = "" } = groups;
  return checkWebPush({ host, port, path, auth, p256dh });
}

/** Reads what {@link formatDeviceToken} writes; base64url also without padding. @throws TokenError */
export function parseDeviceToken(line: string): DeviceToken {
  const [name = "", ...rest] = line.split(" ");
  const [first = "", auth = "", p256dh = ""] = rest;
  if (name === "webpush" && rest.length === 3) {
    return webPushToken(first, readKey("the auth secret", auth), readKey("the key", p256dh));
  }
  if (name === "fcm" && rest.length === 1) return checkFcm(first);
  const provider = APNS_PROVIDERS.find((candidate) => candidate === name);
  if (provider && rest.length === 1) return checkApns(provider, first);
  throw new TokenError("a device token looks like apns_prod <hex>, webpush <url> <auth> <key> or fcm <token>");
}

/** The same device at the same provider. */
export function sameDevice(a: DeviceToken, b: DeviceToken): boolean {
  return formatDeviceToken(a) === formatDeviceToken(b);
}

/** What names a device token among all: for hashing, never shown. */
export function deviceBytes(token: DeviceToken): Uint8Array {
  return concat(utf8("device "), utf8(formatDeviceToken(token)));
}
