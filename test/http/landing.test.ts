import { exports } from "cloudflare:workers";
import { describe, expect, test, vi } from "vitest";
import { makeIdentity, toIdentityFile } from "../../src/relay/identity.ts";
import { ask, json } from "./support.ts";

interface Info {
  readonly address: string;
  readonly fingerprint: string;
  readonly versions: { readonly min: number; readonly max: number };
  readonly newQueues: string;
}

const info = async (...request: Parameters<typeof ask>): Promise<Info> => await json(await ask(...request));

function visible(page: string): string {
  return page.replaceAll(/<(style|script)>[^]*?<\/\1>|<[^>]+>/g, "").replaceAll(/\s+/g, " ");
}

async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return btoa(String.fromCharCode(...new Uint8Array(digest)));
}

describe("the relay's page", () => {
  test("is served by the Worker", async () => {
    const worker = (exports as unknown as { default: Fetcher }).default;
    const response = await worker.fetch("https://relay.example.org/");
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("text/html; charset=UTF-8");
    const { address } = await json<Info>(await worker.fetch("https://relay.example.org/relay.json"));
    expect(visible(await response.text())).toContain(address);
  });

  test("shows the address as selectable text and as a QR code", async () => {
    const { address, fingerprint } = await info("/relay.json");
    const page = await (await ask("/")).text();
    expect(address).toBe(`smp://${fingerprint}@relay.example.org`);
    expect(fingerprint).toMatch(/^[\w-]{43}=$/);
    expect(visible(page)).toContain(address);
    expect(page).toMatch(/<svg role="img" aria-label="[^"]+" shape-rendering="crispEdges"/);
    expect(page).toMatch(/<button [^>]*hidden>Copy<\/button>/);
  });

  test("asks nothing of anybody and allows only its own style and script", async () => {
    const response = await ask("/");
    const page = await response.text();
    const policy = response.headers.get("content-security-policy") ?? "";
    const inline = (tag: string): string => new RegExp(`<${tag}>([^]*?)</${tag}>`).exec(page)?.[1] ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain("unsafe");
    expect(policy).toContain(`style-src 'sha256-${await sha256(inline("style"))}'`);
    expect(policy).toContain(`script-src 'sha256-${await sha256(inline("script"))}'`);
    expect(page).not.toMatch(/ style=| on\w+=|src=|@import|url\(/);
    expect(page.match(/<(style|script)\b/g)).toHaveLength(2);
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    expect(response.headers.get("referrer-policy")).toBe("no-referrer");
    expect(response.headers.get("cache-control")).toBe("private, max-age=60");
  });

  test.each([
    [{}, "Open to everyone", "Add server"],
    [{ CREATE_PASSWORD: "let-me-in" }, "Only with the password", "Ask the operator for the password"],
    [{ NEW_QUEUES: "off" }, "Not taken now", "takes no new conversations"],
  ])("says who may create queues: %o", async (settings, fact, step) => {
    const page = await (await ask("/", settings)).text();
    expect(visible(page)).toContain(fact);
    expect(visible(page)).toContain(step);
    expect(page).not.toContain("let-me-in");
  });

  test("says how long messages are kept", async () => {
    expect(visible(await (await ask("/")).text())).toContain("Dropped after 21 days");
    expect(visible(await (await ask("/", { MESSAGE_TTL_DAYS: "1" })).text())).toContain("Dropped after 1 day ");
  });
});

describe("the address", () => {
  test.each([
    ["relay.example.org:8443", "relay.example.org:8443"],
    ["RELAY.Example.org", "relay.example.org"],
    ["127.0.0.1:8787", "127.0.0.1:8787"],
    ["[::1]:8787", "[::1]:8787"],
    ["", "relay.example.org"],
  ])("is at the host that was asked: %s", async (host, expected) => {
    const { address, fingerprint } = await info("/relay.json", {}, host);
    expect(address).toBe(`smp://${fingerprint}@${expected}`);
  });

  test("is at the configured host whatever was asked", async () => {
    const { address } = await info("/relay.json", { PUBLIC_HOSTS: "smp.example.com:5223" }, "<script>");
    expect(address).toMatch(/@smp\.example\.com:5223$/);
  });

  test("may name several hosts, with one port or the usual one", async () => {
    for (const hosts of ["smp.example.com,abc.onion", "smp.example.com,abc.onion:5224", "[2001:db8::1]:443", "192.0.2.1"]) {
      const { address, fingerprint } = await info("/relay.json", { PUBLIC_HOSTS: hosts });
      expect(address).toBe(`smp://${fingerprint}@${hosts}`);
      expect(visible(await (await ask("/", { PUBLIC_HOSTS: hosts })).text())).toContain(address);
    }
    expect((await info("/relay.json", { PUBLIC_HOSTS: "SMP.Example.com" })).address).toMatch(/@smp\.example\.com$/);
  });

  test.each(["", ",", "a,,b", "a b", "smp://a", "a:", "a:0", "a:65536", "a:b", "2001:db8::1", "user@a", "a/b"])(
    "is not set up with hosts that are none: '%s'",
    async (hosts) => {
      const log = vi.spyOn(console, "error").mockImplementation(() => undefined);
      expect((await ask("/relay.json", { PUBLIC_HOSTS: hosts })).status).toBe(503);
      expect(String(log.mock.calls[0]?.[0])).toContain("PUBLIC_HOSTS");
      log.mockRestore();
    },
  );

  test("names the configured identity", async () => {
    const file = toIdentityFile(makeIdentity("relay.example.org", Date.now()));
    const told = await info("/relay.json", { RELAY_IDENTITY: JSON.stringify(file), NEW_QUEUES: "off" });
    expect(told).toMatchObject({
      address: `smp://${file.fingerprint}@relay.example.org`,
      fingerprint: file.fingerprint,
      versions: { min: 6, max: 19 },
      newQueues: "off",
    });
    expect((await info("/relay.json", { CREATE_PASSWORD: "secret" })).newQueues).toBe("password");
  });
});

describe("hostile requests", () => {
  test.each([
    "\"><script>alert(1)</script>",
    "x'onload='alert(1)",
    "evil.org,good.org",
    "user:password@evil.org",
    "evil.org/path",
    "evil.org?a#b",
    "evil org",
    "evil.org:99999",
    "evil.org:",
    "javascript:alert(1)",
    "&lt;b&gt;",
    "a".repeat(5000),
  ])("a host that is none gets nothing through: %s", async (host) => {
    for (const path of ["/", "/relay.json"]) {
      const response = await ask(path, {}, host);
      const body = await response.text();
      expect(response.status).toBe(400);
      expect(body).not.toContain(host);
      expect(body).not.toContain("alert(");
    }
  });
});

describe("a relay that is not set up", () => {
  test.each([
    [{ NEW_QUEUES: "perhaps" }, "This relay is not set up"],
    [{ RELAY_IDENTITY: "{\"version\":1,\"key\":\"c2VjcmV0\"}" }, "This relay cannot prove who it is"],
  ])("tells the operator where to look and nobody what is wrong: %o", async (settings, title) => {
    const log = vi.spyOn(console, "error").mockImplementation(() => undefined);
    for (const path of ["/", "/relay.json"]) {
      const response = await ask(path, settings);
      const body = await response.text();
      expect(response.status).toBe(503);
      expect(response.headers.get("cache-control")).toBe("no-store");
      expect(body).toContain("wrangler tail");
      expect(body).not.toMatch(/perhaps|NEW_QUEUES|caCertificate|c2VjcmV0/);
      if (path === "/") expect(body).toContain(title);
    }
    expect(log).toHaveBeenCalledTimes(2);
    log.mockRestore();
  });

  test("says so when its storage does not answer", async () => {
    const log = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const RELAY = { idFromName: () => "id", get: () => ({ fetch: () => Promise.reject(new Error("overloaded")) }) };
    const response = await ask("/", { RELAY } as object);
    expect(response.status).toBe(503);
    expect(await response.text()).toContain("try again in a minute");
    log.mockRestore();
  });
});
