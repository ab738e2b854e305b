import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { equal } from "#crypto/bytes";
import { fingerprint, issueCaCertificate, issueServerCertificate, pem } from "#crypto/certificate";
import { encodeSecretKey, generateKeyPair } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import { packBatches } from "#protocol/transmission";
import { parseIdentity, toIdentityFile } from "../../src/relay/identity.ts";
import { GatewayBench } from "../support/gateway-bench.ts";
import { acknowledge, makeQueue, open, send, subscribe } from "../support/queue-user.ts";
import { runCommand } from "../support/relay-process.ts";
import { connectNative, connectTls, peerChain } from "../support/tls-client.ts";
import { named, type WireClient } from "../support/wire-client.ts";

const bench = GatewayBench.use();

/** A queue, a message, its receipt: all that messaging is. */
async function converse(recipient: WireClient, sender: WireClient, text: string): Promise<void> {
  const queue = await makeQueue(recipient);
  expect(named(await send(sender, queue, text))).toBe("OK");
  const received = open(queue, (await recipient.event(queue.ids.rcvId)).message);
  expect(received.text).toBe(text);
  expect(named(await acknowledge(recipient, queue, received.msgId))).toBe("OK");
}

describe("an official app at a gateway", () => {
  it("finds everything that it verifies, and then a relay", async () => {
    const recipient = await bench.connect();
    expect(recipient.hello.versions).toEqual({ min: 6, max: 19 });
    expect(recipient.hello.sessionId).toHaveLength(32);
    expect(recipient.hello.webIdentityProof).toBeNull();
    const sender = await bench.connect();
    expect(equal(sender.hello.sessionId, recipient.hello.sessionId)).toBe(false);
    await converse(recipient, sender, "through TLS");
    const queue = await makeQueue(recipient);
    expect(named(await subscribe(sender, queue))).toBe("SOK");
    for (const client of [recipient, sender]) client.close();
  });

  it("is shown a chain that OpenSSL takes with the identity as its only anchor", async () => {
    const seen = await connectTls(bench.server);
    const [leaf = new Uint8Array(), identity = new Uint8Array(), ...more] = peerChain(seen);
    expect(more).toEqual([]);
    expect(fingerprint(identity)).toEqual(bench.server.keyHash);
    seen.destroy();
    const ca = new X509Certificate(identity).toString();
    const options = { ca, rejectUnauthorized: true, checkServerIdentity: () => undefined };
    const verified = await connectTls(bench.server, options);
    expect(verified.authorized).toBe(true);
    expect(verified.getProtocol()).toBe("TLSv1.3");
    expect(verified.getCipher().name).toBe("TLS_CHACHA20_POLY1305_SHA256");
    expect(verified.getEphemeralKeyInfo()).toMatchObject({ name: "X448" });
    expect(verified.getPeerX509Certificate()?.raw).toEqual(Buffer.from(leaf));
    verified.destroy();
    const { publicKey, secretKey } = generateKeyPair("Ed25519");
    const other = new X509Certificate(issueCaCertificate(publicKey, secretKey, Date.now())).toString();
    await expect(connectTls(bench.server, { ...options, ca: other })).rejects.toThrow("self-signed");
  });

  it("gets a new session each time, even when it asks for its last one", async () => {
    const first = await connectTls(bench.server);
    const [session] = await once(first, "session") as [Buffer];
    const second = await connectTls(bench.server, { session });
    expect(second.isSessionReused()).toBe(false);
    expect(peerChain(second)).toHaveLength(2);
    expect(second.getFinished()).not.toEqual(first.getFinished());
    for (const socket of [first, second]) socket.destroy();
  });

  it("may come without ALPN, and is then offered version 6 alone", async () => {
    const tls = { ALPNProtocols: [] };
    const old = await bench.connect({ version: 6, tls });
    expect(old.hello.versions).toEqual({ min: 6, max: 6 });
    expect(old.hello.authPubKey).toBeNull();
    await converse(old, await bench.connect({ version: 6, tls }), "as in 2023");
    await converse(old, await bench.connect(), "from old to new");
    const wrong = await bench.connect({ version: 19, keyless: true, tls });
    await wrong.closed;
    old.close();
  });

  it("may come as by a web port", async () => {
    const client = await bench.connect({ tls: { ALPNProtocols: ["http/1.1"] } });
    expect(client.hello.versions).toEqual({ min: 6, max: 19 });
    await converse(client, client, "to myself");
    client.close();
  });

  it("may be a service that shows its certificate", async () => {
    const key = generateKeyPair("Ed25519");
    const certificate = issueCaCertificate(key.publicKey, key.secretKey, Date.now());
    const service = { role: "messaging", certificate, key, fingerprint: fingerprint(certificate) } as const;
    // Official services make themselves known only to who asks for their certificate in TLS.
    const tls = { cert: pem("CERTIFICATE", certificate), key: pem("PRIVATE KEY", encodeSecretKey(key.secretKey)) };
    const client = await bench.connect({ service, tls });
    expect(client.serviceResponse?.type).toBe("accepted");
    client.close();
  });

  it("meets those who come over a WebSocket", async () => {
    const web = await bench.relay.connect();
    const native = await bench.connect();
    await converse(web, native, "from TLS to WebSocket");
    await converse(native, web, "and back");
    for (const client of [web, native]) client.close();
  });

  it("has its blocks in order, however they are cut on the way", async () => {
    const client = await bench.connect();
    const corrIds = Array.from({ length: 300 }, () => randomBytes(24));
    const pings = corrIds.map((corrId) => client.transmission({ tag: "PING" }, null, undefined, corrId));
    const stream = Buffer.concat(pings.flatMap((ping) => packBatches([ping])).map((content) => client.seal(content)));
    const sizes = [1, 2, 5, 16_383, 16_384, 16_385, 40_000, 100_000];
    for (let at = 0, i = 0; at < stream.length; i++) {
      const end = Math.min(stream.length, at + (sizes[i % sizes.length] ?? 1));
      client.socket.send(stream.subarray(at, end));
      at = end;
    }
    for (const corrId of corrIds) {
      const { corrId: answered, message } = await client.next();
      expect(named(message)).toBe("PONG");
      expect(answered).toEqual(corrId);
    }
    client.close();
  });
});

