import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Hono } from "hono";
import { webClient } from "../../../../src/http/web.ts";
import { bundleWeb } from "../../../../src/node/web-bundle.ts";
import type { Env } from "../../../../src/objects/env.ts";

type Files = ReadonlyMap<string, Uint8Array>;

/** The web client without a relay: it is there, then away, then there in another version. */
export class AppServer {
  readonly url: string;
  readonly #server: Server;
  readonly #files: Files;
  readonly #app = new Hono<{ Bindings: Env }>().get("/app/*", webClient);
  #served: Files;
  #isAway = false;
  /** Paths that were asked for. */
  readonly asked: string[] = [];

  private constructor(server: Server, files: Files) {
    this.#server = server;
    this.#files = files;
    this.#served = files;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/app/`;
    server.on("request", (request: IncomingMessage, response: ServerResponse) => void this.#answer(request, response));
  }

  /** @param main a script in place of the page's own */
  static async start(main?: string): Promise<AppServer> {
    const files = new Map(await bundleWeb());
    for (const name of files.keys()) {
      if (main !== undefined && /^main-\w+\.js$/.test(name)) files.set(name, Buffer.from(main));
    }
    const server = createServer();
    await once(server.listen(0, "127.0.0.1"), "listening");
    return new AppServer(server, files);
  }

  /** As after the relay got a newer client. */
  release(version: string): void {
    const [, before = ""] = /name="version" content="(\w+)"/.exec(String(this.#files.get("index.html"))) ?? [];
    this.#served = new Map([...this.#files].map(([name, bytes]) => {
      const text = name === "index.html" || name === "service-worker.js";
      return [name, text ? Buffer.from(Buffer.from(bytes).toString().replaceAll(before, version)) : bytes];
    }));
  }

  /** Cuts off every connection from now on, as without a network. */
  set isAway(isAway: boolean) {
    this.#isAway = isAway;
    if (isAway) this.#server.closeAllConnections();
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #answer({ url = "/" }: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.#isAway) return void response.destroy();
    this.asked.push(url);
    const files = { fetch: (path: string) => Promise.resolve(this.#file(new URL(path).pathname.slice(1))) };
    const answer = await this.#app.request(url, {}, { WEB: files } as unknown as Env);
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    response.end(Buffer.from(await answer.arrayBuffer()));
  }

  #file(name: string): Response {
    const bytes = this.#served.get(name);
    return bytes ? new Response(new Uint8Array(bytes)) : new Response(null, { status: 404 });
  }
}
