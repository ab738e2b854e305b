import { describe, expect, test } from "vitest";
import { EMPTY, fromHex, hex } from "#crypto/bytes";
import { generateKeyPair, publicKeyOf, verify } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import { authContext, isAuthorizedBy } from "#protocol/authorize";
import { clearBlock } from "#protocol/block";
import { encode } from "#protocol/codec";
import type { Command, Message } from "#protocol/commands";
import { serviceResponse } from "#protocol/handshake";
import { sealNotification, sealReceivedMessage } from "#protocol/message";
import { encodeBatch } from "#protocol/transmission";
import { DisconnectedError, ProtocolError, TimeoutError, UnexpectedAnswerError, UsageError } from "../../client/errors.ts";
import { acknowledge, ping, send, subscribe, subscribeMany, subscribeService } from "../../client/smp/calls.ts";
import { type ClientOptions, SmpClient } from "../../client/smp/client.ts";
import { createQueue, openMessage, openNotification, senderIdOf } from "../../client/smp/queue.ts";
import type { ClientEvent } from "../../client/smp/request.ts";
import { connect } from "../../client/transport/connect.ts";
import { FakeClock, settle } from "./support/fake-clock.ts";
import { type FakeRequest, FakeRouter, makeFakeIdentity } from "./support/fake-router.ts";

interface World {
  readonly router: FakeRouter;
  readonly clock: FakeClock;
  readonly client: SmpClient;
  readonly events: ClientEvent[];
}

async function world(options: ClientOptions = {}, version = 19): Promise<World> {
  const router = new FakeRouter();
  const clock = new FakeClock();
  const versions = { min: 6, max: version };
  const channel = await connect({ server: router.server, openSocket: router.openSocket, clock, versions });
  const client = new SmpClient(channel, { ...options, clock });
  const events: ClientEvent[] = [];
  void (async () => {
    for await (const event of client.events) events.push(event);
  })();
  return { router, clock, client, events };
}

const key = generateKeyPair("Ed25519").secretKey;
const id = (byte: number): Uint8Array => new Uint8Array(24).fill(byte);
const OK: Message = { tag: "OK" };
const SOK: Message = { tag: "SOK", serviceId: null };
const AUTH: Message = { tag: "ERR", error: { type: "AUTH" } };
const NO_MSG: Message = { tag: "ERR", error: { type: "NO_MSG" } };
const PING: Command = { tag: "PING" };
const SUB: Command = { tag: "SUB" };
const MINUTE = 60_000;

