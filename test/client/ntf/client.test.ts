import { afterEach, describe, expect, test } from "vitest";
import { fingerprint, issueCaCertificate, issueServerCertificate } from "#crypto/certificate";
import { generateKeyPair } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import { openNotificationData } from "#protocol/ntf/notification";
import type { DeviceToken } from "#protocol/ntf/token";
import * as ntf from "../../../client/ntf/calls.ts";
import { NtfConnection, type NtfOptions } from "../../../client/ntf/ntf-connection.ts";
import { FakeClock, settle } from "../support/fake-clock.ts";
import { FakeNtfServer } from "../support/fake-ntf-server.ts";
import { type FakeIdentity, makeFakeIdentity } from "../support/fake-router.ts";

const PHONE: DeviceToken = { provider: "apns_prod", token: "ab".repeat(32) };
const OTHER_PHONE: DeviceToken = { provider: "apns_prod", token: "cd".repeat(32) };
const connections: NtfConnection[] = [];

afterEach(() => {
  for (const connection of connections.splice(0)) connection.dispose();
});

const SINCE = Date.UTC(2026, 10, 1);
const authority = makeAuthority();

function makeAuthority() {
  const { publicKey, secretKey } = generateKeyPair("Ed25519");
  return { caKey: secretKey, certificate: issueCaCertificate(publicKey, secretKey, SINCE) };
}

/** Of a relay under the authority of these tests. */
function identityOf({ caKey, certificate }: typeof authority): FakeIdentity {
  const online = generateKeyPair("Ed25519");
  const leaf = issueServerCertificate(online.publicKey, "relay", { certificate, secretKey: caKey }, SINCE);
  const server = { hosts: ["relay.example.org"], port: "", keyHash: fingerprint(certificate) };
  return { certChain: [leaf, certificate], key: online.secretKey, server };
}

function world(options: Partial<NtfOptions> = {}): { server: FakeNtfServer; clock: FakeClock; connection: NtfConnection } {
  const server = new FakeNtfServer(identityOf(authority));
  const clock = new FakeClock();
  server.now = () => clock.now();
  const connection = new NtfConnection({ server: server.server, openSocket: server.openSocket, clock, ...options });
  connections.push(connection);
  return { server, clock, connection };
}

const verifyKeys = generateKeyPair("Ed25519");
const dhKeys = generateKeyPair("X25519");

async function registered(connection: NtfConnection): Promise<ntf.TokenKey & { readonly dhSecret: Uint8Array }> {
  return { ...await ntf.registerToken(connection, PHONE, verifyKeys, dhKeys), key: verifyKeys.secretKey };
}

async function activated(server: FakeNtfServer, connection: NtfConnection): Promise<ntf.TokenKey> {
  const token = await registered(connection);
  const opened = openNotificationData(token.dhSecret, server.push());
  if (opened.type !== "verification") throw new Error("no code came");
  await ntf.verifyToken(connection, token, opened.code);
  return token;
}

const queueOf = (server: FakeNtfServer) => ({ server: server.server, notifierId: randomBytes(24) });
const ping = (connection: NtfConnection): Promise<unknown> => connection.request({ tag: "PING" });

describe("a token", () => {
  test("lives from registration to deletion", async () => {
    const { server, connection } = world();
    const token = await activated(server, connection);
    expect(await ntf.checkToken(connection, token)).toBe("ACTIVE");
    await ntf.setInterval(connection, token, 20);
    await expect(ntf.setInterval(connection, token, 19)).rejects.toMatchObject({ error: { type: "QUOTA" } });
    const subId = await ntf.followQueue(connection, token, queueOf(server), generateKeyPair("Ed25519").secretKey);
    expect(await ntf.checkSubscription(connection, token, subId)).toBe("NEW");
    await ntf.replaceToken(connection, token, OTHER_PHONE);
    expect(await ntf.checkToken(connection, token)).toBe("REGISTERED");
    await ntf.deleteToken(connection, token);
    await expect(ntf.checkToken(connection, token)).rejects.toMatchObject({ code: "PROTOCOL", error: { type: "AUTH" } });
    expect(server.connections).toBe(1);
  });

  test("is the same when it is registered again with the same keys", async () => {
    const { connection } = world();
    const [first, second] = [await registered(connection), await registered(connection)];
    expect(second).toEqual(first);
  });

  test("is nobody else's", async () => {
    const { server, connection } = world();
    const token = await activated(server, connection);
    const stranger = { ...token, key: generateKeyPair("Ed25519").secretKey };
    await expect(ntf.deleteToken(connection, stranger)).rejects.toMatchObject({ error: { type: "AUTH" } });
    expect(await ntf.checkToken(connection, token)).toBe("ACTIVE");
  });
});

