import * as v from "valibot";
import { parseIdentity, type RelayIdentity } from "./relay/identity.ts";
import { DEFAULT_LIMITS, type Limits } from "./relay/limits.ts";
import type { CreationPolicy } from "./relay/create.ts";

/** Everything an operator may set, as `wrangler secret` or `[vars]`: texts, all optional. */
export interface Settings {
  /** JSON of `smp-edge identity export`; without it the relay makes its own at first start and keeps it. */
  readonly RELAY_IDENTITY?: string;
  /** The host name in the relay's address; without it the one by which the page is visited. */
  readonly RELAY_HOST?: string;
  /** Who does not know it cannot create queues. */
  readonly CREATE_PASSWORD?: string;
  /** `off`: nobody can create queues. */
  readonly NEW_QUEUES?: string;
  /** Bearer token of the `/admin` pages; without it they do not exist. */
  readonly ADMIN_TOKEN?: string;
  readonly QUEUE_QUOTA?: string;
  readonly MESSAGE_TTL_DAYS?: string;
  readonly QUEUES_PER_CONNECTION?: string;
  readonly NEW_QUEUES_PER_MINUTE?: string;
  readonly MESSAGES_PER_MINUTE?: string;
}

export interface Config {
  readonly identity: RelayIdentity | null;
  readonly host: string | null;
  readonly policy: CreationPolicy;
  readonly adminToken: string | null;
  readonly limits: Limits;
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

const schema = v.object({
  RELAY_IDENTITY: v.optional(v.string()),
  RELAY_HOST: v.optional(v.pipe(v.string(), v.regex(/^[A-Za-z0-9.-]+(?::\d+)?$/, "must be a host name"))),
  // The characters that the protocol allows in a password: printable, none of space @ : /
  CREATE_PASSWORD: v.optional(v.pipe(v.string(), v.regex(/^[!-.0-9;-?A-~]+$/, "must be ASCII without space @ : /"))),
  NEW_QUEUES: v.optional(v.picklist(["on", "off"], "must be on or off")),
  ADMIN_TOKEN: v.optional(v.pipe(v.string(), v.minLength(16, "must have at least 16 characters"))),
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
  if (!parsed.success) {
    const mistakes = parsed.issues.map((issue) => `${v.getDotPath(issue) ?? "setting"} ${issue.message}`);
    throw new ConfigError(`the relay's settings are wrong: ${mistakes.join("; ")}`);
  }
  const { output } = parsed;
  const { messageTtl, ...defaults } = DEFAULT_LIMITS;
  return {
    identity: readIdentity(output.RELAY_IDENTITY),
    host: output.RELAY_HOST ?? null,
    policy: { allowNewQueues: output.NEW_QUEUES !== "off", password: output.CREATE_PASSWORD ?? null },
    adminToken: output.ADMIN_TOKEN ?? null,
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
