import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { type IncomingMessage, request } from "node:http";
import { connect as connectTcp, type Socket as TcpSocket } from "node:net";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterEach, describe, expect, it } from "vitest";
import { generateKeyPair } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import { clearBlock, openClearBlock } from "#protocol/block";
import { readServerHello } from "#protocol/handshake";
import { BLOCK_SIZE } from "#protocol/limits";
import { packBatches } from "#protocol/transmission";
import { fromRelay } from "../../src/node/gateway/credentials.ts";
import { parseRelayUrl } from "../../src/node/gateway/relay-url.ts";
import { HANDSHAKE_TIMEOUT as RELAY_TIMEOUT } from "../../src/relay/limits.ts";
import { GATEWAY_HEADER, signGatewayClaim } from "../../src/relay/gateway-claim.ts";
import { RawSocket } from "../hostile/support/raw-socket.ts";
import { GATEWAY_TOKEN, GatewayBench } from "../support/gateway-bench.ts";
import { makeQueue, open, send } from "../support/queue-user.ts";
import { TcpProxy } from "../support/tcp-proxy.ts";
import { connectNative, connectTls } from "../support/tls-client.ts";
import { named, type WireClient } from "../support/wire-client.ts";

const HANDSHAKE_TIMEOUT = 2000;
const MB = 2 ** 20;

const bench = GatewayBench.use({ handshakeTimeout: HANDSHAKE_TIMEOUT });

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** What is in use, when all garbage has been taken away; that of buffers is done in the background. */
async function memory(kind: "heapUsed" | "arrayBuffers"): Promise<number> {
  collect();
  await pause(50);
  collect();
  return process.memoryUsage()[kind];
}

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** The process id of who serves behind the gateway. */
const workerd = (): number => Number(readFileSync(join(bench.relay.info.data, "workerd.pid"), "utf8"));

/** Whoever comes now is served, and nothing of who came before is left. */
afterEach(async () => {
  const client = await bench.connect();
  expect(named(await client.ask({ tag: "PING" }))).toBe("PONG");
  client.close();
  await expect.poll(() => [bench.gateway.clients, bench.gateway.connections], { timeout: 15_000 }).toEqual([0, 0]);
});

async function tcp(...bytes: readonly Uint8Array[]): Promise<TcpSocket> {
  const socket = connectTcp(bench.gateway.port, "127.0.0.1");
  socket.on("error", () => undefined);
  await once(socket, "connect");
  for (const part of bytes) socket.write(part);
  socket.resume();
  return socket;
}

/** Milliseconds until the other side has closed. */
async function closing(socket: TcpSocket | TLSSocket): Promise<number> {
  const start = performance.now();
  if (!socket.closed) await once(socket, "close");
  return performance.now() - start;
}

describe("who speaks another language", () => {
  it.each([
    ["another protocol", { ALPNProtocols: ["h2"] }, /no application protocol/],
    ["TLS 1.2", { maxVersion: "TLSv1.2" }, /protocol version/],
    ["another cipher", { ciphers: "TLS_AES_256_GCM_SHA384" }, /handshake failure/],
    ["another group", { ecdhCurve: "P-256" }, /handshake failure/],
    ["RSA alone", { sigalgs: "RSA-PSS+SHA256" }, /handshake failure/],
  ] as const)("is refused with an alert: %s", async (_, options, alert) => {
    await expect(connectTls(bench.server, options)).rejects.toThrow(alert);
  });

  it.each([
    ["HTTP", Buffer.from("GET / HTTP/1.1\r\nHost: relay\r\n\r\n")],
    ["a block", Buffer.from(clearBlock(randomBytes(100)))],
    ["noise", Buffer.from(randomBytes(5000))],
    ["an endless record", Buffer.concat([Buffer.of(22, 3, 1, 0xff, 0xff, 1), Buffer.alloc(70_000)])],
  ])("is let go at once: %s", async (_, bytes) => {
    expect(await closing(await tcp(bytes))).toBeLessThan(HANDSHAKE_TIMEOUT);
  });
});

describe("who says nothing", () => {
  it("is not waited for, neither before a TLS hello nor in it", async () => {
    const silent = await tcp();
    const halfway = await tcp(Buffer.of(22, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3));
    for (const socket of [silent, halfway]) {
      const waited = await closing(socket);
      expect(waited).toBeLessThan(5 * HANDSHAKE_TIMEOUT);
    }
  });

  it("is let go in the middle of the handshake though it goes on byte by byte", async () => {
    const socket = await tcp();
    socket.write(Buffer.of(22, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3));
    const drip = setInterval(() => void socket.write(Buffer.of(0)), HANDSHAKE_TIMEOUT / 10);
    const waited = await closing(socket);
    clearInterval(drip);
    expect(waited).toBeGreaterThan(HANDSHAKE_TIMEOUT / 2);
    expect(waited).toBeLessThan(3 * HANDSHAKE_TIMEOUT);
  });

  it("is let go by the relay when the SMP hello does not come, or only half of it", { timeout: 60_000 }, async () => {
    const silent = await connectTls(bench.server);
    const halfway = await connectTls(bench.server);
    halfway.write(new Uint8Array(BLOCK_SIZE / 2));
    for (const socket of [silent, halfway]) socket.resume();
    for (const waited of await Promise.all([silent, halfway].map((socket) => closing(socket)))) {
      expect(waited).toBeGreaterThan(RELAY_TIMEOUT - 1000);
      // The relay's word is passed on at once, whenever it lets go of TCP.
      expect(waited).toBeLessThan(RELAY_TIMEOUT + 5000);
    }
  });
});

