import { describe, expect, test } from "vitest";
import { concat, equal, utf8 } from "#crypto/bytes";
import { fingerprint } from "#crypto/certificate";
import { publicKeyOf } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import { verifySignedKey } from "#crypto/signed-key";
import { clearBlock } from "#protocol/block";
import { encode } from "#protocol/codec";
import { findChallenge, serviceResponse } from "#protocol/handshake";
import { BLOCK_SIZE } from "#protocol/limits";
import { UsageError } from "../../client/errors.ts";
import type { ConnectOptions } from "../../client/transport/connect.ts";
import { connectTo, failureOf } from "./support/connecting.ts";
import { FakeClock, settle } from "./support/fake-clock.ts";
import { FakeRouter, makeFakeIdentity } from "./support/fake-router.ts";

/** A batch with one PING. */
const PING = concat(Uint8Array.of(1, 0, 8, 0, 1, 0x41, 0), utf8("PING"));

describe("a relay that proves who it is", () => {
  test("is greeted with its own key hash and a fresh key", async () => {
    const router = new FakeRouter();
    const channel = await connectTo(router);
    const { clientHello } = router.session;
    expect(channel.version).toBe(19);
    const { keyHash } = router.server;
    expect(clientHello).toMatchObject({ version: 19, keyHash, proxyServer: false, service: null });
    expect(clientHello?.authPubKey?.algorithm).toBe("X25519");
    expect(channel.sessionId).toEqual(router.session.hello.sessionId);
    expect(channel.routerKey).toEqual(router.session.sessionKeys.publicKey);
  });

  test("may have Ed448 certificates", async () => {
    await expect(connectTo(new FakeRouter(makeFakeIdentity("Ed448")))).resolves.toMatchObject({ version: 19 });
  });

  test("gets another challenge on every connection", async () => {
    const router = new FakeRouter();
    await connectTo(router);
    await connectTo(router);
    const challenges = router.sessions.map(({ socket }) => findChallenge(socket.url));
    expect(challenges.every((challenge) => challenge?.length === 32)).toBe(true);
    expect(challenges[0]).not.toEqual(challenges[1]);
  });

  test.each([6, 7, 8, 9, 11, 14, 16, 19])("is spoken to in version %i", async (version) => {
    const router = new FakeRouter();
    const channel = await connectTo(router, { versions: { min: 6, max: version } });
    expect(channel.version).toBe(version);
    expect(channel.routerKey === null).toBe(version < 7);
    expect(router.session.clientHello?.version).toBe(version);
    const content = Uint8Array.of(1, 0, 0);
    router.session.sendContent(content);
    expect((await channel.contents[Symbol.asyncIterator]().next()).value).toEqual(content);
  });

  test("carries blocks both ways, each with its own key", async () => {
    const router = new FakeRouter();
    const channel = await connectTo(router);
    router.session.sendContent(Uint8Array.of(1));
    router.session.sendContent(Uint8Array.of(2));
    const contents = channel.contents[Symbol.asyncIterator]();
    expect((await contents.next()).value).toEqual(Uint8Array.of(1));
    expect((await contents.next()).value).toEqual(Uint8Array.of(2));
    await channel.send(PING);
    await channel.send(PING);
    const [, first, second] = router.session.socket.sent;
    expect(equal(first ?? PING, second ?? PING)).toBe(false);
    expect(router.session.commands).toEqual(["PING", "PING"]);
  });
});

describe("where to connect", () => {
  const urlFor = async (more: Partial<ConnectOptions>): Promise<string> => {
    const router = new FakeRouter();
    await connectTo(router, more).catch(() => undefined);
    return router.sessions[0]?.socket.url.replace(/=.*/, "=") ?? "";
  };
  const keyHash = randomBytes(32);

  test.each([
    [["relay.example.org"], "", "wss://relay.example.org/?challenge="],
    [["relay.example.org"], "5223", "wss://relay.example.org:5223/?challenge="],
    [["abc.onion", "relay.example.org"], "", "wss://relay.example.org/?challenge="],
    [["127.0.0.1"], "8787", "ws://127.0.0.1:8787/?challenge="],
    [["localhost"], "8787", "ws://localhost:8787/?challenge="],
    [["[::1]"], "8787", "ws://[::1]:8787/?challenge="],
    [["::1"], "8787", "ws://[::1]:8787/?challenge="],
    [["2001:db8::1"], "", "wss://[2001:db8::1]/?challenge="],
  ])("%j port '%s': %s", async (hosts, port, url) => {
    expect(await urlFor({ server: { hosts, port, keyHash } })).toBe(url);
  });

  test("an explicit URL keeps its path and loses its query", async () => {
    expect(await urlFor({ url: "ws://10.0.0.1:99/x?challenge=old#y" })).toBe("ws://10.0.0.1:99/x?challenge=");
  });

  test("what is no WebSocket URL is a mistake of the caller", async () => {
    await expect(connectTo(new FakeRouter(), { url: "https://relay.example.org" })).rejects.toBeInstanceOf(UsageError);
    const onion = { hosts: ["abc.onion"], port: "", keyHash };
    await expect(connectTo(new FakeRouter(), { server: onion })).rejects.toBeInstanceOf(UsageError);
  });
});

