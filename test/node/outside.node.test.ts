import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { hostname } from "node:os";
import { Miniflare } from "miniflare";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { outsideNetwork } from "../../src/node/outside.ts";

const WORKER = `
async function byFetch(network, host, port) {
  return await (await network.fetch("http://" + host + ":" + port)).text();
}
async function bySocket(network, hostname, port) {
  const socket = network.connect({ hostname, port }, {});
  await socket.writable.getWriter().write(new TextEncoder().encode("GET / HTTP/1.0\\r\\n\\r\\n"));
  return (await new Response(socket.readable).text()).replace(/^.*\\r\\n\\r\\n/s, "");
}
export default {
  async fetch(request, { NETWORK }) {
    const { host, port, way } = await request.json();
    try {
      return new Response(await (way === "fetch" ? byFetch : bySocket)(NETWORK, host, port));
    } catch {
      return new Response("refused");
    }
  },
};`;

let inside: Server;

beforeAll(async () => {
  inside = createServer((_, response) => response.end("inside")).listen(0, "0.0.0.0");
  await once(inside, "listening");
});

afterAll(() => {
  inside.close();
});

/** What a Worker with this network gets from a server on this machine. */
async function reach(PROXY_PRIVATE: "on" | "off", hosts: readonly string[]): Promise<Record<string, string>> {
  const manifest = { mainModule: "w.js", modulesRoot: "/", modules: { "w.js": { type: "esm", contents: WORKER } } };
  const env = { NETWORK: outsideNetwork({ PROXY_PRIVATE }) };
  const config = { name: "w", compatibilityDate: "2026-11-01", manifest, env };
  const options = { host: "127.0.0.1", port: 0, cf: false, telemetry: { enabled: false } };
  const miniflare = new Miniflare({ ...options, workers: [{ config }] } as ConstructorParameters<typeof Miniflare>[0]);
  const { port } = inside.address() as AddressInfo;
  const seen: Record<string, string> = {};
  for (const host of hosts) {
    for (const way of ["fetch", "connect"]) {
      const response = await miniflare.dispatchFetch("http://w", { method: "POST", body: JSON.stringify({ host, port, way }) });
      seen[`${way} ${host}`] = await response.text();
    }
  }
  await miniflare.dispose();
  return seen;
}

describe("the network of a local proxy", () => {
  // The name of this machine is in no list of local names: it stands for any that DNS leads here.
  const hosts = ["127.0.0.1", "localhost", hostname(), "0.0.0.0", "[::ffff:127.0.0.1]"];

  it("does not lead to this machine, by whatever name", async () => {
    const refused = hosts.flatMap((host) => [[`fetch ${host}`, "refused"], [`connect ${host}`, "refused"]]);
    expect(await reach("off", hosts)).toEqual(Object.fromEntries(refused));
  });

  it("does where the operator wants it", async () => {
    expect(await reach("on", ["127.0.0.1"])).toEqual({ "fetch 127.0.0.1": "inside", "connect 127.0.0.1": "inside" });
  });
});
