import { readFileSync } from "node:fs";
import { base64url } from "#crypto/bytes";
import { pem } from "#crypto/certificate";
import { encodeSecretKey } from "#crypto/keys";
import { identityFingerprint, type OnlineIdentity, parseOnlineIdentity } from "../../relay/identity.ts";
import { UsageError } from "../usage.ts";
import { GatewayError, reasonOf } from "./reason.ts";
import type { RelayPlace } from "./relay-url.ts";

/** With what a gateway shows itself as its relay. */
export interface Credentials {
  readonly identity: OnlineIdentity;
  /** As it stands in addresses. */
  readonly fingerprint: string;
  /** PEM, leaf first: the chain that clients verify. */
  readonly cert: string;
  /** PEM. */
  readonly key: string;
}

/**
 * Where credentials come from; asked again when the relay does not take them any more.
 * @throws GatewayError, IdentityError
 */
export type CredentialSource = () => Promise<Credentials>;

/** Milliseconds in which the relay must answer a question about itself. */
const ANSWER_TIME = 15_000;

export function readCredentials(text: string): Credentials {
  const identity = parseOnlineIdentity(text, Date.now());
  return {
    identity,
    fingerprint: base64url(identityFingerprint(identity)),
    cert: pem("CERTIFICATE", identity.certificate) + pem("CERTIFICATE", identity.caCertificate),
    key: pem("PRIVATE KEY", encodeSecretKey(identity.key)),
  };
}

async function ask(place: RelayPlace, path: string, headers: Record<string, string>): Promise<Response> {
  try {
    return await fetch(`${place.pages}${path}`, { headers, signal: AbortSignal.timeout(ANSWER_TIME) });
  } catch (cause) {
    throw new GatewayError(`the relay at ${place.pages} does not answer (${reasonOf(cause)})`, { cause });
  }
}

/** `-`: standard input, which can be read once. */
export function fromFile(path: string): CredentialSource {
  let piped: string | null = null;
  return async () => {
    if (path === "-") return readCredentials(piped ??= readFileSync(0, "utf8"));
    try {
      return readCredentials(readFileSync(path, "utf8"));
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new GatewayError(`${path} cannot be used: ${why}`, { cause });
    }
  };
}

/** From the relay itself, for who has its ADMIN_TOKEN or GATEWAY_TOKEN. */
export function fromRelay(place: RelayPlace, token: string): CredentialSource {
  return async () => {
    if (place.isOpen) {
      const what = "is not https: whoever stands in between would get the token and the relay's online key";
      throw new GatewayError(`${place.pages} ${what}; use https, or give the credentials with --identity FILE`);
    }
    const response = await ask(place, "/admin/gateway", { authorization: `Bearer ${token}` });
    const text = await response.text();
    if (response.ok) return readCredentials(text);
    const what = response.status === 404
      ? "has neither ADMIN_TOKEN nor GATEWAY_TOKEN (or is too old), so it gives its credentials to nobody"
      : `answered ${response.status}: ${text.slice(0, 300)}`;
    throw new GatewayError(`the relay at ${place.pages} ${what}; or give them with --identity FILE`);
  };
}

/** As the command line and the environment say. @throws UsageError when neither does */
export function chooseSource(
  place: RelayPlace,
  file: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): CredentialSource {
  if (file !== undefined) return fromFile(file);
  const token = environment["SMP_EDGE_GATEWAY_TOKEN"] ?? environment["SMP_EDGE_ADMIN_TOKEN"];
  if (token) return fromRelay(place, token);
  throw new UsageError(
    "give --identity FILE (from: smp-edge identity export --gateway), or set SMP_EDGE_GATEWAY_TOKEN to the relay's "
      + "GATEWAY_TOKEN (or SMP_EDGE_ADMIN_TOKEN to its ADMIN_TOKEN)",
  );
}

/** What a relay says of itself at /relay.json. */
export interface RelayFacts {
  readonly address: string;
  readonly fingerprint: string;
}

/** @throws GatewayError when these credentials are of another relay */
export async function checkRelay(place: RelayPlace, credentials: Credentials): Promise<RelayFacts> {
  const response = await ask(place, "/relay.json", {});
  const facts = await response.json().catch(() => null) as Partial<RelayFacts> | null;
  const { address, fingerprint } = facts ?? {};
  if (!response.ok || typeof address !== "string" || typeof fingerprint !== "string") {
    throw new GatewayError(`${place.pages} answers, but not as a relay (status ${response.status})`);
  }
  if (fingerprint !== credentials.fingerprint) {
    const both = `the identity is that of ${credentials.fingerprint}, the relay is ${fingerprint}`;
    throw new GatewayError(`the identity does not belong to the relay at ${place.pages}: ${both}`);
  }
  return { address, fingerprint };
}
