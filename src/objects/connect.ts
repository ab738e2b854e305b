import { NOTIFICATIONS_PATH } from "#protocol/ntf/limits";
import { configOf } from "./context.ts";
import type { Env } from "./env.ts";

/** Hands a WebSocket to an object of its own: on one path to the notification server, on all others to the relay. */
export async function connect(request: Request, env: Env): Promise<Response> {
  if (new URL(request.url).pathname !== NOTIFICATIONS_PATH) {
    return await env.CONNECTION.get(env.CONNECTION.newUniqueId()).fetch(request);
  }
  if (!configOf(env).push.isOn) return new Response("This relay has no notification server.", { status: 404 });
  return await env.NTF_CONNECTION.get(env.NTF_CONNECTION.newUniqueId()).fetch(request);
}
