import { base64urlUnpadded, fromBase64url } from "#crypto/bytes";
import { PushConfigError } from "./config-error.ts";
import { signJwt } from "./jwt.ts";
import { generateSigningKey, importSigningPkcs8, importSigningSecret, type SigningKey } from "./p256.ts";
import { readPrivateKeyPem } from "./pem.ts";

/** Who asks a push service to push, and whom it can tell of trouble (RFC 8292). */
export interface Vapid {
  /** What clients subscribe with: base64url of the uncompressed point, 87 characters. */
  readonly publicKey: string;
  /** The Authorization header for a push service. `now` in milliseconds. */
  authorization(origin: string, now: number): Promise<string>;
}

/** A key pair as text: base64url of 65 and of 32 bytes, as other tools write it too. */
export interface VapidKeys {
  readonly publicKey: string;
  readonly privateKey: string;
}

const SECOND = 1_000;
/** RFC 8292 section 2 allows a day; clocks of services are not all right. */
const LIFETIME = 12 * 3_600 * SECOND;
/** A token that ends so soon is made anew. */
const RENEWED_BEFORE = 3_600 * SECOND;
/** Push services of which a token is remembered; the oldest gives way. */
const REMEMBERED = 64;

export async function makeVapidKeys(): Promise<VapidKeys> {
  const { publicKey, secret } = await generateSigningKey();
  return { publicKey: base64urlUnpadded(publicKey), privateKey: base64urlUnpadded(secret) };
}

const MAIL = /^mailto:[^\s@<>]+@(?<host>[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)$/;
const LOCAL = /^(?:localhost|.*\.(?:localhost|local|invalid|test|example))$/i;

/**
 * Apple refuses tokens whose subject is neither a mail address nor an https URL that could be real.
 * @throws PushConfigError
 */
export function checkSubject(subject: string): string {
  const mail = MAIL.exec(subject)?.groups?.["host"];
  const url = mail === undefined && subject.startsWith("https://") && URL.canParse(subject) ? new URL(subject) : null;
  const host = mail ?? url?.hostname;
  const isReal = host !== undefined && host.includes(".") && !LOCAL.test(host);
  if (isReal) return subject;
  const examples = "mailto:you@your.domain or https://your.domain/";
  throw new PushConfigError(`the contact for push services must look like ${examples}`);
}

/** From base64url of the 32 secret bytes, or a PEM text of PKCS#8. @throws PushConfigError */
async function readKey(text: string): Promise<SigningKey> {
  if (text.includes("-----BEGIN")) return await importSigningPkcs8(readPrivateKeyPem(text));
  try {
    return await importSigningSecret(fromBase64url(text));
  } catch (cause) {
    if (cause instanceof RangeError) throw new PushConfigError("the key for push services is not base64url", { cause });
    throw cause;
  }
}

interface Signed {
  readonly header: string;
  readonly expires: number;
}

/** @throws PushConfigError */
export async function readVapid(privateKey: string, subject: string): Promise<Vapid> {
  const key = await readKey(privateKey.trim());
  const sub = checkSubject(subject.trim());
  const publicKey = base64urlUnpadded(key.publicKey);
  const remembered = new Map<string, Signed>();
  const sign = async (aud: string, now: number): Promise<Signed> => {
    const expires = now + LIFETIME;
    const claims = { aud, exp: Math.floor(expires / SECOND), sub };
    const jwt = await signJwt({ typ: "JWT", alg: "ES256" }, claims, (message) => key.sign(message));
    return { header: `vapid t=${jwt}, k=${publicKey}`, expires };
  };
  return {
    publicKey,
    async authorization(origin, now) {
      const known = remembered.get(origin);
      // Also when the clock was put back: a token from the future is refused.
      const isFresh = known && known.expires - RENEWED_BEFORE > now && known.expires <= now + LIFETIME;
      if (isFresh) return known.header;
      const signed = await sign(origin, now);
      remembered.delete(origin);
      remembered.set(origin, signed);
      const [oldest] = remembered.keys();
      if (remembered.size > REMEMBERED && oldest !== undefined) remembered.delete(oldest);
      return signed.header;
    },
  };
}
