import { env as bindings } from "cloudflare:workers";
import { expect } from "vitest";
import type { Settings } from "../../src/config.ts";
import { app } from "../../src/http/app.ts";
import type { Env } from "../../src/objects/env.ts";

export const TOKEN = "a-token-for-tests-long-enough";

/** The Worker's bindings with other settings. */
export function envWith(settings: Settings): Env {
  const { QUEUE, LINK, SERVICE, RELAY, CONNECTION, DESTINATION, ...others } = bindings as unknown as Env;
  const { NTF_CONNECTION, DEVICE, DEVICE_TOKENS, FOLLOWER } = others;
  const notifications = { NTF_CONNECTION, DEVICE, DEVICE_TOKENS, FOLLOWER };
  return { QUEUE, LINK, SERVICE, RELAY, CONNECTION, DESTINATION, ...notifications, ...settings };
}

/** Asks a relay with these settings. The Host header may be what no client would send; empty: none is sent. */
export async function ask(
  path: string,
  settings: Settings = {},
  host = "relay.example.org",
  init: RequestInit = {},
): Promise<Response> {
  const request = new Request(`https://relay.example.org${path}`, init);
  if (host !== "") request.headers.set("host", host);
  return await app.fetch(request, envWith(settings));
}

export async function json<T>(response: Response): Promise<T> {
  expect(response.headers.get("content-type")).toContain("application/json");
  return await response.json() as T;
}
