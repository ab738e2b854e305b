import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { connect, type ConnectionOptions } from "node:tls";
import { describe, expect, it } from "vitest";
import { randomBytes } from "#crypto/random";
import { peekServerName } from "../../src/node/gateway/client-hello.ts";
import { OFFICIAL_TLS } from "../support/tls-client.ts";

/** The first bytes that a TLS client sends. */
async function helloOf(options: ConnectionOptions): Promise<Buffer> {
  const server = createServer();
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const client = connect({ host: "127.0.0.1", port, rejectUnauthorized: false, ...options });
  client.on("error", () => undefined);
  const [socket] = await once(server, "connection");
  const [bytes] = await once(socket, "data") as [Buffer];
  client.destroy();
  socket.destroy();
  server.close();
  return bytes;
}

/** The same handshake message in records of so many bytes. */
function inRecords(hello: Buffer, size: number): Buffer {
  const message = hello.subarray(5);
  const records: Buffer[] = [];
  for (let at = 0; at < message.length; at += size) {
    const part = message.subarray(at, at + size);
    records.push(Buffer.of(22, 3, 1, part.length >> 8, part.length & 0xff), part);
  }
  return Buffer.concat(records);
}

describe("the first bytes of a TLS client", () => {
  it("tell whether it names the server: browsers do, official apps do not", async () => {
    expect(peekServerName(await helloOf({ servername: "relay.example.org" }))).toBe("named");
    expect(peekServerName(await helloOf({ servername: "relay.example.org", ALPNProtocols: ["http/1.1"] }))).toBe("named");
    expect(peekServerName(await helloOf({ servername: "a.example", maxVersion: "TLSv1.2" }))).toBe("named");
    expect(peekServerName(await helloOf(OFFICIAL_TLS))).toBe("nameless");
    expect(peekServerName(await helloOf({ ...OFFICIAL_TLS, ALPNProtocols: [] }))).toBe("nameless");
  });

  it("tell it only once they are all there, in how many records they come", async () => {
    for (const [options, verdict] of [[{ servername: "relay.example.org" }, "named"], [OFFICIAL_TLS, "nameless"]] as const) {
      const hello = await helloOf(options);
      for (const size of [1, 7, 100, 16_000]) {
        const bytes = inRecords(hello, size);
        expect(peekServerName(bytes)).toBe(verdict);
        for (let length = 0; length < bytes.length; length += size < 7 ? 13 : 1) {
          expect(peekServerName(bytes.subarray(0, length))).toBe("more");
        }
      }
    }
  });

  it("may be anything: TLS will say what is wrong", async () => {
    const hello = await helloOf({ servername: "relay.example.org" });
    expect(peekServerName(Buffer.from("GET / HTTP/1.1\r\n"))).toBe("nameless");
    expect(peekServerName(Buffer.alloc(20_000, 22))).toBe("nameless");
    for (let i = 0; i < 2000; i++) {
      const changed = Buffer.from(hello);
      const [at = 0, value = 0] = [(i * 7919) % changed.length, randomBytes(1)[0]];
      changed[at] = value;
      expect(["named", "nameless", "more"]).toContain(peekServerName(changed));
    }
  });
});