describe("the connection", () => {
  test("takes what is asked together in as few blocks as hold it, and every answer finds its question", async () => {
    const { server, connection } = world();
    const token = await activated(server, connection);
    const blocks = server.blocks;
    const subIds = await Promise.all(Array.from({ length: 150 }, () => {
      return ntf.followQueue(connection, token, queueOf(server), generateKeyPair("Ed25519").secretKey);
    }));
    // Two of these fit a block.
    expect(server.blocks - blocks).toBe(75);
    const statuses = await Promise.all(subIds.map((subId) => ntf.checkSubscription(connection, token, subId)));
    expect(statuses).toEqual(subIds.map(() => "NEW"));
    // Four checks fit a block.
    expect(server.blocks - blocks).toBe(75 + 38);
  });

  test("is closed when nobody needs it, and made again with what is known of the server", async () => {
    const { server, clock, connection } = world({ idle: 20_000 });
    await ping(connection);
    expect(server.router.sessions.length).toBe(1);
    await clock.advance(19_000);
    await ping(connection);
    await clock.advance(19_000);
    expect(server.sockets[0]?.closedWith).toBeNull();
    await clock.advance(2_000);
    expect(server.sockets[0]?.closedWith).toMatchObject({ code: 1000 });
    await ping(connection);
    expect([server.connections, server.router.sessions.length]).toEqual([2, 1]);
    expect(clock.waiting).toBe(1);
  });

  test("is given up when no answer comes, and the next command makes another", async () => {
    const { server, clock, connection } = world({ timeout: 10_000 });
    const token = await activated(server, connection);
    server.answer = ({ tag }) => (tag === "TCHK" ? null : undefined);
    const failures = Promise.allSettled([ntf.checkToken(connection, token), ntf.checkToken(connection, token)]);
    await clock.advance(9_000);
    // Every answer shows that the server lives.
    await ping(connection);
    await clock.advance(9_000);
    expect(server.sockets[0]?.closedWith).toBeNull();
    await clock.advance(1_001);
    for (const failure of await failures) expect(failure).toMatchObject({ reason: { code: "TIMEOUT", command: "TCHK" } });
    server.answer = () => undefined;
    expect(await ntf.checkToken(connection, token)).toBe("ACTIVE");
    expect(server.connections).toBe(2);
  });

  test("tells of its end, and of being disposed", async () => {
    const { server, connection } = world();
    const token = await activated(server, connection);
    server.answer = () => null;
    const failure = expect(ntf.checkToken(connection, token)).rejects.toMatchObject({ code: "DISCONNECTED", sent: true });
    await settle();
    server.sockets[0]?.drop(1012, "restart");
    await failure;
    connection.dispose();
    await expect(ping(connection)).rejects.toMatchObject({ code: "DISCONNECTED" });
  });

  test.each([
    ["a block of another size", (size: number) => new Uint8Array(size - 1)],
    ["a block that is malformed", (size: number) => new Uint8Array(size).fill(255)],
    ["a block that holds no answer", (size: number) => Uint8Array.of(0, 3, 1, 0, 0, ...new Uint8Array(size - 5))],
  ])("ends with %s", async (_name, forge) => {
    const { server, connection } = world();
    server.send = (socket, { length }) => socket.deliver(forge(length));
    await expect(ping(connection)).rejects.toThrow(/notification server sent|relay sent/);
    expect(server.sockets[0]?.closedWith).not.toBeNull();
  });

  test("refuses an answer about something else", async () => {
    const { server, connection } = world();
    const token = await activated(server, connection);
    server.answer = ({ tag }) => (tag === "TCHK" ? { tag: "OK" } : { tag: "TKN", status: "ACTIVE" });
    await expect(ntf.checkToken(connection, token)).rejects.toMatchObject({ code: "UNEXPECTED" });
    await expect(ping(connection)).rejects.toMatchObject({ code: "UNEXPECTED" });
  });
});

describe("the server", () => {
  test("proves that it is the one of the address", async () => {
    const { server, connection } = world();
    server.identity = { ...makeFakeIdentity(), server: server.server };
    await expect(ping(connection)).rejects.toMatchObject({ code: "CONNECT", failure: "identity" });
    const { server: shy, connection: other } = world();
    shy.proves = false;
    await expect(ping(other)).rejects.toMatchObject({ code: "CONNECT", failure: "noProof" });
    const { server: router, connection: third } = world({ server: makeFakeIdentity().server });
    await expect(ping(third)).rejects.toMatchObject({ failure: "identity" });
    expect(router.connections).toBe(0);
  });

  test("may get another certificate", async () => {
    const { server, clock, connection } = world({ idle: 1 });
    await ping(connection);
    await clock.advance(10);
    Object.assign(server.identity, identityOf(authority));
    await ping(connection);
    expect([server.connections, server.router.sessions.length]).toEqual([3, 2]);
  });

  test("is not spoken to where others can read along", async () => {
    const { server, connection } = world({ url: "ws://192.0.2.1:8080" });
    await expect(ping(connection)).rejects.toMatchObject({ code: "CONNECT", failure: "refused" });
    expect(server.blocks).toBe(0);
    const { connection: local } = world({ url: "ws://127.0.0.1:8080" });
    await ping(local);
  });
});