describe("a gateway", () => {
  it("turns away who finds all places taken, and lets go of everybody when it is stopped", async () => {
    const gateway = await bench.gatewayFor(bench.relay.info.url, { maxConnections: 2 });
    const server = bench.serverAt(gateway);
    const [first, second] = [await connectNative(server), await connectNative(server)];
    await expect(connectTls(server)).rejects.toThrow();
    await expect.poll(() => bench.troubles).toContainEqual(expect.stringContaining("--max-connections"));
    first.close();
    await expect.poll(() => gateway.connections).toBe(1);
    const third = await connectNative(server);
    await converse(third, second, "there is room again");
    await gateway.stop();
    await Promise.all([second.closed, third.closed]);
    expect([gateway.clients, gateway.connections]).toEqual([0, 0]);
    await expect(connectTls(server)).rejects.toThrow("ECONNREFUSED");
  });
});

describe("a relay that comes back with another online certificate", () => {
  it("has a gateway that takes it over by itself", { timeout: 60_000 }, async () => {
    const other = await connectTls(bench.server);
    const former = peerChain(other);
    other.destroy();
    await bench.restartRelay(async (data) => {
      const { stdout } = await runCommand(["identity", "export", "--data", data]);
      const identity = parseIdentity(stdout, Date.now());
      const { caCertificate, caKey } = identity;
      if (!caKey) throw new Error("the CA key is not there");
      const online = generateKeyPair("Ed25519");
      const issuer = { certificate: caCertificate, secretKey: caKey };
      const certificate = issueServerCertificate(online.publicKey, "relay.example.org", issuer, Date.now());
      const file = join(data, "renewed.json");
      writeFileSync(file, JSON.stringify(toIdentityFile({ ...identity, certificate, key: online.secretKey })));
      expect((await runCommand(["identity", "import", "--data", data, file])).code).toBe(0);
    });
    // The first to come finds the former certificate and is sent away; apps try again by themselves.
    await expect(bench.connect()).rejects.toThrow("closed");
    await expect.poll(() => bench.troubles).toContainEqual(expect.stringContaining("another certificate"));
    const client = await bench.connect();
    await converse(client, client, "under the new certificate");
    client.close();
    const seen = await connectTls(bench.server);
    expect(peerChain(seen)[0]).not.toEqual(former[0]);
    expect(peerChain(seen)[1]).toEqual(former[1]);
    seen.destroy();
  });
});

describe("a relay with Ed448 certificates, as the official server can make them", () => {
  const ca = generateKeyPair("Ed448");
  const online = generateKeyPair("Ed448");
  const caCertificate = issueCaCertificate(ca.publicKey, ca.secretKey, Date.now());
  const issuer = { certificate: caCertificate, secretKey: ca.secretKey };
  const identity = {
    caCertificate,
    caKey: null,
    certificate: issueServerCertificate(online.publicKey, "relay.example.org", issuer, Date.now()),
    key: online.secretKey,
    idSecret: randomBytes(32),
  };
  const other = GatewayBench.use({}, { RELAY_IDENTITY: JSON.stringify(toIdentityFile(identity)) });

  it("has a gateway too", async () => {
    const client = await connectNative(other.server);
    await converse(client, client, "with longer signatures");
    client.close();
  });
});
