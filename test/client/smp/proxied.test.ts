import { describe, expect, test } from "vitest";
import { EMPTY, fromHex, hex } from "#crypto/bytes";
import { type AuthAlgorithm, generateKeyPair } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import { authContext, isAuthorizedBy } from "#protocol/authorize";
import { decodeMessage, encodeCommand, type Message } from "#protocol/commands";
import type { BrokerError, ErrorType, ProxyError as ProxyAnswer } from "#protocol/errors";
import {
  ProtocolError,
  ProxyError,
  type ProxyFailure,
  TimeoutError,
  UnexpectedAnswerError,
  UsageError,
} from "../../../client/errors.ts";
import { getLink, secureAsSender, secureLink, send } from "../../../client/smp/calls.ts";
import { ProxiedRelay, type ProxiedRelayOptions } from "../../../client/smp/proxied-relay.ts";
import { proxyFailureOf } from "../../../client/smp/proxy-failure.ts";
import { openAnswer, type ProxySession, sealCommand } from "../../../client/smp/proxy-session.ts";
import { RelayConnection } from "../../../client/smp/relay-connection.ts";
import { authKeyFrom, wire, x25519From } from "../../support/vectors.ts";
import { FakeDestination, forwardTo } from "../support/fake-destination.ts";
import { FakeClock, settle } from "../support/fake-clock.ts";
import { type FakeRequest, FakeRouter, makeFakeIdentity } from "../support/fake-router.ts";
import { id, OK } from "../support/client-world.ts";

interface World {
  readonly router: FakeRouter;
  readonly destination: FakeDestination;
  readonly clock: FakeClock;
  readonly proxy: RelayConnection;
  readonly relay: ProxiedRelay;
}

const foreign = makeFakeIdentity();
const SERVER = { ...foreign.server, hosts: ["foreign.example.org"], port: "5223" };

function world(options: Partial<ProxiedRelayOptions> = {}): World {
  const router = new FakeRouter();
  const destination = new FakeDestination(foreign);
  forwardTo(router, destination);
  const clock = new FakeClock();
  const proxy = new RelayConnection({ server: router.server, openSocket: router.openSocket, clock });
  const relay = new ProxiedRelay({ proxy, server: SERVER, clock, ...options });
  return { router, destination, clock, proxy, relay };
}

const proxyErr = (error: ProxyAnswer): ErrorType => ({ type: "PROXY", proxyErr: error });
const NO_SESSION = proxyErr({ type: "NO_SESSION" });
const HOST = proxyErr({ type: "BROKER", brokerErr: { type: "HOST" } });

/** Every command of the connection so far, with all connections taken together. */
function commandsOf({ sessions }: FakeRouter): string[] {
  return sessions.flatMap(({ commands }) => commands);
}

describe("the official code's forwarded commands", () => {
  test.each(wire.proxy)("are written and their answers read in the same way, at v$version", (entry) => {
    const [keys, relayKeys] = [x25519From(entry.commandKey), x25519From(entry.relaySessionKey)];
    const session: ProxySession = {
      path: { host: "proxy", destination: "relay" },
      host: "relay",
      version: entry.version,
      sessionId: fromHex(entry.relaySessionId),
      routerKey: relayKeys.publicKey,
      service: null,
    };
    const options = { entityId: fromHex(entry.queueId), key: authKeyFrom(entry.senderAuthKey) };
    const command = { tag: "SEND", notification: true, body: fromHex(entry.body) } as const;
    const sealed = sealCommand(session, command, options, { keys, corrId: fromHex(entry.commandNonceAndCorrId) });
    expect(hex(encodeCommand(sealed.pfwd, entry.version))).toBe(entry.PFWD);
    const pres = decodeMessage(fromHex(entry.PRES), entry.version);
    if (pres.tag !== "PRES") throw new Error("the vector holds no PRES");
    expect(openAnswer(session, sealed, pres.encResponse)).toEqual(OK);
  });
});