describe("batches", () => {
  test("commands given together share a block", async () => {
    const { router, client } = await world();
    router.answer = ({ parsed }) => (parsed.tag === "PING" ? { tag: "PONG" } : SOK);
    const queues = [{ entityId: id(1), key }, { entityId: id(2), key }];
    await Promise.all([ping(client), ...queues.map((queue) => subscribe(client, queue))]);
    expect(router.session.blocks.length).toBe(1);
    expect(router.session.commands).toEqual(["PING", "SUB", "SUB"]);
  });

  test("never two commands for one entity in one block, and their order stays", async () => {
    const { router, client } = await world();
    router.answer = ({ parsed }) => (parsed.tag === "SUB" ? SOK : OK);
    const given: readonly (readonly [number, Command])[] = [
      [1, SUB],
      [1, { tag: "ACK", msgId: id(9) }],
      [2, SUB],
      [1, { tag: "OFF" }],
      [2, { tag: "DEL" }],
    ];
    await Promise.all(given.map(([entity, command]) => client.request(command, { entityId: id(entity), key })));
    const name = ({ parsed, entityId }: FakeRequest): string => `${parsed.tag}${entityId[0]}`;
    expect(router.session.blocks.map((block) => block.map(name))).toEqual([["SUB1", "SUB2"], ["ACK1", "DEL2"], ["OFF1"]]);
  });

  test("commands without an entity may share one", async () => {
    const { router, client } = await world();
    router.answer = () => ({ tag: "PONG" });
    await Promise.all([ping(client), ping(client)]);
    expect(router.session.blocks.length).toBe(1);
  });

  test("thousands of subscriptions fill blocks", async () => {
    const { router, client } = await world();
    router.answer = ({ entityId }) => (entityId[0] === 7 ? AUTH : SOK);
    const queues = Array.from({ length: 3000 }, (_, i) => ({ entityId: fromHex(i.toString(16).padStart(48, "0")), key }));
    const results = await subscribeMany(client, [...queues, { entityId: id(7), key }]);
    expect(results.filter(({ error }) => !error).length).toBe(3000);
    expect(results.at(-1)?.error).toBeInstanceOf(ProtocolError);
    expect(router.session.requests.length).toBe(3001);
    expect(router.session.blocks.length).toBeLessThan(28);
  });

  test("what comes while the socket is full waits for the next block", async () => {
    const { router, client, clock } = await world();
    router.answer = () => ({ tag: "PONG" });
    router.session.socket.bufferedAmount = 1e9;
    const first = ping(client);
    await settle();
    const more = [ping(client), ping(client)];
    await settle();
    expect(router.session.blocks.length).toBe(1);
    router.session.socket.bufferedAmount = 0;
    await clock.advance(1000);
    await Promise.all([first, ...more]);
    expect(router.session.blocks.map(({ length }) => length)).toEqual([1, 2]);
  });

  test("a command that was given up before it was written is not written", async () => {
    const { router, client, clock } = await world();
    router.session.socket.bufferedAmount = 1e9;
    const first = client.request(PING, { timeout: 60_000 });
    await settle();
    const failing = expect(client.request(SUB, { entityId: id(1), key })).rejects.toBeInstanceOf(TimeoutError);
    await clock.advance(10_000);
    await failing;
    router.session.socket.bufferedAmount = 0;
    await clock.advance(1000);
    expect(router.session.commands).toEqual(["PING"]);
    client.close();
    await expect(first).rejects.toMatchObject({ sent: true });
  });
});

describe("authorization", () => {
  const keyOf = { Ed25519: generateKeyPair("Ed25519"), Ed448: generateKeyPair("Ed448"), X25519: generateKeyPair("X25519") };

  test.each([["Ed25519", 19], ["Ed448", 19], ["X25519", 19], ["X25519", 7], ["Ed25519", 6], ["Ed448", 15]] as const)(
    "by a key of %s in version %i",
    async (algorithm, version) => {
      const { router, client } = await world({}, version);
      const { publicKey, secretKey } = keyOf[algorithm];
      let isAuthorized = false;
      router.answer = (request) => {
        const sessionKey = version >= 7 ? router.session.sessionKeys.secretKey : null;
        isAuthorized = isAuthorizedBy(authContext(request, sessionKey, null), publicKey);
        return SOK;
      };
      await subscribe(client, { entityId: id(1), key: secretKey });
      expect(isAuthorized).toBe(true);
    },
  );

  test("X25519 keys need version 7", async () => {
    const { client } = await world({}, 6);
    await expect(subscribe(client, { entityId: id(1), key: keyOf.X25519.secretKey })).rejects.toBeInstanceOf(UsageError);
  });

  test("a service signs NEW, SUB and NSUB twice, and SUBS alone", async () => {
    const router = new FakeRouter();
    const { certChain, key: leafKey } = makeFakeIdentity();
    const connecting = connect({
      server: router.server,
      openSocket: router.openSocket,
      clock: new FakeClock(),
      service: { role: "messaging", certChain, key: leafKey },
    });
    await settle();
    router.session.socket.deliver(clearBlock(encode(serviceResponse, { type: "accepted", serviceId: id(5) })));
    const client = new SmpClient(await connecting);
    const { service } = client;
    if (!service) throw new Error("the connection is no service");
    const sessionKey = publicKeyOf(service.sessionKey);
    const signed: [string, boolean, boolean][] = [];
    router.answer = (request) => {
      const { serviceSig, authorized, authorization, parsed } = request;
      const context = authContext(request, null, service.fingerprint);
      const byKey = isAuthorizedBy(context, parsed.tag === "SUBS" ? sessionKey : keyOf.Ed25519.publicKey);
      signed.push([parsed.tag, byKey, serviceSig !== null && verify(sessionKey, authorized, serviceSig)]);
      expect(authorization?.kind).toBe("Ed25519");
      return parsed.tag === "SUBS" ? { tag: "SOKS", count: 3, idsHash: id(0).slice(0, 16) } : OK;
    };
    const queue = { entityId: id(1), key: keyOf.Ed25519.secretKey };
    await subscribe(client, queue);
    await acknowledge(client, queue, id(7));
    expect((await subscribeService(client, "SUBS", { count: 3, idsHash: id(0).slice(0, 16) })).count).toBe(3);
    expect(signed).toEqual([["SUB", true, true], ["ACK", true, false], ["SUBS", true, false]]);
    client.close();
  });
});