describe("who sends what is no SMP", () => {
  it("is let go by the relay", async () => {
    const socket = await connectTls(bench.server);
    socket.resume();
    socket.on("error", () => undefined);
    socket.write(randomBytes(3 * BLOCK_SIZE));
    await closing(socket);
  });

  it("does not disturb others when it breaks off in the middle of a block", async () => {
    const client = await bench.connect();
    client.sendRaw(client.seal(new Uint8Array(10)).subarray(0, 5000));
    client.close();
    await client.closed;
  });
});

describe("who does not read", () => {
  const seal = (client: WireClient): Uint8Array => {
    const [content = new Uint8Array()] = packBatches([client.transmission({ tag: "PING" })]);
    return client.seal(content);
  };

  /** Writes blocks until nothing more is taken for a second; the bytes that were, and what they cost at the most. */
  async function flood(socket: TLSSocket, client: WireClient, most: number): Promise<{ bytes: number; cost: number }> {
    const start = await memory("arrayBuffers");
    let [bytes, cost] = [0, 0];
    while (bytes < most && !socket.destroyed) {
      bytes += BLOCK_SIZE;
      if (bytes % (200 * BLOCK_SIZE) === 0) cost = Math.max(cost, await memory("arrayBuffers") - start);
      if (socket.write(seal(client))) continue;
      const drained = await Promise.race([once(socket, "drain").then(() => true, () => false), pause(1000)]);
      if (drained !== true) break;
    }
    return { bytes, cost };
  }

  async function connectSeen(): Promise<{ client: WireClient; socket: TLSSocket }> {
    let socket: TLSSocket | null = null;
    const client = await connectNative(bench.server, { onSocket: (opened) => (socket = opened) });
    if (!socket) throw new Error("no socket was opened");
    return { client, socket };
  }

  it("costs little memory, and is let go after a while", { timeout: 60_000 }, async () => {
    const { client, socket } = await connectSeen();
    socket.pause();
    const { cost } = await flood(socket, client, 100 * MB);
    expect(cost).toBeLessThan(4 * MB);
    bench.gateway.check(performance.now() + 100_000);
    expect(bench.gateway.clients).toBe(1);
    bench.gateway.check(performance.now() + 130_000);
    await expect.poll(() => bench.gateway.clients).toBe(0);
    socket.resume();
    await client.closed;
  });

  it("may be the relay: then the client has to wait, and goes on when it reads again", { timeout: 60_000 }, async () => {
    const { client, socket } = await connectSeen();
    process.kill(workerd(), "SIGSTOP");
    let sent: number;
    try {
      const { bytes, cost } = await flood(socket, client, 200 * MB);
      sent = bytes / BLOCK_SIZE;
      expect(bytes).toBeLessThan(50 * MB);
      expect(cost).toBeLessThan(4 * MB);
    } finally {
      process.kill(workerd(), "SIGCONT");
    }
    for (let i = 0; i < sent; i++) expect(named((await client.next()).message)).toBe("PONG");
    client.close();
  });
});

