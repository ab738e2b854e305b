import { once } from "node:events";
import { createServer, type IncomingMessage, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { pushSender, type PushSenderOptions } from "../../src/node/push-sender.ts";
import type { Settings } from "../../src/config.ts";

export interface Answered {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** The sender of pushes behind a port, called as the simulator calls it for a Worker. */
export class PushBench {
  readonly #server: Server;
  /** What the operator was told. */
  readonly troubles: string[];

  private constructor(server: Server, troubles: string[]) {
    this.#server = server;
    this.troubles = troubles;
  }

  static async start(settings: Settings, options: PushSenderOptions = {}): Promise<PushBench> {
    const troubles: string[] = [];
    const handler = pushSender(settings, { onTrouble: (text) => troubles.push(text), ...options });
    const server = createServer((incoming, response) => void handler(incoming, response));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new PushBench(server, troubles);
  }

  /** Posts to a URL as `env.PUSHES.fetch` does. Null: no answer came. */
  async post(
    url: string,
    headers: Readonly<Record<string, string>> = {},
    body: Uint8Array | string = "",
    signal?: AbortSignal,
  ): Promise<Answered | null> {
    const { host, pathname, search } = new URL(url);
    const { port } = this.#server.address() as AddressInfo;
    const asked = request({
      host: "127.0.0.1",
      port,
      method: "POST",
      path: pathname + search,
      headers: { ...headers, host, "mf-custom-node-service": "0/#PUSHES", "content-length": Buffer.byteLength(body) },
      agent: false,
      ...(signal ? { signal } : {}),
    });
    asked.end(body);
    try {
      const [response] = await once(asked, "response") as [IncomingMessage];
      let text = "";
      for await (const part of response.setEncoding("utf8")) text += String(part);
      return { status: response.statusCode ?? 0, headers: response.headers, body: text };
    } catch {
      return null;
    }
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}