describe("answers", () => {
  test("find their commands in any order", async () => {
    const { router, client } = await world();
    const got: FakeRequest[] = [];
    router.answer = (request) => {
      got.push(request);
      return null;
    };
    const first = client.request({ tag: "QUE" }, { entityId: id(1), key });
    const second = client.request(SUB, { entityId: id(2), key });
    await settle();
    router.session.send({ ...got[1], message: SOK }, { ...got[0], message: AUTH });
    expect(await first).toEqual(AUTH);
    expect(await second).toEqual(SOK);
  });

  test("for another entity are unexpected", async () => {
    const { router, client } = await world();
    router.answer = ({ corrId }) => {
      router.session.send({ corrId, entityId: id(2), message: OK });
      return null;
    };
    await expect(client.request({ tag: "OFF" }, { entityId: id(1), key })).rejects.toBeInstanceOf(UnexpectedAnswerError);
  });

  test("ERR without an entity is taken as the answer", async () => {
    const { router, client } = await world();
    router.answer = ({ corrId }) => {
      router.session.send({ corrId, message: { tag: "ERR", error: { type: "BLOCK" } } });
      return null;
    };
    await expect(send(client, id(1), key, EMPTY)).rejects.toMatchObject({ code: "PROTOCOL", error: { type: "BLOCK" } });
  });

  test("of a wrong kind, with or without an entity where none or one belongs, are unexpected", async () => {
    const { router, client } = await world();
    router.answer = ({ parsed }) => (parsed.tag === "PING" ? OK : { tag: "PONG" });
    await expect(ping(client)).rejects.toBeInstanceOf(UnexpectedAnswerError);
    await expect(client.request({ tag: "OFF" }, { entityId: id(1), key })).rejects.toBeInstanceOf(UnexpectedAnswerError);
    router.answer = () => ({ tag: "NID", notifierId: id(1), dhKey: generateKeyPair("X25519").publicKey });
    await expect(subscribe(client, { entityId: id(1), key })).rejects.toBeInstanceOf(UnexpectedAnswerError);
  });

  test("to nothing, unreadable ones and unreadable blocks are told as events", async () => {
    const { router, events } = await world();
    const { session } = router;
    session.send({ corrId: id(3), entityId: id(1), message: OK });
    session.send({ entityId: id(1), message: OK });
    session.send({ message: { tag: "END" } });
    session.sendContent(encodeBatch([Uint8Array.of(0, 0, 0, 0x58)]));
    session.sendContent(encodeBatch([Uint8Array.of(9)]));
    session.sendContent(Uint8Array.of(0));
    await settle();
    expect(events.map(({ type }) => type)).toEqual(Array.from({ length: 6 }, () => "unexpected"));
  });

  test("SUB may be answered by SOK, OK or MSG, and the MSG is an event", async () => {
    const { router, client, events } = await world();
    const msg: Message = { tag: "MSG", msgId: id(8), encBody: randomBytes(10) };
    const answers: Message[] = [{ tag: "SOK", serviceId: id(4) }, OK, msg];
    router.answer = () => answers.shift() ?? null;
    const queue = { entityId: id(1), key };
    expect(await subscribe(client, queue)).toEqual(id(4));
    expect(await subscribe(client, queue)).toBeNull();
    expect(await subscribe(client, queue)).toBeNull();
    await settle();
    expect(events).toEqual([{ type: "message", entityId: id(1), message: msg }]);
  });

  test("ACK: OK, NO_MSG and the next message all count", async () => {
    const { router, client, events } = await world();
    const msg: Message = { tag: "MSG", msgId: id(8), encBody: randomBytes(10) };
    const answers: Message[] = [OK, NO_MSG, msg, AUTH];
    router.answer = () => answers.shift() ?? null;
    const queue = { entityId: id(1), key };
    for (let i = 0; i < 3; i++) await acknowledge(client, queue, id(7));
    await settle();
    expect(events).toEqual([{ type: "message", entityId: id(1), message: msg }]);
    await expect(acknowledge(client, queue, id(7))).rejects.toBeInstanceOf(ProtocolError);
  });

  test("that come too late are events", async () => {
    const { router, client, clock, events } = await world();
    const got: FakeRequest[] = [];
    router.answer = (request) => {
      got.push(request);
      return null;
    };
    const acknowledging = client.request({ tag: "ACK", msgId: id(7) }, { entityId: id(1), key });
    const failing = expect(acknowledging).rejects.toBeInstanceOf(TimeoutError);
    await clock.advance(10_000);
    await failing;
    const msg: Message = { tag: "MSG", msgId: id(8), encBody: randomBytes(10) };
    router.session.send({ ...got[0], message: msg });
    await settle();
    expect(events).toMatchObject([
      { type: "late", command: { tag: "ACK" }, entityId: id(1), answer: msg },
      { type: "message", entityId: id(1), message: msg },
    ]);
    router.session.send({ ...got[0], message: msg });
    await settle();
    expect(events.at(-1)?.type).toBe("unexpected");
  });
});

