import { describe, expect, it } from "vitest";
import { concat, EMPTY, utf8 } from "#crypto/bytes";
import { generateKeyPair } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import { clearBlock } from "#protocol/block";
import type { Command } from "#protocol/commands";
import { encodeBatch } from "#protocol/transmission";
import { acknowledge, makeQueue, open, send, subscribe } from "../support/queue-user.ts";
import { named } from "../support/wire-client.ts";
import { RelayBench } from "./support/relay-bench.ts";

const bench = RelayBench.use();
const VERSIONS = [6, 7, 10, 11, 15, 16, 19];

describe.concurrent("a transmission that was heard on one connection", () => {
  it.each(VERSIONS)("is worth nothing on another, whatever key signed it (version %i)", async (version) => {
    const [victim, thief] = await Promise.all([bench.connect({ version }), bench.connect({ version })]);
    for (const algorithm of version < 7 ? ["Ed25519", "Ed448"] as const : ["Ed25519", "Ed448", "X25519"] as const) {
      const queue = await makeQueue(victim, { algorithm });
      for (const tag of ["SUB", "GET", "QUE", "OFF", "DEL"] as const) {
        const corrId = randomBytes(24);
        thief.sendAll([victim.transmission({ tag }, queue.recipientKey, queue.ids.rcvId, corrId)]);
        const answer = named((await thief.answer(corrId)).message);
        // Version 6 says which session it is for; later ones leave it to the signature.
        expect(`${algorithm} ${tag}: ${answer}`).toBe(`${algorithm} ${tag}: ERR ${version < 7 ? "SESSION" : "AUTH"}`);
      }
      expect(named(await subscribe(victim, queue))).toMatch(/OK$/);
    }
  });

  it("of version 6 is worth nothing when it is rewritten for the thief's session", async () => {
    const [victim, thief] = await Promise.all([bench.connect({ version: 6 }), bench.connect({ version: 6 })]);
    const queue = await makeQueue(victim);
    const heard = victim.transmission({ tag: "DEL" }, queue.recipientKey, queue.ids.rcvId);
    const { sessionId } = thief.hello;
    thief.sendAll([concat(heard.slice(0, 66), sessionId, heard.slice(66 + sessionId.length))]);
    expect(named((await thief.next()).message)).toBe("ERR AUTH");
    expect(named(await subscribe(victim, queue))).toBe("OK");
  });

  it("is worth nothing in another version of the protocol", async () => {
    const clients = await Promise.all([7, 15, 16, 19].map((version) => bench.connect({ version })));
    for (const victim of clients) {
      const queue = await makeQueue(victim);
      for (const thief of clients) {
        if (thief === victim) continue;
        thief.sendAll([victim.transmission({ tag: "DEL" }, queue.recipientKey, queue.ids.rcvId)]);
        expect(named((await thief.next()).message)).toMatch(/^ERR (AUTH|BLOCK|CMD \w+)$/);
      }
      expect(named(await subscribe(victim, queue))).toMatch(/OK$/);
    }
  });
});

describe.concurrent("an authorization that was heard", () => {
  it("does not fit another command, id or corrId of the same connection", async () => {
    const client = await bench.connect();
    for (const algorithm of ["Ed25519", "Ed448", "X25519"] as const) {
      const queue = await makeQueue(client, { algorithm });
      const corrId = randomBytes(24);
      const length = { Ed25519: 64, Ed448: 114, X25519: 80 }[algorithm];
      const signed = (command: Command, id = corrId): Uint8Array =>
        client.transmission(command, queue.recipientKey, queue.ids.rcvId, id);
      const authorization = signed({ tag: "QUE" }).slice(0, 1 + length);
      const forgeries = [
        signed({ tag: "DEL" }),
        signed({ tag: "OFF" }),
        signed({ tag: "QUE" }, randomBytes(24)),
        signed({ tag: "QUE" }, concat(corrId, Uint8Array.of(0))),
        // The nonce of an authenticator is cut to 24 bytes, what it covers is not.
        signed({ tag: "QUE" }, concat(corrId, randomBytes(8))),
        signed({ tag: "QUE" }, corrId.slice(0, 23)),
      ].map((forged) => concat(authorization, forged.slice(1 + length)));
      client.sendAll(forgeries);
      for (const _ of forgeries) expect(named((await client.next()).message)).toBe("ERR AUTH");
      expect(named(await subscribe(client, queue))).toBe("SOK");
    }
  });
});

