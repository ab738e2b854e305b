import { request } from "node:http";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bundleWeb, type WebFiles } from "../../src/node/web-bundle.ts";
import { RelayProcess, removeFolder, temporaryFolder } from "../support/relay-process.ts";

const folder = temporaryFolder();
let relay: RelayProcess;
let files: WebFiles;

beforeAll(async () => {
  [relay, files] = await Promise.all([RelayProcess.start(join(folder, "relay")), bundleWeb()]);
});

afterAll(async () => {
  await relay.stop();
  removeFolder(folder);
});

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Buffer;
}

/** As it comes over the wire: `fetch` would unpack it. */
function get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    request(new URL(path, relay.info.app), { headers }, (response) => {
      const parts: Buffer[] = [];
      response.on("data", (part: Buffer) => parts.push(part));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts) }));
      response.on("error", reject);
    }).on("error", reject).end();
  });
}

const script = (): string => [...files.keys()].find((name) => name.startsWith("chat-")) ?? "";

describe("a relay on this machine", () => {
  test("names the web client when it starts, and serves it", async () => {
    expect(relay.info.app).toBe(`${relay.info.url.replace(/^ws/, "http")}app/`);
    const { status, body } = await get("");
    expect([status, String(body)]).toEqual([200, String(files.get("index.html"))]);
  });

  test("serves every file as it was built, compressed for those who take it", async () => {
    for (const [name, bytes] of files) {
      const plain = await get(name);
      expect([name, plain.status, plain.headers["content-encoding"]]).toEqual([name, 200, undefined]);
      expect(plain.body.equals(bytes)).toBe(true);
    }
    const packed = await get(script(), { "accept-encoding": "gzip, br" });
    expect(packed.headers["content-encoding"]).toBe("gzip");
    expect(packed.headers["vary"]).toBe("Accept-Encoding");
    expect(packed.body.length).toBeLessThan((files.get(script())?.length ?? 0) / 2);
    expect(gunzipSync(packed.body).equals(files.get(script()) ?? Buffer.of())).toBe(true);
  });

  test("says when the browser has it already", async () => {
    const { headers } = await get("", { "accept-encoding": "gzip" });
    const again = await get("", { "accept-encoding": "gzip", "if-none-match": String(headers["etag"]) });
    expect([again.status, again.body.length]).toEqual([304, 0]);
  });

  test("has nothing beside the files of the client", async () => {
    for (const path of ["nothing.js", "..%2f..%2fpackage.json", "%2e%2e/package.json", "icons", "constructor.js"]) {
      expect((await get(path)).status).toBe(404);
    }
    expect(relay.troubles).toBe("");
  });
});

describe("the bundle", () => {
  const textOf = (name: string): string => String(Buffer.from(files.get(name) ?? []));

  /** A script with all that it loads before it runs. */
  function withImports(name: string, found = new Set<string>()): Set<string> {
    found.add(name);
    for (const [, next = ""] of textOf(name).matchAll(/(?:from|import)"\.\/([\w-]+\.js)"/g)) {
      if (!found.has(next)) withImports(next, found);
    }
    return found;
  }

  test("of all that is loaded before one can chat takes less than 250 kB", () => {
    const scripts = [...files.keys()].filter((name) => /^(?:main|chat)-\w+\.js$/.test(name));
    expect(scripts).toHaveLength(2);
    const loaded = new Set([...scripts.flatMap((name) => [...withImports(name)]), "index.html"]);
    for (const name of files.keys()) if (/\.(?:css|webmanifest)$/.test(name)) loaded.add(name);
    const sizes = [...loaded].map((name) => gzipSync(files.get(name) ?? Buffer.of(), { level: 9 }).length);
    expect(sizes.reduce((sum, size) => sum + size)).toBeLessThan(250_000);
    // The reader of QR codes comes when it is needed.
    expect([...files.keys()].filter((name) => name.endsWith(".js") && !loaded.has(name)).length).toBeGreaterThan(1);
  });

  test("is the same when it is built again: browsers load nothing anew", async () => {
    const again = await bundleWeb();
    expect([...again.keys()]).toEqual([...files.keys()]);
    expect([...again].every(([name, bytes]) => Buffer.from(bytes).equals(files.get(name) ?? Buffer.of()))).toBe(true);
  });

  test("is complete for the service worker: every file but the page and what is registered by its name", () => {
    const worker = String(Buffer.from(files.get("service-worker.js") ?? []));
    const named = new Set(["index.html", "service-worker.js"]);
    const others = [...files.keys()].filter((name) => !named.has(name));
    for (const name of others) expect(worker).toContain(JSON.stringify(name));
  });

  test("has one script for the chat in a page and for what pushes wake: they are never of two versions", () => {
    expect([...files.keys()].filter((name) => name.includes("push"))).toEqual([]);
    expect(textOf(script())).toContain("pushsubscriptionchange");
  });
});
