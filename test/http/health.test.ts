import { afterEach, beforeAll, beforeEach, describe, expect, type MockInstance, test, vi } from "vitest";
import { makeIdentity, toIdentityFile } from "../../src/relay/identity.ts";
import { ask, json } from "./support.ts";

interface Health {
  readonly status: string;
  readonly checks: Readonly<Record<"settings" | "identity" | "storage", string>>;
}

function queueNamespace(holdsLink: () => Promise<boolean>): object {
  return { QUEUE: { idFromName: () => "id", get: () => ({ holdsLink }) } };
}

async function healthOf(settings: object): Promise<{ readonly code: number; readonly health: Health }> {
  const response = await ask("/health", settings);
  expect(response.headers.get("cache-control")).toBe("no-store");
  return { code: response.status, health: await json(response) };
}

describe("health", () => {
  // The first call loads the Worker, which takes longer than a check may where the machine is busy.
  beforeAll(async () => void await ask("/relay.json"));

  let log: MockInstance<typeof console.error>;
  beforeEach(() => void (log = vi.spyOn(console, "error").mockImplementation(() => undefined)));
  afterEach(() => log.mockRestore());

  test("a relay that works", async () => {
    const checks = { settings: "ok", identity: "ok", storage: "ok" };
    expect(await healthOf({})).toEqual({ code: 200, health: { status: "ok", checks } });
    expect(log).not.toHaveBeenCalled();
  });

  test("wrong settings, without their values", async () => {
    const { code, health } = await healthOf({ QUEUE_QUOTA: "plenty" });
    expect(code).toBe(503);
    expect(health.status).toBe("failing");
    expect(health.checks).toMatchObject({ settings: "the settings are wrong, see the relay's log", storage: "ok" });
    expect(JSON.stringify(health)).not.toContain("plenty");
    expect(log).toHaveBeenCalled();
  });

  test("an identity that does not hold", async () => {
    const file = toIdentityFile(makeIdentity("relay.example.org", Date.now()));
    const other = toIdentityFile(makeIdentity("relay.example.org", Date.now()));
    const { code, health } = await healthOf({ RELAY_IDENTITY: JSON.stringify({ ...file, key: other.key }) });
    expect(code).toBe(503);
    expect(health.checks.identity).toBe("the identity does not hold, see the relay's log");
  });

  test("a certificate that ended after it was loaded", async () => {
    const settings = { RELAY_IDENTITY: JSON.stringify(toIdentityFile(makeIdentity("relay.example.org", Date.now()))) };
    expect((await healthOf(settings)).code).toBe(200);
    const { checks } = (await healthAt(settings, Date.UTC(9000, 0))).health;
    expect(checks.identity).toBe("the identity does not hold, see the relay's log");
  });

  async function healthAt(settings: object, now: number): Promise<{ readonly code: number; readonly health: Health }> {
    const clock = vi.spyOn(Date, "now").mockReturnValue(now);
    try {
      return await healthOf(settings);
    } finally {
      clock.mockRestore();
    }
  }

  test("queue objects that fail, and queue objects that never answer", async () => {
    const failing = await healthOf(queueNamespace(() => Promise.reject(new Error("disk I/O error"))));
    expect(failing.code).toBe(503);
    expect(failing.health.checks).toEqual({ settings: "ok", identity: "ok", storage: "failed, see the relay's log" });
    const start = Date.now();
    const silent = await healthOf(queueNamespace(() => new Promise(() => undefined)));
    expect(silent.health.checks.storage).toBe("no answer within 2 s");
    expect(Date.now() - start).toBeLessThan(4000);
  });
});
