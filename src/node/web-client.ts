import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { bundleWeb, type WebFiles } from "./web-bundle.ts";

/** Beside the built command line stands the built web client. */
const BUILT = fileURLToPath(new URL("web/", import.meta.url));
const COMPRESSIBLE = /\.(?:html|js|css|svg|webmanifest)$/;

interface Served {
  readonly plain: Uint8Array;
  /** Null where it would not be shorter. */
  readonly gzip: Uint8Array | null;
  readonly etag: string;
}

function readFolder(folder: string): WebFiles {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
  const paths = names.map((one) => join(one.parentPath, one.name).slice(folder.length));
  return new Map(paths.map((path) => [path.split(sep).join("/"), readFileSync(join(folder, path))]));
}

function prepare(files: WebFiles): ReadonlyMap<string, Served> {
  return new Map([...files].map(([name, plain]) => {
    const etag = `"${createHash("sha256").update(plain).digest("base64url").slice(0, 22)}"`;
    return [name, { plain, gzip: COMPRESSIBLE.test(name) ? gzipSync(plain, { level: 9 }) : null, etag }];
  }));
}

let loading: Promise<ReadonlyMap<string, Served>> | null = null;

/** Made when somebody asks for the first time: most relays are started without it. */
function load(): Promise<ReadonlyMap<string, Served>> {
  loading ??= (existsSync(BUILT) ? Promise.resolve(readFolder(BUILT)) : bundleWeb()).then(prepare);
  // A mistake in the sources is not kept: they may have been mended.
  loading.catch(() => (loading = null));
  return loading;
}

/**
 * Gives the Worker of a local relay the files of the web client, as `[assets]` of `wrangler.toml` does on Cloudflare,
 * and compresses them, as Cloudflare's edge does.
 */
export async function serveWebFile(request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    const name = new URL(request.url ?? "/", "http://web").pathname.slice(1);
    const file = (await load()).get(name);
    if (!file) return void response.writeHead(404).end();
    const headers = { ETag: file.etag, Vary: "Accept-Encoding" };
    if (request.headers["if-none-match"] === file.etag) return void response.writeHead(304, headers).end();
    const takesGzip = /\bgzip\b/.test(String(request.headers["accept-encoding"] ?? ""));
    if (takesGzip && file.gzip) response.writeHead(200, { ...headers, "Content-Encoding": "gzip" }).end(file.gzip);
    else response.writeHead(200, headers).end(file.plain);
  } catch (error) {
    process.stderr.write(`the web client could not be built: ${error instanceof Error ? error.message : String(error)}\n`);
    response.writeHead(500).end();
  }
}
