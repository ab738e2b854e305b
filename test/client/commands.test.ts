import { describe, expect, test } from "vitest";
import { EMPTY, fromHex, hex } from "#crypto/bytes";
import { generateKeyPair, publicKeyOf, verify } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import { authContext, isAuthorizedBy } from "#protocol/authorize";
import { clearBlock } from "#protocol/block";
import { encode } from "#protocol/codec";
import type { Command } from "#protocol/commands";
import { serviceResponse } from "#protocol/handshake";
import { sealNotification, sealReceivedMessage } from "#protocol/message";
import {
  DisconnectedError,
  ProtocolError,
  TimeoutError,
  UnexpectedAnswerError,
  UsageError,
} from "../../client/errors.ts";
import {
  acknowledge,
  ping,
  send,
  subscribe,
  subscribeMany,
  subscribeService,
} from "../../client/smp/calls.ts";
import { SmpClient } from "../../client/smp/client.ts";
import { createQueue, openMessage, openNotification, senderIdOf } from "../../client/smp/queue.ts";
import { connect } from "../../client/transport/connect.ts";
import { AUTH, id, OFF, OK, PING, SOK, SUB, world } from "./support/client-world.ts";
import { FakeClock, settle } from "./support/fake-clock.ts";
import { type FakeRequest, FakeRouter, makeFakeIdentity } from "./support/fake-router.ts";

const key = generateKeyPair("Ed25519").secretKey;

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
      [1, OFF],
      [2, { tag: "DEL" }],
    ];
    await Promise.all(given.map(([entity, command]) => client.request(command, { entityId: id(entity), key })));
    const name = ({ parsed, entityId }: FakeRequest): string => `${parsed.tag}${entityId[0]}`;
    const blocks = router.session.blocks.map((block) => block.map(name));
    expect(blocks).toEqual([["SUB1", "SUB2"], ["ACK1", "DEL2"], ["OFF1"]]);
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
    const numbered = (n: number): Uint8Array => fromHex(n.toString(16).padStart(48, "0"));
    const queues = Array.from({ length: 3000 }, (_, i) => ({ entityId: numbered(i), key }));
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
  const keyOf = {
    Ed25519: generateKeyPair("Ed25519"),
    Ed448: generateKeyPair("Ed448"),
    X25519: generateKeyPair("X25519"),
  };

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
    const queue = { entityId: id(1), key: keyOf.X25519.secretKey };
    await expect(subscribe(client, queue)).rejects.toBeInstanceOf(UsageError);
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
    const contact = createQueue(client, { mode: "contact", link: { corrId, linkData } });
    await expect(contact).rejects.toBeInstanceOf(UsageError);
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
