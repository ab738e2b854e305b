import type { Settings } from "../config.ts";

const NAMES: readonly (keyof Settings)[] = [
  "RELAY_IDENTITY",
  "PUBLIC_HOSTS",
  "CREATE_PASSWORD",
  "NEW_QUEUES",
  "ADMIN_TOKEN",
  "GATEWAY_TOKEN",
  "PROXY",
  "PROXY_PORTS",
  "PROXY_HOSTS",
  "PROXY_PRIVATE",
  "PUSH",
  "VAPID_PRIVATE_KEY",
  "PUSH_CONTACT",
  "PUSH_PRIVATE",
  "APNS_TOPIC",
  "APNS_TEAM_ID",
  "APNS_KEY_ID",
  "APNS_PRIVATE_KEY",
  "APNS_TEST_ORIGIN",
  "FCM_SERVICE_ACCOUNT",
  "QUEUE_QUOTA",
  "MESSAGE_TTL_DAYS",
  "QUEUES_PER_CONNECTION",
  "NEW_QUEUES_PER_MINUTE",
  "MESSAGES_PER_MINUTE",
];

/** The relay's settings as environment variables of the same names. */
export function localSettings(environment: Readonly<Record<string, string | undefined>>): Settings {
  return Object.fromEntries(NAMES.flatMap((name) => {
    const value = environment[name];
    return value === undefined || value === "" ? [] : [[name, value]];
  }));
}
