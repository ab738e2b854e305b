import type { Context as Call } from "hono";
import { verifyChain } from "#crypto/certificate";
import { ConfigError } from "../config.ts";
import { configOf, contextOf } from "../objects/context.ts";
import type { Env } from "../objects/env.ts";
import { pingQueues } from "../objects/locate.ts";
import { report } from "../objects/log.ts";
import { isIdentityTrouble } from "./trouble.ts";

/** Milliseconds that each check may take. */
const CHECK_TIME = 2000;

class NoAnswer extends Error {
  override readonly name = "NoAnswer";
}

/** What a monitor reads: each check is "ok" or says in a few words what is wrong. */
export interface Health {
  readonly status: "ok" | "failing";
  readonly checks: {
    readonly settings: string;
    readonly identity: string;
    readonly storage: string;
  };
}

function reasonOf(error: unknown): string {
  if (error instanceof ConfigError) return "the settings are wrong, see the relay's log";
  if (isIdentityTrouble(error)) return "the identity does not hold, see the relay's log";
  if (error instanceof NoAnswer) return `no answer within ${CHECK_TIME / 1000} s`;
  return "failed, see the relay's log";
}

async function inTime(work: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new NoAnswer("the check took too long")), CHECK_TIME);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function check(what: string, work: () => Promise<void>): Promise<string> {
  try {
    await inTime(work());
    return "ok";
  } catch (error) {
    report(`the health check of ${what} failed`, error);
    return reasonOf(error);
  }
}

async function checkSettings(env: Env): Promise<void> {
  configOf(env);
}

async function checkIdentity(env: Env): Promise<void> {
  const { identity } = await contextOf(env);
  // It held when it was loaded, perhaps long ago: certificates end.
  verifyChain([identity.certificate, identity.caCertificate], Date.now());
}

/** GET /health: 200 when the relay can do its work, else 503. */
export async function health(c: Call<{ Bindings: Env }>): Promise<Response> {
  const [settings, identity, storage] = await Promise.all([
    check("the settings", () => checkSettings(c.env)),
    check("the identity", () => checkIdentity(c.env)),
    check("the storage", () => pingQueues(c.env)),
  ]);
  const isOk = [settings, identity, storage].every((result) => result === "ok");
  const body: Health = { status: isOk ? "ok" : "failing", checks: { settings, identity, storage } };
  return c.json(body, isOk ? 200 : 503, { "Cache-Control": "no-store" });
}