describe("commands that cannot be", () => {
  const hugeLinkData = { fixedData: new Uint8Array(9000), userData: new Uint8Array(9000) };

  test.each<[string, Command, Parameters<SmpClient["request"]>[1]]>([
    ["without their key", SUB, { entityId: id(1) }],
    ["without their entity", SUB, { key }],
    ["with a key too many", PING, { key }],
    ["too long", { tag: "SEND", notification: false, body: new Uint8Array(16_049) }, { entityId: id(1) }],
    ["larger than a block", { tag: "LSET", linkId: id(1), linkData: hugeLinkData }, { entityId: id(1), key }],
    ["without a corrId", PING, { corrId: EMPTY }],
  ])("%s", async (_name, command, options) => {
    const { client, router } = await world();
    await expect(client.request(command, options)).rejects.toBeInstanceOf(UsageError);
    expect(router.session.blocks).toEqual([]);
  });

  test("a corrId under way cannot be used again", async () => {
    const { client } = await world();
    const first = client.request(PING, { corrId: id(1) });
    await expect(client.request(PING, { corrId: id(1) })).rejects.toBeInstanceOf(UsageError);
    client.close();
    await expect(first).rejects.toBeInstanceOf(DisconnectedError);
  });

  test("the longest message fits", async () => {
    const { client, router } = await world();
    router.answer = () => OK;
    await send(client, id(1), generateKeyPair("Ed448").secretKey, new Uint8Array(16_048));
  });
});

