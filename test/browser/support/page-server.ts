import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

const PAGE = `<!doctype html>
<html lang="en">
  <meta charset="utf-8">
  <title>smp-edge</title>
  <link rel="icon" href="data:,">
  <script type="module">
    import * as script from "/script.js";
    globalThis.script = script;
  </script>
</html>`;

async function bundle(entry: string): Promise<string> {
  const { outputFiles } = await build({
    absWorkingDir: ROOT,
    entryPoints: [entry],
    bundle: true,
    write: false,
    format: "esm",
    platform: "browser",
    target: "es2024",
    sourcemap: "inline",
  });
  return outputFiles.map(({ text }) => text).join("");
}

/** Serves one page with one script, on 127.0.0.1: what browsers call a secure context. */
export class PageServer {
  readonly url: string;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  }

  /** @param entry path of the script below the root of the project; its exports are what tabs can call. */
  static async start(entry: string): Promise<PageServer> {
    const script = await bundle(entry);
    const server = createServer(({ url }, response) => {
      const [type, content] = url === "/script.js" ? ["text/javascript", script] : ["text/html", PAGE];
      response.writeHead(200, { "content-type": `${type}; charset=utf-8` }).end(content);
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    return new PageServer(server);
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}
