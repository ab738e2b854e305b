import { type IncomingHttpHeaders, type IncomingMessage, request, type ServerResponse } from "node:http";
import { createServer, type Server, type ServerOptions } from "node:https";
import { connect } from "node:net";
import { type Duplex, pipeline } from "node:stream";
import { reasonOf } from "./reason.ts";

/** Methods that the relay's pages know. */
const METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"]);

/** Of one connection only (RFC 9110, section 7.6.1). */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer",
  "transfer-encoding", "upgrade",
]);

/** What the simulator and Cloudflare say to Workers; nobody else may. */
const INTERNAL = /^(?:mf|cf)-/;

const WEBSOCKET = /^websocket$/i;

function forwarded(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP_BY_HOP.has(name) && !INTERNAL.test(name)));
}

function answer(response: ServerResponse, status: number, text: string): void {
  if (response.headersSent) return void response.destroy();
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8", connection: "close" }).end(`${text}\n`);
}

export interface PagesOptions extends ServerOptions {
  /** Where the relay answers plain HTTP; null when it is not known yet. */
  readonly relay: () => URL | null;
  readonly onTrouble: (text: string) => void;
}

/**
 * The entrance of browsers: HTTPS in front of the relay's pages and WebSockets. Requests are read here and asked again,
 * so that nothing but them reaches the simulator, which listens for commands of its own on the same port.
 */
export function servePages({ relay, onTrouble, ...options }: PagesOptions): Server {
  const failed = (error: unknown): void => onTrouble(`a page could not be fetched from the relay: ${reasonOf(error)}`);

  const pass = (incoming: IncomingMessage, response: ServerResponse): void => {
    const place = relay();
    if (!place) return answer(response, 503, "The relay is not ready.");
    if (!METHODS.has(incoming.method ?? "")) return answer(response, 405, "The relay does not know this method.");
    const { method, url, headers } = incoming;
    const target = { host: hostOf(place), port: place.port, method, path: url, headers: forwarded(headers) };
    const asked = request({ ...target, setHost: false });
    asked.on("response", (from) => {
      response.writeHead(from.statusCode ?? 502, forwarded(from.headers));
      pipeline(from, response, () => undefined);
    });
    asked.on("error", (error) => {
      failed(error);
      answer(response, 502, "The relay does not answer.");
    });
    pipeline(incoming, asked, () => undefined);
    response.on("close", () => asked.destroy());
  };

  const upgrade = (incoming: IncomingMessage, client: Duplex, head: Buffer): void => {
    client.on("error", () => undefined);
    const place = relay();
    const { method, url = "/", headers } = incoming;
    if (!place || method !== "GET" || !WEBSOCKET.test(headers.upgrade ?? "")) return void client.destroy();
    const asked = { ...forwarded(headers), connection: "Upgrade", upgrade: "websocket" };
    const lines = Object.entries(asked).map(([name, value]) => `${name}: ${String(value)}`);
    const socket = connect({ host: hostOf(place), port: Number(place.port), noDelay: true });
    socket.on("error", failed);
    socket.write([`GET ${url} HTTP/1.1`, ...lines, "", ""].join("\r\n"), "latin1");
    if (head.length > 0) socket.write(head);
    pipeline(client, socket, () => undefined);
    pipeline(socket, client, () => undefined);
  };

  const server = createServer(options, pass);
  server.on("upgrade", upgrade);
  server.on("clientError", (_, client) => client.destroy());
  // It gets its connections from the gateway and never listens; this starts its look after slow clients.
  server.emit("listening");
  return server;
}

function hostOf({ hostname }: URL): string {
  return hostname.replaceAll(/[[\]]/g, "");
}
