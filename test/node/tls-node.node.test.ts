import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import type { AddressInfo, Server } from "node:net";
import { createServer, type TLSSocket, type TlsOptions } from "node:tls";
import { afterEach, describe, expect, test } from "vitest";
import { concat, equal, utf8 } from "#crypto/bytes";
import { pem } from "#crypto/certificate";
import { encodeSecretKey } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import { TlsCarrier } from "../support/tls-carrier.ts";
import { type ServerKeys, serverKeys } from "../support/tls-server.ts";
import type { Seen } from "../support/tls-talk.ts";

const SMP: TlsOptions = {
  minVersion: "TLSv1.3",
  ciphers: "TLS_CHACHA20_POLY1305_SHA256",
  ALPNProtocols: ["smp/1"],
};

const TLS_1_2: TlsOptions = { minVersion: "TLSv1.2", maxVersion: "TLSv1.2", ciphers: "ECDHE-ECDSA-CHACHA20-POLY1305" };

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function listen(server: Server): Promise<number> {
  servers.push(server);
  // What a server thinks of a client that refuses it is tested by what the client gets.
  server.on("tlsClientError", () => undefined);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

/** A TLS server of Node that presents our own certificates. */
function serverOf(keys: ServerKeys, options: TlsOptions, onConnection?: (socket: TLSSocket) => void): Server {
  const cert = keys.chain.map((der) => pem("CERTIFICATE", der)).join("");
  const key = pem("PRIVATE KEY", encodeSecretKey(keys.leaf.secretKey));
  return createServer({ cert, key, ...SMP, ...options }, (socket) => {
    socket.on("error", () => undefined);
    onConnection?.(socket);
  });
}

/** Both ends of a connection after the handshake. */
async function meet(keys: ServerKeys, options: TlsOptions = {}): Promise<{ carrier: TlsCarrier; peer: TLSSocket }> {
  const server = serverOf(keys, options);
  const port = await listen(server);
  const accepted = once(server, "secureConnection") as Promise<[TLSSocket]>;
  const carrier = await TlsCarrier.open(port, keys.fingerprint);
  expect((await carrier.settled()).error).toBeNull();
  const [peer] = await accepted;
  return { carrier, peer };
}

async function outcome(keys: ServerKeys, options: TlsOptions): Promise<Seen> {
  const carrier = await TlsCarrier.open(await listen(serverOf(keys, options)), keys.fingerprint);
  const seen = await carrier.settled();
  carrier.socket.destroy();
  return seen;
}

function repeat(bytes: Uint8Array, times: number): Uint8Array {
  return concat(...Array.from({ length: times }, () => bytes));
}

/** Waits until so many bytes came. */
async function take(socket: TLSSocket, length: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for (let had = 0; had < length;) {
    const [piece] = await once(socket, "data") as [Buffer];
    pieces.push(Uint8Array.from(piece));
    had += piece.length;
  }
  return concat(...pieces);
}

describe.each(["Ed25519", "Ed448"] as const)("a TLS server of Node with our certificates of %s", (algorithm) => {
  const keys = serverKeys(algorithm, Date.now() - 60_000);

  test("sees the same channel binding, the same protocol and no server name", async () => {
    const { carrier, peer } = await meet(keys);
    const { session } = carrier.seen;
    expect(session?.certificates).toStrictEqual(keys.chain);
    expect(session?.channelBinding).toStrictEqual(Uint8Array.from(peer.getPeerFinished() ?? []));
    expect([peer.getProtocol(), peer.getCipher().name]).toStrictEqual(["TLSv1.3", "TLS_CHACHA20_POLY1305_SHA256"]);
    expect([peer.alpnProtocol, "servername" in peer && peer.servername]).toStrictEqual(["smp/1", false]);
    peer.destroy();
  });

  test("sees it too when it asks for a certificate, and gets none", async () => {
    const { carrier, peer } = await meet(keys, { requestCert: true, rejectUnauthorized: false });
    expect(carrier.seen.session?.channelBinding).toStrictEqual(Uint8Array.from(peer.getPeerFinished() ?? []));
    expect(peer.getPeerCertificate()).toStrictEqual({});
    peer.destroy();
  });

  test("that insists on a certificate refuses, which the client is told", async () => {
    const server = serverOf(keys, { requestCert: true, rejectUnauthorized: true });
    const carrier = await TlsCarrier.open(await listen(server), keys.fingerprint);
    const { error } = await carrier.until((seen) => seen.error !== null);
    expect(["refused", "truncated"]).toContain(error?.failure);
  });

  test("gets and sends a megabyte, both at once", async () => {
    const { carrier, peer } = await meet(keys);
    const [up, down] = [randomBytes(60_000), randomBytes(60_000)].map((bytes) => repeat(bytes, 20)) as
      [Uint8Array, Uint8Array];
    const taken = take(peer, up.length);
    peer.write(down);
    carrier.send(up);
    expect(equal(await taken, up)).toBe(true);
    expect(equal((await carrier.until(({ data }) => data.length >= down.length)).data, down)).toBe(true);
    peer.destroy();
  });
});

describe("the end of a connection with a TLS server of Node", () => {
  const keys = serverKeys("Ed25519", Date.now() - 60_000);

  test("is one when the server ends it, after all that it sent", async () => {
    const { carrier, peer } = await meet(keys);
    // Node sends no close_notify when it ends a connection in the very moment in which it began.
    carrier.send(utf8("first words"));
    await once(peer, "data");
    peer.end("last words");
    const { data, error } = await carrier.until(({ isEnded }) => isEnded);
    expect([data, error]).toStrictEqual([utf8("last words"), null]);
    carrier.socket.destroy();
  });

  test("is noticed by the server when the client ends it", async () => {
    const { carrier, peer } = await meet(keys);
    const ended = once(peer.resume(), "end");
    carrier.send(utf8("x"));
    carrier.close();
    await ended;
    await carrier.until(({ isEnded }) => isEnded);
    carrier.socket.destroy();
  });

  test("is a truncation when the carrier breaks", async () => {
    const { carrier, peer } = await meet(keys);
    peer.write("half a sent");
    await carrier.until(({ data }) => data.length > 0);
    peer.destroy();
    const { error } = await carrier.until((seen) => seen.error !== null);
    expect(error?.failure).toBe("truncated");
  });
});

describe("servers of Node that are no servers of SMP", () => {
  const keys = serverKeys("Ed25519", Date.now() - 60_000);

  test.each([
    ["without ALPN", { ALPNProtocols: [] }, "protocol", "no_application_protocol"],
    ["with another ALPN", { ALPNProtocols: ["h2", "http/1.1"] }, "refused", "no_application_protocol"],
    ["with TLS 1.2 only", TLS_1_2, "refused", "protocol_version"],
    ["with AES only", { ciphers: "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384" }, "refused", "handshake_failure"],
    ["with P-256 only", { ecdhCurve: "P-256" }, "refused", "handshake_failure"],
    ["with X448 only", { ecdhCurve: "X448" }, "refused", "handshake_failure"],
  ] as const)("%s", async (_, options, failure, alert) => {
    const { session, error } = await outcome(keys, options as TlsOptions);
    expect([session, error?.failure, error?.alert]).toStrictEqual([null, failure, alert]);
  });

  test("of HTTP without TLS", async () => {
    const carrier = await TlsCarrier.open(await listen(createHttpServer()), keys.fingerprint);
    const { session, error } = await carrier.settled();
    expect([session, error?.failure, error?.alert]).toStrictEqual([null, "protocol", "unexpected_message"]);
  });
});
