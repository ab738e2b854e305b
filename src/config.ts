import * as v from "valibot";
import { parseIdentity, type RelayIdentity } from "./relay/identity.ts";
import { DEFAULT_LIMITS, type Limits } from "./relay/limits.ts";
import type { CreationPolicy } from "./relay/create.ts";
import { type PushConfig, pushMistakes, type PushSettings, readPush } from "./push-config.ts";
import { DEFAULT_PROXY_PORTS, parseHosts, parsePorts, type ProxyPolicy } from "./relay/proxy-policy.ts";

/** Everything an operator may set, as `wrangler secret` or `[vars]`: texts, all optional. */
export interface Settings extends PushSettings {
  /** JSON of `smp-edge identity export`; without it the relay makes its own at first start and keeps it. */
  readonly RELAY_IDENTITY?: string;
  /**
   * `host[,host...][:port]` in the relay's address, with a gateway those of the gateway; without it the host by which
   * the page is visited.
   */
  readonly PUBLIC_HOSTS?: string;
  /** Who does not know it cannot create queues. */
  readonly CREATE_PASSWORD?: string;
  /** `off`: nobody can create queues. */
  readonly NEW_QUEUES?: string;
  /** Bearer token of the `/admin` pages; without it they do not exist. */
  readonly ADMIN_TOKEN?: string;
  /** Bearer token that opens `/admin/gateway` and nothing else. */
  readonly GATEWAY_TOKEN?: string;
  /** `off`: clients cannot forward commands to other relays through this one. */
  readonly PROXY?: string;
  /** `port[-port][,...]` of the relays to which commands are forwarded: 443 and 5223 unless given. */
  readonly PROXY_PORTS?: string;
  /** `host[,...]`: only to them; a dot before a name stands for all below it. */
  readonly PROXY_HOSTS?: string;
  /** `on`: also to private and loopback addresses and local names. */
  readonly PROXY_PRIVATE?: string;
  readonly QUEUE_QUOTA?: string;
  readonly MESSAGE_TTL_DAYS?: string;
  readonly QUEUES_PER_CONNECTION?: string;
  readonly NEW_QUEUES_PER_MINUTE?: string;
  readonly MESSAGES_PER_MINUTE?: string;
}

export interface Config {
  readonly identity: RelayIdentity | null;
  readonly publicHosts: PublicHosts | null;
  readonly policy: CreationPolicy;
  readonly adminToken: string | null;
  readonly gatewayToken: string | null;
  readonly proxy: ProxyPolicy;
  readonly push: PushConfig;
  readonly limits: Limits;
}

/** Where the relay's address says that it is. */
export interface PublicHosts {
  /** At least one. */
  readonly hosts: readonly string[];
  /** Decimal, or empty for the default. */
  readonly port: string;
}

