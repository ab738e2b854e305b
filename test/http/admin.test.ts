import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Settings } from "../../src/config.ts";
import { type IdentityFile, makeIdentity, toIdentityFile } from "../../src/relay/identity.ts";
import { ask, json, TOKEN } from "./support.ts";

interface Answer {
  readonly error?: string;
  readonly fingerprint?: string;
}

const newFile = (): IdentityFile => toIdentityFile(makeIdentity("relay.example.org", Date.now()));

function call(method: string, path: string, body: string | null = null, settings: Settings = {}): Promise<Response> {
  const headers = { authorization: `Bearer ${TOKEN}` };
  return ask(`/admin/${path}`, { ADMIN_TOKEN: TOKEN, ...settings }, "", { method, headers, body });
}

const put = (file: object, query = "", settings: Settings = {}): Promise<Response> =>
  call("PUT", `identity${query}`, JSON.stringify(file), settings);

async function currentFile(): Promise<IdentityFile> {
  return await json(await call("GET", "identity"));
}

describe("who may come in", () => {
  test("without ADMIN_TOKEN there is nothing", async () => {
    for (const path of ["/admin", "/admin/identity", "/admin/meter"]) {
      const response = await ask(path, {}, "", { headers: { authorization: "Bearer undefined" } });
      const nowhere = await ask("/nowhere");
      expect(response.status).toBe(404);
      expect(await response.text()).toBe(await nowhere.text());
    }
  });

  test.each([null, "", TOKEN, "Bearer", "Bearer ", `Bearer ${TOKEN}x`, `Bearer ${TOKEN} x`, `Basic ${TOKEN}`])(
    "a wrong token gets nothing: %s",
    async (authorization) => {
      const headers = authorization === null ? {} : { authorization };
      for (const method of ["GET", "PUT"]) {
        const response = await ask("/admin/identity", { ADMIN_TOKEN: TOKEN }, "", { method, headers });
        expect(response.status).toBe(401);
        expect(response.headers.get("www-authenticate")).toMatch(/^Bearer/);
        expect(await json(response)).toEqual({ error: expect.stringContaining("ADMIN_TOKEN") });
      }
    },
  );

  test("a token may be a sentence", async () => {
    const token = "as long as it is not short";
    const headers = { authorization: `Bearer ${token}` };
    expect((await ask("/admin/meter", { ADMIN_TOKEN: token }, "", { headers })).status).toBe(200);
  });

  test("a token that is too short to be one opens nothing", async () => {
    const log = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const headers = { authorization: "Bearer short" };
    const response = await ask("/admin/identity", { ADMIN_TOKEN: "short" }, "", { headers });
    expect(response.status).toBe(503);
    expect((await json<Answer>(response)).error).toContain("settings");
    expect(log).toHaveBeenCalledOnce();
    log.mockRestore();
  });

  test("what is not there says what is", async () => {
    const response = await call("DELETE", "identity");
    expect(response.status).toBe(404);
    expect((await json<Answer>(response)).error).toContain("/admin/meter");
  });
});

describe("what a gateway needs", () => {
  const gatewayToken = "a token for a gateway";
  const askAs = (token: string, settings: Settings, path = "gateway"): Promise<Response> =>
    ask(`/admin/${path}`, settings, "", { headers: { authorization: `Bearer ${token}` } });

  test("is given to who has one of the two tokens, without what only the relay itself needs", async () => {
    const whole = await json<IdentityFile>(await call("GET", "identity"));
    const { fingerprint, caCertificate, certificate, key } = whole;
    for (const token of [TOKEN, gatewayToken]) {
      const response = await askAs(token, { ADMIN_TOKEN: TOKEN, GATEWAY_TOKEN: gatewayToken });
      expect(response.headers.get("cache-control")).toBe("no-store");
      expect(await json(response)).toEqual({ version: 1, fingerprint, caCertificate, certificate, key });
    }
  });

  test("is all that a gateway's token opens", async () => {
    const both = { ADMIN_TOKEN: TOKEN, GATEWAY_TOKEN: gatewayToken };
    for (const path of ["identity", "meter", ""]) expect((await askAs(gatewayToken, both, path)).status).toBe(401);
    const alone = { GATEWAY_TOKEN: gatewayToken };
    expect((await askAs(gatewayToken, alone)).status).toBe(200);
    expect((await askAs(`${gatewayToken}x`, alone)).status).toBe(401);
    for (const path of ["identity", "meter"]) expect((await askAs(gatewayToken, alone, path)).status).toBe(404);
    expect((await askAs(gatewayToken, {})).status).toBe(404);
    const sent = await ask("/admin/gateway", both, "", { method: "PUT", headers: { authorization: `Bearer ${gatewayToken}` } });
    expect(sent.status).toBe(401);
  });
});

