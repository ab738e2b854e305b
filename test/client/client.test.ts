import { describe, expect, test } from "vitest";
import { EMPTY } from "#crypto/bytes";
import { generateKeyPair } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import type { Message } from "#protocol/commands";
import { encodeBatch } from "#protocol/transmission";
import { ProtocolError, TimeoutError, UnexpectedAnswerError } from "../../client/errors.ts";
import { acknowledge, ping, send, subscribe } from "../../client/smp/calls.ts";
import { AUTH, id, NO_MSG, OFF, OK, SOK, SUB, world } from "./support/client-world.ts";
import { settle } from "./support/fake-clock.ts";
import type { FakeRequest } from "./support/fake-router.ts";

const key = generateKeyPair("Ed25519").secretKey;
const MINUTE = 60_000;

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
    await expect(client.request(OFF, { entityId: id(1), key })).rejects.toBeInstanceOf(UnexpectedAnswerError);
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
    await expect(client.request(OFF, { entityId: id(1), key })).rejects.toBeInstanceOf(UnexpectedAnswerError);
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