/** The settings contradict what the relay understands; names every mistake at once. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

const count = (min: number): v.GenericSchema<string, number> =>
  v.pipe(
    v.string(),
    v.regex(/^\d{1,9}$/, "must be a whole number"),
    v.transform(Number),
    v.minValue(min, `must be at least ${min}`),
  ) as v.GenericSchema<string, number>;

const HOST = "(?:[A-Za-z0-9.-]+|\\[[0-9a-fA-F:.]+\\])";
const HOSTS = new RegExp(`^(?<hosts>${HOST}(?:,${HOST})*)(?::(?<port>\\d{1,5}))?$`);

function readPublicHosts(text: string): PublicHosts {
  const { hosts = "", port = "" } = HOSTS.exec(text)?.groups ?? {};
  return { hosts: hosts.toLowerCase().split(",").map((host) => host.replaceAll(/[[\]]/g, "")), port };
}

const isPort = (port: string): boolean => port === "" || (Number(port) >= 1 && Number(port) <= 65_535);

const publicHosts = v.pipe(
  v.string(),
  v.regex(HOSTS, "must be host[,host...][:port]"),
  v.transform(readPublicHosts),
  v.check(({ port }) => isPort(port), "must have a port from 1 to 65535"),
);

const token = v.pipe(v.string(), v.minLength(16, "must have at least 16 characters"));

const onOff = v.picklist(["on", "off"], "must be on or off");

const listOf = <T>(read: (text: string) => readonly T[] | null, what: string): v.GenericSchema<string, readonly T[]> =>
  v.pipe(
    v.string(),
    v.check((text) => read(text) !== null, what),
    v.transform((text) => read(text) ?? []),
  ) as v.GenericSchema<string, readonly T[]>;

const anyText = v.optional(v.string());

const schema = v.object({
  RELAY_IDENTITY: v.optional(v.string()),
  PUBLIC_HOSTS: v.optional(publicHosts),
  // The characters that the protocol allows in a password: printable, none of space @ : /
  CREATE_PASSWORD: v.optional(v.pipe(v.string(), v.regex(/^[!-.0-9;-?A-~]+$/, "must be ASCII without space @ : /"))),
  NEW_QUEUES: v.optional(onOff),
  ADMIN_TOKEN: v.optional(token),
  GATEWAY_TOKEN: v.optional(token),
  PROXY: v.optional(onOff),
  PROXY_PORTS: v.optional(listOf(parsePorts, "must be port[-port][,...]")),
  PROXY_HOSTS: v.optional(listOf(parseHosts, "must be host[,...], with a dot before a name for all below it")),
  PROXY_PRIVATE: v.optional(onOff),
  PUSH: v.optional(onOff),
  VAPID_PRIVATE_KEY: anyText,
  PUSH_CONTACT: anyText,
  PUSH_PRIVATE: v.optional(onOff),
  APNS_TOPIC: anyText,
  APNS_TEAM_ID: anyText,
  APNS_KEY_ID: anyText,
  APNS_PRIVATE_KEY: anyText,
  APNS_TEST_ORIGIN: anyText,
  FCM_SERVICE_ACCOUNT: anyText,
  QUEUE_QUOTA: v.optional(count(1)),
  MESSAGE_TTL_DAYS: v.optional(count(1)),
  QUEUES_PER_CONNECTION: v.optional(count(0)),
  NEW_QUEUES_PER_MINUTE: v.optional(count(0)),
  MESSAGES_PER_MINUTE: v.optional(count(0)),
});

const DAY = 86_400;

function readIdentity(text: string | undefined): RelayIdentity | null {
  return text === undefined ? null : parseIdentity(text, Date.now());
}

/** @throws ConfigError, IdentityError */
export function readConfig(settings: Settings): Config {
  const parsed = v.safeParse(schema, settings);
  const mistakes = [
    ...(parsed.issues ?? []).map((issue) => `${v.getDotPath(issue) ?? "setting"} ${issue.message}`),
    ...pushMistakes(settings),
  ];
  if (!parsed.success || mistakes.length > 0) {
    throw new ConfigError(`the relay's settings are wrong: ${mistakes.join("; ")}`);
  }
  const { output } = parsed;
  const { messageTtl, ...defaults } = DEFAULT_LIMITS;
  return {
    identity: readIdentity(output.RELAY_IDENTITY),
    publicHosts: output.PUBLIC_HOSTS ?? null,
    policy: { allowNewQueues: output.NEW_QUEUES !== "off", password: output.CREATE_PASSWORD ?? null },
    adminToken: output.ADMIN_TOKEN ?? null,
    gatewayToken: output.GATEWAY_TOKEN ?? null,
    proxy: {
      isOn: output.PROXY !== "off",
      ports: output.PROXY_PORTS ?? DEFAULT_PROXY_PORTS,
      hosts: output.PROXY_HOSTS ?? null,
      allowsPrivate: output.PROXY_PRIVATE === "on",
    },
    push: readPush(settings, output.PUBLIC_HOSTS?.hosts[0] ?? null),
    limits: {
      notificationTtl: defaults.notificationTtl,
      queueQuota: output.QUEUE_QUOTA ?? defaults.queueQuota,
      messageTtl: output.MESSAGE_TTL_DAYS === undefined ? messageTtl : output.MESSAGE_TTL_DAYS * DAY,
      queuesPerConnection: output.QUEUES_PER_CONNECTION ?? defaults.queuesPerConnection,
      newQueuesPerMinute: output.NEW_QUEUES_PER_MINUTE ?? defaults.newQueuesPerMinute,
      messagesPerMinute: output.MESSAGES_PER_MINUTE ?? defaults.messagesPerMinute,
    },
  };
}