describe("a forwarded command", () => {
  test.each<AuthAlgorithm>(["Ed25519", "Ed448", "X25519"])("is authorized for the destination's session by an %s key", async (algorithm) => {
    const { relay, router, destination } = world();
    const keys = generateKeyPair(algorithm);
    await send(relay, id(1), keys.secretKey, new Uint8Array(16_048).fill(7), true);
    const [prxy, pfwd] = router.session.requests;
    const [request] = destination.requests;
    if (!prxy || !pfwd || !request) throw new Error("nothing came");
    expect(request).toMatchObject({ entityId: id(1), version: 19, serviceSig: null, parsed: { tag: "SEND", notification: true } });
    expect(isAuthorizedBy(authContext(request, destination.sessionKeys.secretKey, null), keys.publicKey)).toBe(true);
    expect(request.corrId).toHaveLength(24);
    expect(request.corrId).toEqual(pfwd.corrId);
    expect(pfwd).toMatchObject({ authorization: null, entityId: destination.sessionId, parsed: { tag: "PFWD", version: 19 } });
    expect(prxy).toMatchObject({ authorization: null, entityId: EMPTY, parsed: { tag: "PRXY", server: SERVER, basicAuth: null } });
  });

  test("may be SEND, SKEY, LKEY and LGET", async () => {
    const { relay, destination } = world();
    const linked = { senderId: id(5), linkData: { fixedData: randomBytes(2_048), userData: randomBytes(13_824) } };
    destination.answer = ({ parsed }) => (parsed.tag === "LKEY" || parsed.tag === "LGET" ? { tag: "LNK", ...linked } : OK);
    const keys = generateKeyPair("Ed25519");
    await secureAsSender(relay, id(1), keys);
    await send(relay, id(1), keys.secretKey, EMPTY);
    await send(relay, id(1), null, EMPTY);
    expect(await secureLink(relay, id(2), keys)).toEqual(linked);
    expect(await getLink(relay, id(3))).toEqual(linked);
    expect(destination.requests.map(({ parsed }) => parsed.tag)).toEqual(["SKEY", "SEND", "SEND", "LKEY", "LGET"]);
    expect(destination.requests.map(({ authorization }) => authorization !== null)).toEqual([true, true, false, true, false]);
  });

  test("may be no other", async () => {
    const { relay, destination } = world();
    const { secretKey: key } = generateKeyPair("Ed25519");
    for (const tag of ["SUB", "DEL", "QUE", "PING"] as const) {
      await expect(relay.request({ tag }, { entityId: id(1), key })).rejects.toBeInstanceOf(UsageError);
    }
    const nested = { tag: "PRXY", server: SERVER, basicAuth: null } as const;
    await expect(relay.request(nested)).rejects.toBeInstanceOf(UsageError);
    expect(destination.requests).toEqual([]);
  });

  test("has keys and a nonce of its own, and all of them one session", async () => {
    const { relay, router, destination } = world({ password: "secret" });
    await Promise.all(Array.from({ length: 20 }, () => send(relay, id(1), null, EMPTY)));
    await send(relay, id(2), null, EMPTY);
    expect(commandsOf(router).filter((tag) => tag === "PRXY")).toHaveLength(1);
    expect(router.session.requests[0]?.parsed).toMatchObject({ basicAuth: "secret" });
    const keys = router.session.requests.flatMap(({ parsed }) => (parsed.tag === "PFWD" ? [hex(parsed.key.raw)] : []));
    expect(new Set(keys).size).toBe(21);
    expect(new Set(destination.requests.map(({ corrId }) => hex(corrId))).size).toBe(21);
  });

  test.each([
    [8, 8, 8, 16_064],
    [8, 10, 10, 16_064],
    [6, 11, 11, 16_048],
    [8, 19, 19, 16_048],
    [15, 20, 19, 16_048],
    [19, 60_000, 19, 16_048],
  ])("to a relay that speaks %i to %i is in version %i, with at most the message that fits", async (min, max, version, limit) => {
    const { relay, destination } = world();
    destination.versions = { min, max };
    await send(relay, id(1), generateKeyPair("X25519").secretKey, new Uint8Array(limit));
    expect(destination.requests[0]?.version).toBe(version);
    await expect(send(relay, id(1), null, new Uint8Array(limit + 1))).rejects.toBeInstanceOf(UsageError);
    expect(destination.requests).toHaveLength(1);
  });

  test("is refused here when it is too long together with its signature", async () => {
    const { relay, destination } = world();
    destination.versions = { min: 8, max: 8 };
    // 16,064 bytes are allowed, but not with an Ed448 signature in a box of 16,226.
    const sending = send(relay, id(1), generateKeyPair("Ed448").secretKey, new Uint8Array(16_064));
    await expect(sending).rejects.toThrow(/more than the 16224 that proxies forward/);
  });
});

describe("an address", () => {
  test.each<[Partial<typeof SERVER>, string]>([
    [{ hosts: ["\u0001", "foreign.example.org"] }, "foreign.example.org:5223 (through relay.example.org)"],
    [{ hosts: ["2001:db8::1"], port: "" }, "[2001:db8::1] (through relay.example.org)"],
    [{ hosts: ["foreign.onion"] }, "foreign.onion:5223 (through relay.example.org)"],
  ])("%j may be one of a destination", (change, host) => {
    expect(world({ server: { ...SERVER, ...change } }).relay.host).toBe(host);
  });

  test.each<[Partial<typeof SERVER>]>([
    [{ hosts: [] }],
    [{ hosts: ["\u0001"] }],
    [{ port: "x" }],
    [{ port: "0" }],
    [{ port: "65536" }],
    [{ keyHash: randomBytes(31) }],
  ])("%j is none", (change) => {
    expect(() => world({ server: { ...SERVER, ...change } })).toThrow(UsageError);
  });
});

