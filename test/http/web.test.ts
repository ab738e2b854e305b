import { exports } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { ask } from "./support.ts";

const worker = (exports as unknown as { default: Fetcher }).default;
const ORIGIN = "https://relay.example.org";

const get = (path: string, init: RequestInit = {}): Promise<Response> => worker.fetch(`${ORIGIN}${path}`, { redirect: "manual", ...init });

async function shell(): Promise<string> {
  return (await get("/app/")).text();
}

describe("the web client", () => {
  test("is served by the Worker below /app/", async () => {
    const response = await get("/app/");
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(await response.text()).toContain('<div id="app"></div>');
  });

  test("is found without the slash too; the browser keeps what stands after #", async () => {
    const response = await get("/app");
    expect(response.status).toBe(308);
    expect(response.headers.get("location")).toBe("/app/");
  });

  test("has every file that its page names, each of its type and kept for ever", async () => {
    const paths = [...(await shell()).matchAll(/(?:src|href|content)="(\/app\/[^"]+)"/g)].map(([, path = ""]) => path);
    expect(paths.length).toBeGreaterThanOrEqual(5);
    for (const path of paths) {
      const response = await get(path);
      expect([path, response.status]).toEqual([path, 200]);
      const isHashed = /-[A-Z0-9]{8}\.(?:js|css)$/.test(path);
      const kept = isHashed ? "public, max-age=31536000, immutable" : "no-cache";
      expect(response.headers.get("cache-control")).toBe(kept);
      if (path.endsWith(".js")) expect(response.headers.get("content-type")).toBe("text/javascript; charset=utf-8");
      await response.body?.cancel();
    }
  });

  test("asks every time whether page and service worker are new", async () => {
    for (const path of ["/app/", "/app/index.html", "/app/service-worker.js", "/app/manifest.webmanifest"]) {
      const response = await get(path);
      expect(response.headers.get("cache-control")).toBe("no-cache");
      const etag = response.headers.get("etag") ?? "";
      expect(etag).not.toBe("");
      await response.body?.cancel();
      const again = await get(path, { headers: { "If-None-Match": etag } });
      expect(again.status).toBe(304);
      expect(again.headers.get("content-security-policy")).toContain("default-src 'none'");
    }
  });

  test("lets in nothing but its own files and sockets", async () => {
    for (const path of ["/app/", "/app/service-worker.js", "/app/icons/icon.svg"]) {
      const response = await get(path);
      const policy = new Map((response.headers.get("content-security-policy") ?? "").split("; ").map((part) => {
        const [name = "", ...values] = part.split(" ");
        return [name, values.join(" ")];
      }));
      expect(policy.get("default-src")).toBe("'none'");
      expect(policy.get("script-src")).toBe("'self'");
      expect(policy.get("style-src")).toBe("'self'");
      expect(policy.get("connect-src")).toBe("'self' wss: ws://localhost:* ws://127.0.0.1:*");
      expect(policy.get("frame-ancestors")).toBe("'none'");
      expect(policy.get("require-trusted-types-for")).toBe("'script'");
      expect([...policy.values()].join(" ")).not.toContain("unsafe");
      expect(response.headers.get("permissions-policy")).toContain("camera=(self)");
      expect(response.headers.get("referrer-policy")).toBe("no-referrer");
      expect(response.headers.get("x-content-type-options")).toBe("nosniff");
      expect(response.headers.get("cross-origin-opener-policy")).toBe("same-origin");
      await response.body?.cancel();
    }
  });

  test("names nothing of other places", async () => {
    const page = await shell();
    expect(page).not.toMatch(/https?:|\/\/\w/);
    expect(page).not.toMatch(/<style| style=| on\w+=/);
    expect(page.match(/<script\b[^>]*>/g)).toEqual([expect.stringMatching(/^<script type="module" src="\/app\/main-\w+\.js">$/)]);
  });

  test.each([
    "/app/nothing.js", "/app/main.tsx", "/app/..%2frelay.json", "/app/icons/", "/app/.hidden", "/app/%00.js", "/app//x.js",
  ])("has nothing at %s", async (path) => {
    const response = await get(path);
    expect(response.status).toBe(404);
    expect(await response.text()).toBe("Nothing here. The web client is at /app/");
  });

  test.each(["/index.html", "/service-worker.js", "/icons/icon.svg"])("is nowhere else: %s", async (path) => {
    const response = await get(path);
    expect(response.status).toBe(404);
    expect(await response.text()).toContain("The relay's page is at /");
  });

  test("can only be read", async () => {
    const response = await get("/app/", { method: "POST", body: "x" });
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe("GET, HEAD");
    await response.body?.cancel();
    const head = await get("/app/", { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([200, ""]);
  });

  test("is missing where the relay was made without it, and says so", async () => {
    const response = await ask("/app/");
    expect(response.status).toBe(404);
  });
});