describe("the identity", () => {
  let before: IdentityFile;
  beforeEach(async () => void (before = await currentFile()));
  afterEach(async () => void (await put(before, "?force=1")));

  test("is given whole, and kept by nobody on the way", async () => {
    const response = await call("GET", "identity");
    expect(response.headers.get("cache-control")).toBe("no-store");
    const file = await json<IdentityFile>(response);
    expect(Object.keys(file).toSorted()).toEqual(Object.keys(newFile()).toSorted());
    expect((await json<Answer>(await ask("/relay.json"))).fingerprint).toBe(file.fingerprint);
  });

  test("comes back as it was", async () => {
    const response = await put(before);
    expect(response.status).toBe(200);
    expect((await json<Answer>(response)).fingerprint).toBe(before.fingerprint);
    expect(await currentFile()).toEqual(before);
  });

  test("another one needs force, and is then used at once", async () => {
    const next = newFile();
    const refused = await put(next);
    expect(refused.status).toBe(409);
    expect((await json<Answer>(refused)).error).toMatch(/idSecret.*queues.*force=1/);
    expect(await currentFile()).toEqual(before);
    expect((await put(next, "?force=1")).status).toBe(200);
    expect(await currentFile()).toEqual(next);
    expect((await json<Answer>(await ask("/relay.json"))).fingerprint).toBe(next.fingerprint);
  });

  test("one under another fingerprint needs force too", async () => {
    const next = { ...newFile(), idSecret: before.idSecret };
    const refused = await put(next);
    expect(refused.status).toBe(409);
    expect((await json<Answer>(refused)).error).toContain("fingerprint");
    expect((await put(next, "?force=1")).status).toBe(200);
  });

  test("cannot be replaced where the secret decides it", async () => {
    const response = await put(before, "?force=1", { RELAY_IDENTITY: JSON.stringify(newFile()) });
    expect(response.status).toBe(409);
    expect((await json<Answer>(response)).error).toContain("wrangler secret delete RELAY_IDENTITY");
  });

  test.each([
    ["", "not JSON"],
    ["[]", "version"],
    ["null", "not a JSON object"],
    [JSON.stringify({ ...newFile(), key: newFile().key }), "key of the identity"],
    [JSON.stringify({ ...newFile(), idSecret: "AAAA" }), "32 bytes"],
    [JSON.stringify({ ...newFile(), certificate: newFile().certificate }), "does not hold"],
  ])("is not changed by what is none: %s", async (body, reason) => {
    const response = await call("PUT", "identity?force=1", body);
    expect(response.status).toBe(400);
    expect((await json<Answer>(response)).error).toContain(reason);
    expect(await currentFile()).toEqual(before);
  });

  test("is not read when it is too long", async () => {
    const response = await call("PUT", "identity?force=1", " ".repeat(64 * 1024) + JSON.stringify(newFile()));
    expect(response.status).toBe(413);
    expect((await json<Answer>(response)).error).toContain("65536");
  });
});

test("the meter counts", async () => {
  const response = await call("GET", "meter");
  expect(response.headers.get("cache-control")).toBe("no-store");
  expect(await json(response)).toMatchObject({ rowsWritten: expect.any(Number), queueRequests: expect.any(Number) });
});
