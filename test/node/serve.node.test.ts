import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { get, type RequestOptions } from "node:https";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { parseServerAddress, type Server } from "#protocol/address";
import { connect as connectWeb } from "../../client/transport/connect.ts";
import type { SocketLike } from "../../client/transport/socket.ts";
import { drain, makeQueue, send, type TestQueue } from "../support/queue-user.ts";
import { RelayProcess, removeFolder, runCommand, temporaryFolder } from "../support/relay-process.ts";
import { connectNative } from "../support/tls-client.ts";
import { named } from "../support/wire-client.ts";

/** A name that leads to this machine wherever the tests run. */
const NAME = "localhost";

let folder = "";
let cert = "";
let relay: RelayProcess;
const inFolder = (name: string): string => join(folder, name);

function serve(...more: readonly string[]): Promise<RelayProcess> {
  const args = ["--data", inFolder("data"), "--host", NAME, "--port", "0", "--json"];
  return RelayProcess.run(["serve", ...args, ...more]);
}

const withWeb = (): string[] => ["--https-cert", inFolder("web.crt"), "--https-key", inFolder("web.key")];
const server = (): Server => parseServerAddress(relay.info.gateway ?? "");
const port = (): number => Number(server().port);

beforeAll(async () => {
  folder = temporaryFolder();
  // Of the kind that browsers take; they know no Ed25519.
  const wanted = `-subj /CN=${NAME} -addext subjectAltName=DNS:${NAME}`.split(" ");
  const made = ["-keyout", inFolder("web.key"), "-out", inFolder("web.crt")];
  const request = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", ...wanted, ...made];
  execFileSync("openssl", request, { stdio: "ignore" });
  cert = readFileSync(inFolder("web.crt"), "utf8");
  relay = await serve("--tls-port", "0", ...withWeb());
});

afterAll(async () => {
  await relay.stop();
  removeFolder(folder);
});

async function page(path: string, options: RequestOptions = {}): Promise<{ status: number; text: string }> {
  const asked = get({ host: NAME, port: port(), path, ca: cert, agent: false, ...options });
  const [response] = await once(asked, "response") as [IncomingMessage];
  let text = "";
  for await (const part of response.setEncoding("utf8")) text += String(part);
  return { status: response.statusCode ?? 0, text };
}