describe("the destination's answer", () => {
  test("is told as that of the destination, errors too", async () => {
    const { relay, destination } = world();
    destination.answer = () => ({ tag: "ERR", error: { type: "AUTH" } });
    const error = await send(relay, id(1), null, EMPTY).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ProtocolError);
    expect(error).toMatchObject({ command: "SEND", error: { type: "AUTH" } });
    expect(String(error)).toContain("foreign.example.org:5223 (through relay.example.org) answered SEND with ERR AUTH");
  });

  test.each<[string, (transmission: Uint8Array) => readonly Uint8Array[]]>([
    ["names another command", (bytes) => [bytes.map((byte, i) => (i === 2 ? byte ^ 1 : byte))]],
    ["names another entity", (bytes) => [bytes.map((byte, i) => (i === 27 ? byte ^ 1 : byte))]],
    ["cannot be read", (bytes) => [bytes.slice(0, 20)]],
    ["says nothing that is known", (bytes) => [bytes.map((byte, i) => (i >= 51 ? 0x58 : byte))]],
    ["comes twice", (bytes) => [bytes, bytes]],
  ])("is unexpected when it %s", async (_name, change) => {
    const { relay, destination } = world();
    destination.change = change;
    await expect(send(relay, id(1), null, EMPTY)).rejects.toBeInstanceOf(UnexpectedAnswerError);
    destination.answer = () => ({ tag: "ERR", error: { type: "AUTH" } });
    await expect(send(relay, id(1), null, EMPTY)).rejects.toBeInstanceOf(UnexpectedAnswerError);
    destination.change = (bytes) => [bytes];
    destination.answer = () => OK;
    await send(relay, id(1), null, EMPTY);
  });

  test("of a wrong kind is unexpected", async () => {
    const { relay, destination } = world();
    for (const answer of [{ tag: "PONG" }, { tag: "LNK", senderId: id(1), linkData: { fixedData: EMPTY, userData: EMPTY } }] as Message[]) {
      destination.answer = () => answer;
      await expect(send(relay, id(1), null, EMPTY)).rejects.toBeInstanceOf(UnexpectedAnswerError);
    }
  });
});

