import { type Config, readConfig } from "../config.ts";
import { type IdScheme, idScheme } from "../relay/ids.ts";
import type { RelayIdentity } from "../relay/identity.ts";
import type { Env } from "./env.ts";
import { storedIdentity } from "./relay-object.ts";

/** What every object of the relay needs to know. The same for the life of an isolate. */
export interface Context {
  readonly config: Config;
  readonly identity: RelayIdentity;
  readonly ids: IdScheme;
}

// Isolates are shared by many objects and outlive most of them: one look-up serves them all.
let cached: { readonly env: Env; readonly context: Promise<Context> } | null = null;
let cachedConfig: { readonly env: Env; readonly config: Config } | null = null;

const DEFAULT_HOST = "localhost";

async function load(env: Env): Promise<Context> {
  const config = configOf(env);
  const identity = config.identity ?? await storedIdentity(env.RELAY, config.publicHosts?.hosts[0] ?? DEFAULT_HOST);
  return { config, identity, ids: idScheme(identity.idSecret) };
}

/** @throws ConfigError, IdentityError */
export function configOf(env: Env): Config {
  if (cachedConfig?.env !== env) cachedConfig = { env, config: readConfig(env) };
  return cachedConfig.config;
}

/** @throws ConfigError, IdentityError */
export function contextOf(env: Env): Promise<Context> {
  if (cached?.env !== env) {
    const context = load(env);
    cached = { env, context };
    // A failure is not kept: the next caller tries again.
    context.catch(() => (cached = null));
  }
  return cached.context;
}

/** After the identity was replaced. */
export function forgetContext(): void {
  cached = null;
}