describe("smp-edge serve", () => {
  it("names itself in its address, by which official apps find it", async () => {
    expect(relay.info.address).toBe(`smp://${relay.info.fingerprint}@${NAME}:${port()}`);
    expect(relay.info.gateway).toBe(relay.info.address);
    expect(relay.info).toMatchObject({ web: `https://${NAME}:${port()}/` });
    const client = await connectNative(server());
    expect(named(await client.ask({ tag: "PING" }))).toBe("PONG");
    client.close();
  });

  it("is there for others, while the relay's own port is for this machine alone", async () => {
    const addresses = Object.values(networkInterfaces()).flat();
    const outside = addresses.find((address) => address?.family === "IPv4" && !address.internal)?.address;
    if (outside === undefined) return;
    const client = await connectNative({ ...server(), hosts: [outside] });
    client.close();
    await expect(fetch(`http://${outside}:${new URL(relay.info.url).port}/`)).rejects.toThrow("fetch failed");
  });

  it("shows its pages to browsers on the same port", async () => {
    const { status, text } = await page("/relay.json");
    expect(status).toBe(200);
    expect(JSON.parse(text)).toMatchObject({ address: relay.info.address, fingerprint: relay.info.fingerprint });
    expect((await page("/")).text).toContain("A relay for private messages");
    // As browsers, without Ed25519 and with TLS 1.2.
    const old = { maxVersion: "TLSv1.2", sigalgs: "RSA-PSS+SHA256:ECDSA+SHA256", ecdhCurve: "X25519:P-256" } as const;
    expect((await page("/health", old)).status).toBe(200);
  });

  it("serves web clients on the same port", async () => {
    const openSocket = (url: string): SocketLike => new WebSocket(url, { ca: cert }) as unknown as SocketLike;
    const channel = await connectWeb({ server: server(), url: `wss://${NAME}:${port()}/`, openSocket });
    expect(channel.version).toBe(19);
    channel.close();
  });

  it("lets nothing but requests through to the relay", async () => {
    // The simulator around the relay takes commands on the port of its pages.
    const inside = connectTls({ host: NAME, port: port(), ca: cert, servername: NAME });
    inside.write("CONNECT miniflare-unsafe-internal-capnp-connect HTTP/1.1\r\nHost: x\r\n\r\n");
    const answer: Buffer[] = [];
    inside.on("data", (part: Buffer) => answer.push(part)).on("error", () => undefined);
    await once(inside, "close");
    expect(Buffer.concat(answer).toString("latin1")).not.toMatch(/^HTTP\/1\.1 2/);
    expect((await page("/health", { method: "TRACE" })).status).toBe(405);
    const headers = { "accept-encoding": "gzip", "if-none-match": "x" };
    expect((await page("/relay.json", { headers })).status).toBe(200);
  });

  it("gives browsers no ALPN but HTTP, and official apps no certificate but the relay's", async () => {
    const wanting = { host: NAME, port: port(), ca: cert, servername: NAME };
    const http2 = connectTls({ ...wanting, ALPNProtocols: ["h2"] });
    await expect(once(http2, "secureConnect")).rejects.toThrow("no application protocol");
    const browser = connectTls({ ...wanting, ALPNProtocols: ["h2", "http/1.1"] });
    await once(browser, "secureConnect");
    expect(browser.alpnProtocol).toBe("http/1.1");
    expect(browser.getPeerCertificate().subject.CN).toBe(NAME);
    browser.destroy();
  });

  it("loses nothing that it acknowledged when it is stopped in the middle of traffic", { timeout: 120_000 }, async () => {
    const owner = await connectNative(server());
    const queues: TestQueue[] = [];
    for (let i = 0; i < 4; i++) queues.push(await makeQueue(owner, { change: { subscribe: false } }));
    const acknowledged = new Map(queues.map((queue) => [queue, [] as string[]]));
    const senders = queues.map(async (queue) => {
      const client = await connectNative(server());
      for (let i = 0; i < 120; i++) {
        const text = `message ${i}`;
        const answer = await send(client, queue, text).catch(() => null);
        if (answer === null) return;
        if (answer.tag === "OK") acknowledged.get(queue)?.push(text);
      }
    });
    const total = (): number => [...acknowledged.values()].reduce((sum, texts) => sum + texts.length, 0);
    await expect.poll(total, { timeout: 30_000, interval: 5 }).toBeGreaterThan(80);
    const tlsPort = String(port());
    expect(await relay.stop()).toBe(0);
    await Promise.all(senders);
    await owner.closed;
    relay = await serve("--tls-port", tlsPort, ...withWeb());
    const reader = await connectNative(server());
    for (const queue of queues) {
      const kept = acknowledged.get(queue) ?? [];
      const received = await drain(reader, queue);
      expect(received.slice(0, kept.length)).toEqual(kept);
      // What was being sent at that moment may have arrived without its OK.
      expect(received.length - kept.length).toBeLessThanOrEqual(1);
    }
    reader.close();
  });

  it("says what is wrong in one line", async () => {
    const here = ["serve", "--data", inFolder("wrong"), "--port", "0", "--tls-port", "0"];
    for (const [args, code, text] of [
      [here, 2, "needs --host NAME"],
      [[...here, "--host", "a b"], 1, "PUBLIC_HOSTS must be host"],
      [[...here, "--host", NAME, "--https-cert", inFolder("web.crt")], 2, "belong together"],
      [[...here, "--host", NAME, "--https-cert", inFolder("web.key"), "--https-key", inFolder("web.key")], 2, "no HTTPS"],
      [[...here, "--host", NAME, "--https-cert", "none", "--https-key", "none"], 2, "--https-cert: ENOENT"],
      [["serve", "--host", NAME, "--tls-port", String(port()), "--data", inFolder("wrong")], 1, "is in use"],
    ] as const) {
      const result = await runCommand(args);
      expect(result.stderr).toContain(text);
      expect(result.stderr.trim().split("\n")).toHaveLength(1);
      expect(result.code).toBe(code);
    }
  });
});