describe("a relay that goes away", () => {
  it("takes its clients with it, and finds new ones when it is back", { timeout: 60_000 }, async () => {
    const recipient = await bench.connect();
    const queue = await makeQueue(recipient);
    expect(named(await send(recipient, queue, "kept"))).toBe("OK");
    await bench.killRelay();
    await recipient.closed;
    // TLS is the gateway's own, so that still works; behind it there is nobody.
    const socket = await connectTls(bench.server);
    socket.resume();
    await closing(socket);
    await expect.poll(() => bench.troubles).toContainEqual(expect.stringContaining("ECONNREFUSED"));
    await bench.restartRelay();
    const again = await bench.connect();
    await again.ask({ tag: "SUB" }, queue.recipientKey, queue.ids.rcvId);
    expect(open(queue, (await again.event()).message).text).toBe("kept");
    again.close();
  });

  it("is asked when it was silent for long, and not waited for when it does not answer", { timeout: 60_000 }, async () => {
    const client = await bench.connect();
    const later = (seconds: number): void => bench.gateway.check(performance.now() + seconds * 1000);
    for (const seconds of [41, 100, 200]) {
      later(seconds);
      // It has time to say that it is there.
      await client.isQuiet(300);
    }
    expect(bench.gateway.clients).toBe(1);
    process.kill(workerd(), "SIGSTOP");
    try {
      later(41);
      later(60);
      expect(bench.gateway.clients).toBe(1);
      later(100);
      await client.closed;
    } finally {
      process.kill(workerd(), "SIGCONT");
    }
  });

  it("never leaves a client with a part of a block", { timeout: 60_000 }, async () => {
    const proxy = await TcpProxy.open(Number(new URL(bench.relay.info.url).port));
    const gateway = await bench.gatewayFor(`http://127.0.0.1:${proxy.port}`);
    try {
      for (const blocks of [0.5, 1.01, 2.5, 7.9]) {
        proxy.limit = blocks * BLOCK_SIZE;
        const socket = await connectTls(bench.serverAt(gateway));
        let received = 0;
        socket.on("data", (chunk: Buffer) => (received += chunk.length));
        // Without a key blocks are clear, and any number of them can be asked for at once.
        const client = await connectNative(bench.serverAt(gateway), { keyless: true }).catch(() => null);
        for (let i = 0; i < 10; i++) client?.sendAll([client.transmission({ tag: "PING" })]);
        await client?.closed;
        socket.end();
        await closing(socket);
        expect(received % BLOCK_SIZE).toBe(0);
      }
      proxy.limit = Number.POSITIVE_INFINITY;
      const client = await connectNative(bench.serverAt(gateway));
      expect(named(await client.ask({ tag: "PING" }))).toBe("PONG");
      client.close();
      await expect.poll(() => gateway.clients).toBe(0);
    } finally {
      await gateway.stop();
      await proxy.close();
    }
  });
});

describe("a claim", () => {
  const credentials = () => fromRelay(parseRelayUrl(bench.relay.info.url), GATEWAY_TOKEN)();
  const claimOf = (time = Date.now(), alpn = true) => ({ sessionId: randomBytes(32), alpn, time });

  async function upgrade(claim: string): Promise<IncomingMessage> {
    const headers = {
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": "SGVsbG8sIHdvcmxkIQ==",
      [GATEWAY_HEADER]: claim,
    };
    const asked = request(bench.relay.info.url.replace(/^ws/, "http"), { headers }).end();
    const [response] = await once(asked, "response") as [IncomingMessage];
    return response;
  }

  it("that is forged opens no session", async () => {
    const { identity } = await credentials();
    const forged = [
      signGatewayClaim(claimOf(), generateKeyPair("Ed25519").secretKey),
      signGatewayClaim(claimOf(Date.now() - 600_000), identity.key),
      signGatewayClaim(claimOf(), identity.key).slice(0, -2),
      "no claim at all",
    ];
    for (const claim of forged) {
      const response = await upgrade(claim);
      expect(response.statusCode).toBe(403);
      expect(String(await response.setEncoding("utf8").read() ?? (await once(response, "data"))[0])).toContain("claim");
    }
  });

  it("decides the session id and the versions, and no challenge is answered with it", async () => {
    const { identity } = await credentials();
    const claim = claimOf();
    const header = `${GATEWAY_HEADER}: ${signGatewayClaim(claim, identity.key)}`;
    const challenge = `?challenge=${"A".repeat(43)}`;
    const socket = await RawSocket.open(bench.relay.info.url, challenge, [header]);
    const block = await new Promise<Uint8Array>((resolve) =>
      socket.addEventListener("message", ({ data }) => resolve(new Uint8Array(data as ArrayBuffer)))
    );
    const hello = readServerHello(openClearBlock(block));
    expect(hello.sessionId).toEqual(claim.sessionId);
    expect(hello.webIdentityProof).toBeNull();
    expect(hello.versions).toEqual({ min: 6, max: 19 });
    socket.drop();
  });
});

describe("1,000 clients that come and go", () => {
  const handles = (): number => readdirSync(`/proc/${workerd()}/fd`).length;

  async function visit(i: number): Promise<void> {
    if (i % 4 === 3) return (await connectTls(bench.server)).destroy() as unknown as void;
    const client = await bench.connect();
    if (i % 4 === 2) client.sendRaw(new Uint8Array(100));
    else expect(named(await client.ask({ tag: "PING" }))).toBe("PONG");
    client.close();
    await client.closed;
  }

  async function visits(count: number): Promise<void> {
    let next = 0;
    const visitor = async (): Promise<void> => {
      while (next < count) await visit(next++);
    };
    await Promise.all(Array.from({ length: 8 }, visitor));
    await expect.poll(() => bench.gateway.clients + bench.gateway.connections, { timeout: 15_000 }).toBe(0);
  }

  it("leave nothing behind on either side", { timeout: 120_000 }, async () => {
    await visits(200);
    await pause(1000);
    const [before, opened] = [await memory("heapUsed"), handles()];
    await visits(1000);
    expect((await memory("heapUsed") - before) / MB).toBeLessThan(4);
    await expect.poll(handles, { timeout: 15_000 }).toBeLessThanOrEqual(opened + 8);
  });
});
