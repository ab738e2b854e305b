import { type Context as Call, Hono, type MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { equal, utf8 } from "#crypto/bytes";
import { sha256 } from "#crypto/hash";
import { configOf, contextOf, forgetContext } from "../objects/context.ts";
import type { Env } from "../objects/env.ts";
import { meter } from "../objects/meter.ts";
import { storeIdentity } from "../objects/relay-object.ts";
import {
  IdentityError,
  identityFingerprint,
  parseIdentity,
  type RelayIdentity,
  toIdentityFile,
  toOnlineIdentityFile,
} from "../relay/identity.ts";
import { troubleOf } from "./trouble.ts";

/** An identity takes about 1.5 KB. */
const LARGEST_IDENTITY = 64 * 1024;

type AdminCall = Call<{ Bindings: Env }>;

const digest = (text: string): Uint8Array => sha256(utf8(text));

function isToken(header: string | undefined, token: string): boolean {
  const given = /^Bearer +(.+)$/i.exec(header ?? "")?.[1];
  return given !== undefined && equal(digest(given), digest(token));
}

type TokenName = "ADMIN_TOKEN" | "GATEWAY_TOKEN";

/** Lets in who has one of these tokens. Without any there is nothing here, not even something to guess. */
const guard = (...names: readonly TokenName[]): MiddlewareHandler<{ Bindings: Env }> => async (c, next) => {
  if (names.every((name) => c.env[name] === undefined)) return c.notFound();
  c.header("Cache-Control", "no-store");
  c.header("X-Content-Type-Options", "nosniff");
  const { adminToken, gatewayToken } = configOf(c.env);
  const tokens = { ADMIN_TOKEN: adminToken, GATEWAY_TOKEN: gatewayToken };
  const given = c.req.header("authorization");
  const isKnown = names.some((name) => tokens[name] !== null && isToken(given, tokens[name]));
  if (!isKnown) {
    c.header("WWW-Authenticate", "Bearer realm=\"smp-edge\"");
    return c.json({ error: `Send the relay's ${names.join(" or ")} as 'Authorization: Bearer <token>'.` }, 401);
  }
  return await next();
};

const limit = bodyLimit({
  maxSize: LARGEST_IDENTITY,
  onError: (c) => c.json({ error: `An identity is at most ${LARGEST_IDENTITY} bytes of JSON.` }, 413),
});

async function currentIdentity(env: Env): Promise<RelayIdentity> {
  // Another isolate may have replaced it.
  forgetContext();
  return (await contextOf(env)).identity;
}

/** What would be lost if `next` took the place of the current identity; null when nothing would. */
async function lossBy(env: Env, next: RelayIdentity): Promise<string | null> {
  let current: RelayIdentity;
  try {
    current = await currentIdentity(env);
  } catch (error) {
    if (!(error instanceof IdentityError)) throw error;
    return "The current identity does not hold, so nobody can tell whether this one leads to the same queues.";
  }
  if (!equal(current.idSecret, next.idSecret)) {
    return "Its 'idSecret' differs from the current one: the recipients of all existing queues could not reach them.";
  }
  if (!equal(identityFingerprint(current), identityFingerprint(next))) {
    return "Its fingerprint differs from the current one: clients would refuse the relay under its present address.";
  }
  return null;
}

async function getIdentity(c: AdminCall): Promise<Response> {
  return c.json(toIdentityFile(await currentIdentity(c.env)));
}

/** No key of the CA and no secret of the ids: whoever runs a gateway does not have to be trusted with them. */
async function getGateway(c: AdminCall): Promise<Response> {
  return c.json(toOnlineIdentityFile(await currentIdentity(c.env)));
}

async function putIdentity(c: AdminCall): Promise<Response> {
  if (configOf(c.env).identity) {
    const error = "The secret RELAY_IDENTITY decides who this relay is. Change it with `wrangler secret put "
      + "RELAY_IDENTITY`, or take it away with `wrangler secret delete RELAY_IDENTITY` and send this again.";
    return c.json({ error }, 409);
  }
  let next: RelayIdentity;
  try {
    next = parseIdentity(await c.req.text(), Date.now());
  } catch (error) {
    if (!(error instanceof IdentityError)) throw error;
    return c.json({ error: `Nothing was changed: ${error.message}. Send what GET /admin/identity gave.` }, 400);
  }
  const loss = c.req.query("force") === "1" ? null : await lossBy(c.env, next);
  if (loss) return c.json({ error: `Nothing was changed. ${loss} To do it all the same, add ?force=1.` }, 409);
  await storeIdentity(c.env.RELAY, next);
  forgetContext();
  return c.json({
    fingerprint: toIdentityFile(next).fingerprint,
    note: "Stored. Run `wrangler deploy` so that connections and queues already in memory take it over too.",
  });
}

/** What only the operator may see and do, at /admin, with the ADMIN_TOKEN. */
export const admin = new Hono<{ Bindings: Env }>()
  .get("/gateway", guard("ADMIN_TOKEN", "GATEWAY_TOKEN"), getGateway)
  .use(guard("ADMIN_TOKEN"))
  .get("/identity", getIdentity)
  .put("/identity", limit, putIdentity)
  // Of one isolate only: see `meter`.
  .get("/meter", (c) => c.json(meter))
  .all("*", (c) => c.json({ error: "There are GET and PUT /admin/identity, GET /admin/gateway and GET /admin/meter." }, 404))
  .onError((error, c) => {
    const { status, text, remedy } = troubleOf(error);
    return c.json({ error: remedy ? `${text} ${remedy}` : text }, status, { "Cache-Control": "no-store" });
  });
