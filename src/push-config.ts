import type { ApnsConfig } from "./push/apns.ts";
import { PushConfigError } from "./push/config-error.ts";
import { DEFAULT_ENDPOINT_POLICY, type EndpointPolicy } from "./push/endpoint.ts";
import { checkSubject } from "./push/vapid.ts";

/** What an operator may set for push notifications: texts, all optional. */
export interface PushSettings {
  /** `off`: there is no notification server. */
  readonly PUSH?: string;
  /** Base64url of the 32 bytes of a P-256 key, or its PEM; without it the relay makes its own and keeps it. */
  readonly VAPID_PRIVATE_KEY?: string;
  /** `mailto:` or `https:`: where push services can complain. */
  readonly PUSH_CONTACT?: string;
  /** `on`: also to endpoints, and to queues of relays, at private and loopback addresses and local names. */
  readonly PUSH_PRIVATE?: string;
  /** For an iOS app of one's own, all four: its bundle id, and the key that Apple gave for it. */
  readonly APNS_TOPIC?: string;
  readonly APNS_TEAM_ID?: string;
  readonly APNS_KEY_ID?: string;
  readonly APNS_PRIVATE_KEY?: string;
  /** Origin of a stand-in for APNs, where tokens of `apns_test` lead. */
  readonly APNS_TEST_ORIGIN?: string;
  /** For an Android app of one's own: the JSON of a service account of Firebase. */
  readonly FCM_SERVICE_ACCOUNT?: string;
}

/** The notification server, and through whom it pushes. */
export interface PushConfig {
  readonly isOn: boolean;
  /** Base64url or PEM; null: the relay's own. */
  readonly vapidKey: string | null;
  readonly contact: string;
  readonly endpoints: EndpointPolicy;
  readonly apns: ApnsConfig | null;
  /** JSON of a service account. */
  readonly fcm: string | null;
}

/** Of a relay that knows no host of its own: Apple refuses a contact that could not be one, others do not look. */
const NO_CONTACT = "https://example.org/";

function isContact(subject: string): boolean {
  try {
    checkSubject(subject);
    return true;
  } catch (error) {
    if (error instanceof PushConfigError) return false;
    throw error;
  }
}

const APNS_NAMES = ["APNS_TOPIC", "APNS_TEAM_ID", "APNS_KEY_ID", "APNS_PRIVATE_KEY"] as const;

function isOrigin(text: string): boolean {
  return /^https?:/.test(text) && URL.canParse(text) && new URL(text).origin === text;
}

/** What contradicts what the relay understands, one sentence for each. */
export function pushMistakes(settings: PushSettings): readonly string[] {
  const given = APNS_NAMES.filter((name) => settings[name] !== undefined);
  const missing = APNS_NAMES.filter((name) => settings[name] === undefined);
  const { PUSH_CONTACT, APNS_TEST_ORIGIN } = settings;
  return [
    ...(given.length > 0 && missing.length > 0 ? [`${given.join(", ")} needs ${missing.join(", ")} too`] : []),
    ...(PUSH_CONTACT === undefined || isContact(PUSH_CONTACT)
      ? []
      : ["PUSH_CONTACT must look like mailto:you@your.domain or https://your.domain/"]),
    ...(APNS_TEST_ORIGIN === undefined || isOrigin(APNS_TEST_ORIGIN)
      ? []
      : ["APNS_TEST_ORIGIN must be https://host[:port]"]),
  ];
}

function readApns(settings: PushSettings): ApnsConfig | null {
  const { APNS_TOPIC: topic, APNS_TEAM_ID: teamId, APNS_KEY_ID: keyId, APNS_PRIVATE_KEY: privateKey } = settings;
  if (topic === undefined || teamId === undefined || keyId === undefined || privateKey === undefined) return null;
  return { topic, teamId, keyId, privateKey, testOrigin: settings.APNS_TEST_ORIGIN ?? null };
}

/** `host`: of the relay's address, null where it is not set. The settings have no `pushMistakes`. */
export function readPush(settings: PushSettings, host: string | null): PushConfig {
  const page = `https://${host ?? ""}/`;
  return {
    isOn: settings.PUSH !== "off",
    vapidKey: settings.VAPID_PRIVATE_KEY ?? null,
    contact: settings.PUSH_CONTACT ?? (isContact(page) ? page : NO_CONTACT),
    endpoints: { ...DEFAULT_ENDPOINT_POLICY, allowsPrivate: settings.PUSH_PRIVATE === "on" },
    apns: readApns(settings),
    fcm: settings.FCM_SERVICE_ACCOUNT ?? null,
  };
}