describe.concurrent("a block that was heard", () => {
  it.each([11, 16, 19])("does not open a second time, on its own connection or another (version %i)", async (version) => {
    const [victim, thief] = await Promise.all([bench.connect({ version }), bench.connect({ version })]);
    const queue = await makeQueue(victim);
    const body = utf8("once");
    const corrId = randomBytes(24);
    const sent = victim.transmission({ tag: "SEND", notification: false, body }, null, queue.ids.sndId, corrId);
    const block = victim.seal(encodeBatch([sent]));
    victim.sendRaw(block);
    expect(named((await victim.answer(corrId)).message)).toBe("OK");
    const { msgId } = open(queue, (await victim.event(queue.ids.rcvId)).message);
    for (const client of [victim, thief]) {
      for (let i = 0; i < 20; i++) {
        client.sendRaw(block);
        client.seal(EMPTY);
        const { corrId: none, message } = await client.next();
        expect([none, named(message)]).toEqual([EMPTY, "ERR BLOCK"]);
      }
    }
    expect(named(await acknowledge(victim, queue, msgId))).toBe("OK");
  });

  it("does not open out of its turn", async () => {
    const client = await bench.connect();
    const blocks = Array.from({ length: 4 }, () => client.seal(encodeBatch([client.transmission({ tag: "PING" })])));
    for (const i of [1, 0, 2, 3]) client.sendRaw(blocks[i] ?? EMPTY);
    const answers = [];
    for (let i = 0; i < 4; i++) answers.push(named((await client.next()).message));
    expect(answers.toSorted()).toEqual(["ERR BLOCK", "ERR BLOCK", "PONG", "PONG"]);
  });
});

describe.concurrent("a command that is repeated in a clear session", () => {
  it.each([6, 7, 8, 9, 10])("does again only what may be done again (version %i)", async (version) => {
    const client = await bench.connect({ version });
    const queue = await makeQueue(client);
    const key = generateKeyPair("Ed25519").publicKey;
    await send(client, queue, "one");
    const { msgId } = open(queue, (await client.event()).message);
    /** The very same bytes, sent three times. */
    const thrice = async (command: Command): Promise<string[]> => {
      const corrId = randomBytes(24);
      const block = clearBlock(encodeBatch([client.transmission(command, queue.recipientKey, queue.ids.rcvId, corrId)]));
      const answers = [];
      for (let i = 0; i < 3; i++) {
        client.sendRaw(block);
        answers.push(named((await client.answer(corrId)).message));
      }
      return answers;
    };
    expect(await thrice({ tag: "ACK", msgId })).toEqual(["OK", "ERR NO_MSG", "ERR NO_MSG"]);
    expect(await thrice({ tag: "KEY", key })).toEqual(["OK", "OK", "OK"]);
    expect(await thrice({ tag: "SUB" })).toEqual(["OK", "OK", "OK"]);
    expect(await thrice({ tag: "OFF" })).toEqual(["OK", "OK", "OK"]);
    expect(await thrice({ tag: "DEL" })).toEqual(["OK", "ERR AUTH", "ERR AUTH"]);
  });

  it("acknowledges no message but the one it was for", async () => {
    const client = await bench.connect({ version: 10 });
    const queue = await makeQueue(client);
    for (const text of ["one", "two"]) await send(client, queue, text);
    const first = open(queue, (await client.event()).message);
    const second = open(queue, await acknowledge(client, queue, first.msgId));
    expect(named(await acknowledge(client, queue, first.msgId))).toBe("ERR NO_MSG");
    expect(named(await acknowledge(client, queue, randomBytes(24)))).toBe("ERR NO_MSG");
    expect(second.text).toBe("two");
    expect(named(await acknowledge(client, queue, second.msgId))).toBe("OK");
  });
});
