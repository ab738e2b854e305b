import type { Context as Call } from "hono";
import type { Env } from "../objects/env.ts";

/** Where the web client lives. */
export const WEB_PATH = "/app/";

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  svg: "image/svg+xml",
  png: "image/png",
  webmanifest: "application/manifest+json",
};

const NAME = /^(?:[\w-]+\/)*[\w-]+\.(\w+)$/;
/** Names that hold a hash of the content. */
const HASHED = /-[A-Z0-9]{8}\.\w+$/;

// `ws:` only to this machine; browsers that do not count sockets to 'self' find their own relay among `wss:`.
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "media-src blob: data:",
  "connect-src 'self' wss: ws://localhost:* ws://127.0.0.1:*",
  "worker-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  // The one policy makes addresses of the page's own workers, and nothing else.
  "require-trusted-types-for 'script'",
  "trusted-types smp-edge",
].join("; ");

const PERMISSIONS = "camera=(self), microphone=(self), display-capture=(self), geolocation=(), payment=(), usb=()";

function setHeaders(headers: Headers, name: string, type: string): void {
  headers.set("Content-Type", type);
  headers.set("Cache-Control", HASHED.test(name) ? "public, max-age=31536000, immutable" : "no-cache");
  headers.set("Content-Security-Policy", POLICY);
  headers.set("Permissions-Policy", PERMISSIONS);
  headers.set("Referrer-Policy", "no-referrer");
  headers.set("X-Content-Type-Options", "nosniff");
  headers.set("Cross-Origin-Opener-Policy", "same-origin");
  headers.set("Cross-Origin-Resource-Policy", "same-origin");
}

/** GET /app/...: the web client. */
export async function webClient(c: Call<{ Bindings: Env }>): Promise<Response> {
  const name = c.req.path.slice(WEB_PATH.length) || "index.html";
  const type = TYPES[NAME.exec(name)?.[1] ?? ""];
  const files = c.env.WEB;
  if (type === undefined || !files) return c.text("Nothing here. The web client is at /app/", 404);
  const { headers: asked } = c.req.raw;
  const wanted = new Headers();
  for (const header of ["Accept-Encoding", "If-None-Match"]) {
    const value = asked.get(header);
    if (value !== null) wanted.set(header, value);
  }
  const response = await files.fetch(`http://web/${name}`, { headers: wanted });
  if (response.status === 404) return c.text("Nothing here. The web client is at /app/", 404);
  if (response.status !== 200 && response.status !== 304) throw new Error(`${name} was answered with ${response.status}`);
  const answer = new Response(response.body, response);
  setHeaders(answer.headers, name, type);
  return answer;
}

/** GET /app: what stands after `#` goes along. */
export function toWebClient(c: Call): Response {
  return c.redirect(WEB_PATH, 308);
}

/** Any other method: there is nothing to change. */
export function onlyRead(c: Call): Response {
  return c.text("The web client can only be read.", 405, { Allow: "GET, HEAD" });
}
