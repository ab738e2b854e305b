import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { generateKeyPair } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import { encode } from "#protocol/codec";
import { ntfBlock, packNtf } from "#protocol/ntf/block";
import { ntfClientHello } from "#protocol/ntf/handshake";
import { NTF_BLOCK_SIZE } from "#protocol/ntf/limits";
import { BLOCK_SIZE } from "#protocol/limits";
import { GatewayBench } from "../support/gateway-bench.ts";
import { connectNtfNative, NTF_ALPN } from "../support/ntf-native.ts";
import { namedNtf } from "../support/ntf-wire-client.ts";
import { connectTls } from "../support/tls-client.ts";
import { named } from "../support/wire-client.ts";

const NOBODY = { provider: "apns_null", token: "test_ntf_token" } as const;

describe("an official app that looks for a notification server at a gateway", () => {
  const bench = GatewayBench.use();

  it("finds everything that it verifies, and then the notification server", async () => {
    const app = await connectNtfNative(bench.server);
    expect(app.hello).toMatchObject({ versions: { min: 1, max: 3 }, webIdentityProof: null });
    expect(app.hello.signedKey).not.toBeNull();
    expect(namedNtf(await app.ask({ tag: "PING" }))).toBe("PONG");
    const keys = generateKeyPair("Ed25519");
    const dhKey = generateKeyPair("X25519").publicKey;
    const made = await app.ask({ tag: "TNEW", token: NOBODY, verifyKey: keys.publicKey, dhKey }, keys.secretKey);
    if (made.tag !== "IDTKN") throw new Error(namedNtf(made));
    const status = async (): Promise<string> => namedNtf(await app.ask({ tag: "TCHK" }, keys.secretKey, made.tokenId));
    await expect.poll(status, { message: "once the push with the code is out" }).toBe("CONFIRMED");
    const stranger = generateKeyPair("Ed25519").secretKey;
    expect(namedNtf(await app.ask({ tag: "TCHK" }, stranger, made.tokenId))).toBe("ERR AUTH");
    expect(namedNtf(await app.ask({ tag: "TDEL" }, keys.secretKey, made.tokenId))).toBe("OK");
    app.close();
  });

  it.each([1, 2, 3])("speaks version %i as well", async (version) => {
    const app = await connectNtfNative(bench.server, version);
    // Before version 2 there were signatures only.
    const keys = generateKeyPair(version === 1 ? "Ed25519" : "X25519");
    const dhKey = generateKeyPair("X25519").publicKey;
    const command = { tag: "TNEW", token: NOBODY, verifyKey: keys.publicKey, dhKey } as const;
    expect((await app.ask(command, keys.secretKey)).tag).toBe("IDTKN");
    app.close();
  });

  it("shares the port with SMP: what is offered in TLS tells them apart", async () => {
    const [smp, ntf] = await Promise.all([bench.connect(), connectNtfNative(bench.server)]);
    expect(named(await smp.ask({ tag: "PING" }, null))).toBe("PONG");
    expect(namedNtf(await ntf.ask({ tag: "PING" }))).toBe("PONG");
    for (const ALPNProtocols of [[], ["smp/1", ...NTF_ALPN], ["http/1.1"]]) {
      const socket = await connectTls(bench.server, { ALPNProtocols });
      let length = 0;
      socket.on("data", (chunk: Buffer) => (length += chunk.length));
      await expect.poll(() => length).toBe(BLOCK_SIZE);
      socket.destroy();
    }
    for (const client of [smp, ntf]) client.close();
  });

  it("has its blocks in order, however they are cut on the way", async () => {
    const app = await connectNtfNative(bench.server);
    const corrIds = Array.from({ length: 200 }, () => randomBytes(24));
    const pings = corrIds.map((corrId) => app.transmission({ tag: "PING" }, null, undefined, corrId));
    const blocks = pings.flatMap((ping) => packNtf(app.version, [ping]).map(ntfBlock));
    const stream = Buffer.concat(blocks);
    expect(stream).toHaveLength(200 * NTF_BLOCK_SIZE);
    const sizes = [1, 2, 5, 511, 512, 513, 4_000, 20_000];
    for (let at = 0, i = 0; at < stream.length; i++) {
      const end = Math.min(stream.length, at + (sizes[i % sizes.length] ?? 1));
      app.socket.send(stream.subarray(at, end));
      at = end;
    }
    for (const corrId of corrIds) {
      const { corrId: answered, answer } = await app.next();
      expect(namedNtf(answer)).toBe("PONG");
      expect(answered).toEqual(corrId);
    }
    app.close();
  });

  it("is let go when it expects another server, speaks another version or no NTF at all", async () => {
    const nonsense = [Buffer.alloc(NTF_BLOCK_SIZE), randomBytes(NTF_BLOCK_SIZE), randomBytes(BLOCK_SIZE)];
    for (const bytes of nonsense) {
      const app = await connectNtfNative(bench.server, null);
      app.socket.send(bytes);
      await app.closed;
    }
    const late = await connectNtfNative(bench.server, 4);
    await late.closed;
    const stranger = ntfBlock(encode(ntfClientHello, { version: 3, keyHash: randomBytes(32) }));
    const mistaken = await connectNtfNative(bench.server, null);
    mistaken.socket.send(stranger);
    await mistaken.closed;
    const fine = await connectNtfNative(bench.server);
    expect(namedNtf(await fine.ask({ tag: "PING" }))).toBe("PONG");
    fine.close();
  });

  it("is let go when the gateway stops", async () => {
    const gateway = await bench.gatewayFor(bench.relay.info.url);
    const app = await connectNtfNative(bench.serverAt(gateway));
    await gateway.stop();
    await app.closed;
    expect([gateway.clients, gateway.connections]).toEqual([0, 0]);
  });
});

describe("a relay whose notification server is off", () => {
  const bench = GatewayBench.use({}, { PUSH: "off" });

  it("closes the connections of those who ask for it, tells the operator why, and goes on with SMP", async () => {
    const socket = await connectTls(bench.server, { ALPNProtocols: NTF_ALPN });
    socket.resume();
    await once(socket, "close");
    await expect.poll(() => bench.troubles).toContainEqual(expect.stringContaining("switched off"));
    const smp = await bench.connect();
    expect(named(await smp.ask({ tag: "PING" }, null))).toBe("PONG");
    smp.close();
  });
});