describe("time", () => {
  test("a PING after ten silent minutes, once subscribed", async () => {
    const { router, client, clock } = await world();
    router.answer = ({ parsed }) => (parsed.tag === "PING" ? { tag: "PONG" } : SOK);
    await clock.advance(30 * MINUTE);
    expect(router.session.commands).toEqual([]);
    await subscribe(client, { entityId: id(1), key });
    await clock.advance(9 * MINUTE);
    router.session.send({ entityId: id(1), message: { tag: "MSG", msgId: id(2), encBody: EMPTY } });
    await clock.advance(9 * MINUTE);
    expect(router.session.commands).toEqual(["SUB"]);
    await clock.advance(MINUTE);
    expect(router.session.commands).toEqual(["SUB", "PING"]);
    await clock.advance(10 * MINUTE);
    expect(router.session.commands).toEqual(["SUB", "PING", "PING"]);
  });

  test("a relay that answers no more is left after three time-outs and fifteen minutes", async () => {
    const { router, client, clock, events } = await world();
    router.answer = ({ parsed }) => (parsed.tag === "SUB" ? SOK : null);
    await subscribe(client, { entityId: id(1), key });
    for (let i = 0; i < 4; i++) {
      const failing = expect(ping(client)).rejects.toBeInstanceOf(TimeoutError);
      await clock.advance(10_000);
      await failing;
    }
    expect(client.isClosed).toBe(false);
    await clock.advance(21 * MINUTE);
    expect(client.isClosed).toBe(true);
    expect(events.at(-1)).toMatchObject({ type: "closed", error: { code: "DISCONNECTED" } });
    expect(router.session.socket.closedWith).not.toBeNull();
    expect(clock.waiting).toBe(0);
  });

  test("when the connection ends, commands under way fail, and what came before is still delivered", async () => {
    const { router, client, events } = await world();
    const msg: Message = { tag: "MSG", msgId: id(2), encBody: EMPTY };
    const failing = expect(ping(client)).rejects.toMatchObject({ code: "DISCONNECTED", sent: true });
    await settle();
    router.session.send({ entityId: id(1), message: msg });
    router.session.socket.drop();
    await failing;
    await settle();
    expect(events.map(({ type }) => type)).toEqual(["message", "closed"]);
    await expect(ping(client)).rejects.toMatchObject({ code: "DISCONNECTED", sent: false });
  });
});

describe("queues", () => {
  test("NEW with a link takes its sender id from the corrId", async () => {
    const { router, client } = await world();
    const corrId = fromHex("303132333435363738393a3b3c3d3e3f4041424344454647");
    expect(hex(senderIdOf(corrId))).toMatch(/^30195dcc8969a3d020b2060b636820e1fbf7c447a408059a/);
    const relayKeys = generateKeyPair("X25519");
    router.answer = ({ parsed, corrId: got }) => {
      expect(got).toEqual(corrId);
      const queueReqData = { mode: "messaging", data: { senderId: senderIdOf(corrId) } };
      expect(parsed).toMatchObject({ tag: "NEW", queueReqData });
      return {
        tag: "IDS",
        rcvId: id(1),
        sndId: senderIdOf(corrId),
        rcvPublicDhKey: relayKeys.publicKey,
        queueMode: "messaging",
        linkId: id(3),
        serviceId: null,
        serverNtfCreds: null,
      };
    };
    const linkData = { fixedData: randomBytes(10), userData: randomBytes(20) };
    const queue = await createQueue(client, { link: { corrId, linkData } });
    expect(queue).toMatchObject({ entityId: id(1), senderId: senderIdOf(corrId), linkId: id(3), mode: "messaging" });
    await expect(createQueue(client, { mode: "contact", link: { corrId, linkData } })).rejects.toBeInstanceOf(UsageError);
  });

  test("messages and notifications open with the queue's secrets alone", async () => {
    const { client } = await world();
    const rcvDhSecret = randomBytes(32);
    const received = { type: "message", ts: 1_717_567_488, notification: true, body: randomBytes(9) } as const;
    const message = { msgId: id(2), encBody: sealReceivedMessage(rcvDhSecret, id(2), received) };
    expect(openMessage(client, { rcvDhSecret }, message)).toEqual(received);
    expect(() => openMessage(client, { rcvDhSecret: randomBytes(32) }, message)).toThrow(UnexpectedAnswerError);
    const meta = { msgId: id(2), ts: 5 };
    const notification = { nonce: id(6), encMeta: sealNotification(rcvDhSecret, id(6), meta) };
    expect(openNotification(client, { dhSecret: rcvDhSecret }, notification)).toEqual(meta);
  });
});