describe("frames and silence", () => {
  test.each([
    ["short", new Uint8Array(BLOCK_SIZE - 1)],
    ["oversize", new Uint8Array(BLOCK_SIZE + 1)],
    ["empty", new Uint8Array(0)],
    ["text", "#".repeat(BLOCK_SIZE)],
  ])("a %s message ends the handshake", async (_name, data) => {
    const router = new FakeRouter();
    router.welcome = ({ socket }) => {
      socket.open();
      socket.deliver(data);
    };
    expect((await failureOf(connectTo(router))).failure).toBe("malformed");
    expect(router.session.socket.closedWith?.code).toBe(4002);
  });

  test("a block of garbage is no hello", async () => {
    const router = new FakeRouter();
    router.welcome = ({ socket }) => {
      socket.open();
      socket.deliver(concat(Uint8Array.of(0, 40), randomBytes(BLOCK_SIZE - 2)));
    };
    expect((await failureOf(connectTo(router))).failure).toBe("malformed");
  });

  test("silence ends in a time-out that may be retried", async () => {
    const router = new FakeRouter();
    const clock = new FakeClock();
    router.welcome = ({ socket }) => socket.open();
    const failing = failureOf(connectTo(router, { clock }));
    await clock.advance(14_999);
    expect(router.session.socket.closedWith).toBeNull();
    await clock.advance(1);
    expect(await failing).toMatchObject({ failure: "timeout", retryable: true });
    expect(router.session.socket.closedWith).not.toBeNull();
    expect(clock.waiting).toBe(0);
  });

  test("a connection that fails may be retried", async () => {
    const router = new FakeRouter();
    router.welcome = ({ socket }) => socket.emit({ type: "error", message: "no route" });
    expect(await failureOf(connectTo(router))).toMatchObject({ failure: "unreachable", retryable: true });
  });

  test("the caller may give up", async () => {
    const router = new FakeRouter();
    router.welcome = () => undefined;
    const abortion = new AbortController();
    const failing = failureOf(connectTo(router, { signal: abortion.signal }));
    await settle();
    abortion.abort();
    expect((await failing).failure).toBe("aborted");
    expect((await failureOf(connectTo(router, { signal: abortion.signal }))).failure).toBe("aborted");
    expect(router.sessions.length).toBe(1);
  });

  test("a bad frame after the handshake ends the channel", async () => {
    const router = new FakeRouter();
    const channel = await connectTo(router);
    router.session.socket.deliver(new Uint8Array(10));
    expect((await channel.closed).violation).toContain("10 bytes");
    expect((await channel.contents[Symbol.asyncIterator]().next()).done).toBe(true);
  });

  test("a block that does not open ends the channel", async () => {
    const router = new FakeRouter();
    const channel = await connectTo(router);
    router.session.socket.deliver(randomBytes(BLOCK_SIZE));
    expect((await channel.contents[Symbol.asyncIterator]().next()).done).toBe(true);
    expect((await channel.closed).violation).toContain("does not open");
  });

  test("the relay's close is told with its code", async () => {
    const router = new FakeRouter();
    const channel = await connectTo(router);
    router.session.socket.drop(1012, "updated");
    expect(await channel.closed).toEqual({ code: 1012, reason: "updated", violation: null });
  });

  test("a sender waits while the socket is full", async () => {
    const router = new FakeRouter();
    const clock = new FakeClock();
    const channel = await connectTo(router, { clock });
    router.session.socket.bufferedAmount = 100 * BLOCK_SIZE;
    let isDone = false;
    void channel.send(PING).then(() => (isDone = true));
    await clock.advance(100);
    expect(isDone).toBe(false);
    router.session.socket.bufferedAmount = 0;
    await clock.advance(100);
    expect(isDone).toBe(true);
  });
});

describe("services", () => {
  const service = makeFakeIdentity();
  const credentials = { role: "messaging", certChain: service.certChain, key: service.key } as const;

  test("show their certificate, sign a session key and wait for the third block", async () => {
    const router = new FakeRouter();
    const connecting = connectTo(router, { service: credentials });
    await settle();
    const serviceId = randomBytes(24);
    router.session.socket.deliver(clearBlock(encode(serviceResponse, { type: "accepted", serviceId })));
    const channel = await connecting;
    expect(channel.service?.serviceId).toEqual(serviceId);
    expect(channel.service?.fingerprint).toEqual(fingerprint(service.certChain[1] ?? serviceId));
    const offered = router.session.clientHello?.service;
    expect(offered?.role).toBe("messaging");
    const signedKey = offered?.certChainPubKey.signedKey ?? serviceId;
    const signed = verifySignedKey(signedKey, publicKeyOf(service.key), "Ed25519");
    expect(channel.service && publicKeyOf(channel.service.sessionKey)).toEqual(signed);
    router.session.sendContent(Uint8Array.of(7));
    expect((await channel.contents[Symbol.asyncIterator]().next()).value).toEqual(Uint8Array.of(7));
  });

  test("are told when the relay refuses them", async () => {
    const router = new FakeRouter();
    const failing = failureOf(connectTo(router, { service: credentials }));
    await settle();
    const error = { type: "handshake", handshakeErr: { type: "BAD_SERVICE" } } as const;
    router.session.socket.deliver(clearBlock(encode(serviceResponse, { type: "rejected", error })));
    expect((await failing).failure).toBe("refused");
  });

  test("are told when the relay hangs up on them", async () => {
    const router = new FakeRouter();
    const failing = failureOf(connectTo(router, { service: credentials }));
    await settle();
    router.session.socket.drop(1008);
    expect((await failing).failure).toBe("refused");
  });

  test("need version 16", async () => {
    const failing = failureOf(connectTo(new FakeRouter(), { service: credentials, versions: { min: 6, max: 15 } }));
    expect((await failing).failure).toBe("version");
  });
});