describe("a proxy that does not forward", () => {
  const broker = (brokerErr: BrokerError): ErrorType => proxyErr({ type: "BROKER", brokerErr });
  const protocol = (protocolErr: ErrorType): ErrorType => proxyErr({ type: "PROTOCOL", protocolErr });
  const handshake = (type: "PARSE" | "IDENTITY" | "BAD_AUTH" | "BAD_SERVICE"): ErrorType =>
    broker({ type: "TRANSPORT", transportErr: { type: "handshake", handshakeErr: { type } } });

  test.each<[ProxyFailure, ErrorType[]]>([
    ["host", [HOST, broker({ type: "TRANSPORT", transportErr: { type: "version" } })]],
    ["notAllowed", [
      proxyErr({ type: "BASIC_AUTH" }),
      { type: "CMD", cmdErr: { type: "UNKNOWN" } },
      { type: "CMD", cmdErr: { type: "PROHIBITED" } },
      { type: "AUTH" },
      { type: "SERVICE" },
    ]],
    ["identity", [handshake("IDENTITY"), handshake("BAD_AUTH"), broker({ type: "TRANSPORT", transportErr: { type: "noServerAuth" } })]],
    ["unreachable", [
      broker({ type: "NETWORK", networkError: { type: "failedError" } }),
      broker({ type: "TIMEOUT" }),
      broker({ type: "NO_SERVICE" }),
      broker({ type: "RESPONSE", respErr: "BLOCK" }),
      broker({ type: "UNEXPECTED", respErr: "what" }),
      broker({ type: "TRANSPORT", transportErr: { type: "badBlock" } }),
      handshake("BAD_SERVICE"),
      handshake("PARSE"),
      protocol({ type: "INTERNAL" }),
      protocol({ type: "STORE", storeErr: "full" }),
      protocol({ type: "BLOCK" }),
      protocol({ type: "CRYPTO" }),
      { type: "INTERNAL" },
      { type: "QUOTA" },
    ]],
    ["noSession", [NO_SESSION]],
    ["refused", [
      protocol({ type: "AUTH" }),
      protocol({ type: "QUOTA" }),
      protocol({ type: "CMD", cmdErr: { type: "SYNTAX" } }),
      protocol(protocol({ type: "INTERNAL" })),
      { type: "CMD", cmdErr: { type: "SYNTAX" } },
      { type: "LARGE_MSG" },
    ]],
  ])("says so: %s", async (failure, errors) => {
    for (const error of errors) {
      expect(proxyFailureOf(error)).toBe(failure);
      for (const when of ["PRXY", "PFWD"]) {
        const { relay, router, destination } = world();
        const { answer } = router;
        router.answer = (request) => (request.parsed.tag === when ? { tag: "ERR", error } : answer(request));
        const thrown = await send(relay, id(1), null, EMPTY).catch((reason: unknown) => reason);
        expect(thrown).toBeInstanceOf(ProxyError);
        expect(thrown).toMatchObject({ failure, error, host: "relay.example.org", destination: "foreign.example.org:5223" });
        expect(destination.requests).toEqual([]);
      }
    }
  });

  test("is asked for another session when it lost the one that was used, once", async () => {
    const { relay, router, destination } = world();
    await send(relay, id(1), null, EMPTY);
    destination.sessionId = randomBytes(32);
    await send(relay, id(1), null, EMPTY);
    expect(commandsOf(router)).toEqual(["PRXY", "PFWD", "PFWD", "PRXY", "PFWD"]);
    const [, , lost, , repeated] = router.session.requests;
    expect(lost?.corrId).not.toEqual(repeated?.corrId);
    const { answer } = router;
    router.answer = (request) => (request.parsed.tag === "PFWD" ? { tag: "ERR", error: NO_SESSION } : answer(request));
    await expect(send(relay, id(1), null, EMPTY)).rejects.toMatchObject({ code: "PROXY", failure: "noSession" });
    expect(commandsOf(router).slice(5)).toEqual(["PFWD", "PRXY", "PFWD"]);
  });

  test("is not asked again for half a minute when it does not find the relay", async () => {
    const { relay, router, clock } = world();
    const { answer } = router;
    router.answer = () => ({ tag: "ERR", error: HOST });
    for (let i = 0; i < 5; i++) await expect(send(relay, id(1), null, EMPTY)).rejects.toMatchObject({ failure: "host" });
    expect(commandsOf(router)).toEqual(["PRXY"]);
    router.answer = answer;
    await clock.advance(29_000);
    await expect(send(relay, id(1), null, EMPTY)).rejects.toMatchObject({ failure: "host" });
    await clock.advance(1_000);
    await send(relay, id(1), null, EMPTY);
  });
});

describe("time and connections", () => {
  test("PRXY has as long as connecting and an answer take, PFWD as two answers", async () => {
    const { relay, router, clock, proxy } = world();
    const { answer } = router;
    const pending = new Set(["PRXY"]);
    router.answer = (request) => (pending.has(request.parsed.tag) ? null : answer(request));
    for (const [tag, patience] of [["PRXY", 25_000], ["PFWD", 20_000]] as const) {
      pending.clear();
      pending.add(tag);
      let error: unknown = null;
      const sending = send(relay, id(1), null, EMPTY).catch((reason: unknown) => (error = reason));
      await clock.advance(patience - 1);
      expect(error).toBeNull();
      await clock.advance(1);
      await sending;
      expect(error).toBeInstanceOf(TimeoutError);
      expect(error).toMatchObject({ command: tag });
    }
    proxy.dispose();
  });

  test("sessions end with the connection to the proxy", async () => {
    const { relay, router, clock } = world();
    await send(relay, id(1), null, EMPTY);
    router.session.socket.drop();
    await settle();
    await clock.advance(1_000);
    await send(relay, id(1), null, EMPTY);
    expect(router.sessions.map(({ commands }) => commands)).toEqual([["PRXY", "PFWD"], ["PRXY", "PFWD"]]);
  });

  test("a session that was asked for is waited for by all, also while the proxy is being connected to", async () => {
    const { relay, router } = world();
    const { answer } = router;
    const asked: FakeRequest[] = [];
    router.answer = (request) => {
      if (request.parsed.tag !== "PRXY") return answer(request);
      asked.push(request);
      return null;
    };
    const sendings = [send(relay, id(1), null, EMPTY), send(relay, id(2), null, EMPTY)];
    await settle();
    sendings.push(send(relay, id(3), null, EMPTY));
    await settle();
    const [prxy] = asked;
    const pkey = prxy && answer(prxy);
    if (!pkey) throw new Error("nobody asked for a session");
    router.session.send({ corrId: prxy.corrId, message: pkey });
    await Promise.all(sendings);
    expect(commandsOf(router)).toEqual(["PRXY", "PFWD", "PFWD", "PFWD"]);
  });
});
