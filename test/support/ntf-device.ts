import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { vi } from "vitest";
import { base64url } from "#crypto/bytes";
import { deviceBytes, type DeviceToken } from "#protocol/ntf/token";
import type { Env } from "../../src/objects/env.ts";
import { notificationsOf } from "../../src/objects/notifications.ts";

const bindings = env as unknown as Env;

/** The object of a registered token. */
export async function deviceOf(tokenId: Uint8Array): Promise<DurableObjectStub> {
  const device = (await notificationsOf(bindings)).ids.deviceOfToken(tokenId);
  if (!device) throw new Error("the id is not of a token");
  return bindings.DEVICE.get(bindings.DEVICE.idFromName(base64url(device)));
}

/** The object of a device token. */
export async function tokensOf(token: DeviceToken): Promise<DurableObjectStub> {
  if (deviceBytes(token).length === 0) throw new Error("no token");
  const name = (await notificationsOf(bindings)).tokensName(token);
  return bindings.DEVICE_TOKENS.get(bindings.DEVICE_TOKENS.idFromName(name));
}

export function alarmOf(object: DurableObjectStub): Promise<number | null> {
  return runInDurableObject(object, (_, state) => state.storage.getAlarm());
}

/** The names of what an object stores. */
export function stored(object: DurableObjectStub): Promise<readonly string[]> {
  return runInDurableObject(object, (_, state) => {
    const tables = state.storage.sql.exec("SELECT name FROM sqlite_master WHERE type = 'table'").toArray();
    return tables.map((row) => String(row["name"])).filter((name) => !name.startsWith("_cf"));
  });
}

/** Lets an object's alarm go off as if so much time had passed. False: none is set. */
export async function after(milliseconds: number, object: DurableObjectStub): Promise<boolean> {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + milliseconds });
  try {
    return await runDurableObjectAlarm(object);
  } finally {
    vi.useRealTimers();
  }
}
