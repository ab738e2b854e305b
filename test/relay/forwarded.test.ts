import { evictAllDurableObjects } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { EMPTY, utf8 } from "#crypto/bytes";
import { generateKeyPair } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import { encodeBatch } from "#protocol/transmission";
import type { AuthSecretKey } from "#protocol/authorize";
import type { Command } from "#protocol/commands";
import { sealRfwd } from "#protocol/commands/proxy";
import { behind, forwardAs, forwarding, innerTransmission, sealBatch, sealCommand } from "../support/forwarding.ts";
import { acknowledge, makeQueue, open, send } from "../support/queue-user.ts";
import { named } from "../support/wire-client.ts";
import { connect } from "../support/workerd-relay.ts";

const text = (body: string): Command => ({ tag: "SEND", notification: false, body: utf8(body) });

describe("a relay as destination", () => {
  it.each([
    ["classic proxy (version 8)", { version: 8 }],
    ["classic proxy (version 10)", { version: 10 }],
    ["proxy", { version: 19, proxyServer: true }],
    ["session with encrypted blocks", { version: 19 }],
  ] as const)("does what clients of a %s send", async (_, options) => {
    const [recipient, proxy] = await Promise.all([connect(), connect(options)]);
    const queue = await makeQueue(recipient);
    const relay = behind(proxy);
    const senderKey = generateKeyPair("X25519");
    const skey = { tag: "SKEY", key: senderKey.publicKey } as const;
    const ask = (command: Command, key: AuthSecretKey | null): ReturnType<typeof forwardAs> =>
      forwardAs(proxy, relay, sealCommand(relay, command, key, queue.ids.sndId));
    expect(named(await ask(skey, senderKey.secretKey))).toBe("OK");
    expect(named(await ask(text("hello"), senderKey.secretKey))).toBe("OK");
    expect(open(queue, (await recipient.event()).message).text).toBe("hello");
    expect(named(await ask(text("unsigned"), null))).toBe("ERR AUTH");
    expect(named(await ask(text("forged"), generateKeyPair("X25519").secretKey))).toBe("ERR AUTH");
  });

  it("lets each client speak its own version, whatever the proxy does", async () => {
    const [recipient, proxy] = await Promise.all([connect(), connect({ version: 14, proxyServer: true })]);
    const queue = await makeQueue(recipient);
    for (const version of [7, 8, 15, 16, 19, 20, 1000]) {
      const relay = behind(proxy, version);
      const body = randomBytes(version >= 11 ? 16_048 : 16_000);
      const command = { tag: "SEND", notification: false, body } as const;
      const answer = await forwardAs(proxy, relay, sealCommand(relay, command, null, queue.ids.sndId));
      expect(named(answer), `version ${version}`).toBe("OK");
      const { msgId } = open(queue, (await recipient.event()).message);
      await acknowledge(recipient, queue, msgId);
    }
  });

  it("does nothing of what only recipients may do, nor forwards further", async () => {
    const [recipient, proxy] = await Promise.all([connect(), connect({ proxyServer: true })]);
    const queue = await makeQueue(recipient);
    const relay = behind(proxy);
    for (const command of [{ tag: "SUB" }, { tag: "DEL" }, { tag: "OFF" }, { tag: "QUE" }, { tag: "GET" }] as const) {
      const sealed = sealCommand(relay, command, queue.recipientKey, queue.ids.rcvId);
      expect(named(await forwardAs(proxy, relay, sealed)), command.tag).toBe("ERR CMD PROHIBITED");
    }
    expect(named(await forwardAs(proxy, relay, sealCommand(relay, { tag: "PING" })))).toBe("ERR CMD PROHIBITED");
    const again: Command = { tag: "RFWD", encFwdTransmission: randomBytes(1000) };
    expect(named(await forwardAs(proxy, relay, sealCommand(relay, again)))).toBe("ERR CMD PROHIBITED");
    const name = { tag: "RSLV", domain: "alice.simplex" } as const;
    expect(named(await forwardAs(proxy, relay, sealCommand(relay, name)))).toBe("ERR NAME NO_RESOLVER");
  });

  it("tells the client what is wrong with its own command", async () => {
    const proxy = await connect({ proxyServer: true });
    const relay = behind(proxy);
    const ask = (batch: Uint8Array): Promise<string> => forwardAs(proxy, relay, sealBatch(relay, batch)).then(named);
    const inner = (command: string, entityId = EMPTY): Uint8Array =>
      innerTransmission(relay, utf8(command), null, entityId, randomBytes(24));
    expect(await ask(encodeBatch([inner("WHAT")]))).toBe("ERR CMD UNKNOWN");
    expect(await ask(encodeBatch([inner("SEND", randomBytes(24))]))).toBe("ERR CMD SYNTAX");
    expect(await ask(encodeBatch([inner("LGET")]))).toBe("ERR CMD NO_ENTITY");
    expect(await ask(encodeBatch([Uint8Array.of(7, 1, 2)]))).toBe("ERR BLOCK");
    expect(await ask(Uint8Array.of(0))).toBe("ERR BLOCK");
    expect(await ask(new Uint8Array([...encodeBatch([inner("LGET")]), 0]))).toBe("ERR BLOCK");
  });

  it("tells the proxy what it cannot open, at every layer", async () => {
    const proxy = await connect({ proxyServer: true });
    const relay = behind(proxy);
    const sealed = sealCommand(relay, text("never"), null, randomBytes(24));
    const ask = async (command: Command, corrId: Uint8Array): Promise<string> =>
      named(await proxy.ask(command, null, EMPTY, corrId));
    const good = forwarding(proxy, sealed);
    const bytes = good.command.tag === "RFWD" ? good.command.encFwdTransmission : EMPTY;
    const rfwd = (encFwdTransmission: Uint8Array): Command => ({ tag: "RFWD", encFwdTransmission });
    for (const at of [0, 15, 16, 60, bytes.length - 1]) {
      const altered = bytes.with(at, (bytes[at] ?? 0) ^ 1);
      expect(await ask(rfwd(altered), good.corrId), `outer byte ${at}`).toBe("ERR CRYPTO");
    }
    for (const length of [0, 15, 16, 100, bytes.length - 1]) {
      expect(await ask(rfwd(bytes.slice(0, length)), good.corrId), `cut to ${length}`).toBe("ERR CRYPTO");
    }
    expect(await ask(good.command, randomBytes(24)), "another corrId").toBe("ERR CRYPTO");
    const wrap = (change: Partial<Parameters<typeof sealRfwd>[2]>): Command =>
      rfwd(sealRfwd(proxy.secret, good.corrId, {
        fwdCorrId: sealed.corrId,
        fwdVersion: 19,
        fwdKey: sealed.publicKey,
        fwdTransmission: sealed.encTransmission,
        ...change,
      }));
    const { encTransmission } = sealed;
    for (const at of [0, 16, encTransmission.length - 1]) {
      const fwdTransmission = encTransmission.with(at, (encTransmission[at] ?? 0) ^ 1);
      expect(await ask(wrap({ fwdTransmission }), good.corrId), `inner byte ${at}`).toBe("ERR CRYPTO");
    }
    for (const length of [0, 15, 16, 17, 16_241]) {
      const fwdTransmission = encTransmission.slice(0, length);
      expect(await ask(wrap({ fwdTransmission }), good.corrId), `inner cut to ${length}`).toBe("ERR CRYPTO");
    }
    expect(await ask(wrap({ fwdKey: generateKeyPair("X25519").publicKey }), good.corrId)).toBe("ERR CRYPTO");
    expect(await ask(wrap({ fwdKey: { algorithm: "X25519", raw: new Uint8Array(32) } }), good.corrId)).toBe("ERR CRYPTO");
    expect(await ask(wrap({ fwdCorrId: randomBytes(24) }), good.corrId)).toBe("ERR CRYPTO");
    const two = innerTransmission(relay, utf8("LGET"), null, randomBytes(24), sealed.corrId);
    expect(named(await forwardAs(proxy, relay, sealBatch(relay, encodeBatch([two, two]))))).toBe("ERR BLOCK");
  });

  it("cannot read a malformed FwdTransmission, and says so to the proxy", async () => {
    const proxy = await connect({ proxyServer: true });
    const sealed = sealCommand(behind(proxy), text("never"), null, randomBytes(24));
    const corrId = randomBytes(24);
    const wrong = { algorithm: "Ed25519", raw: sealed.publicKey.raw } as unknown as typeof sealed.publicKey;
    const fwd = { fwdCorrId: sealed.corrId, fwdVersion: 19, fwdKey: wrong, fwdTransmission: sealed.encTransmission };
    const encFwdTransmission = sealRfwd(proxy.secret, corrId, fwd);
    expect(named(await proxy.ask({ tag: "RFWD", encFwdTransmission }, null, EMPTY, corrId))).toBe("ERR CMD SYNTAX");
  });

  it("opens nothing for a session without a key", async () => {
    const proxy = await connect({ keyless: true });
    const { command, corrId } = forwarding(proxy, sealCommand(behind(proxy), text("never"), null, randomBytes(24)));
    expect(named(await proxy.ask(command, null, EMPTY, corrId))).toBe("ERR PROXY BROKER TRANSPORT NO_AUTH");
  });

  it("opens nothing that was sealed for another session of the same proxy", async () => {
    const other = { proxyServer: true };
    const [recipient, proxy, second] = await Promise.all([connect(), connect(other), connect(other)]);
    const queue = await makeQueue(recipient);
    const sealed = sealCommand(behind(proxy), text("once"), null, queue.ids.sndId);
    expect(named(await forwardAs(second, behind(second), sealed))).toBe("ERR CRYPTO");
    const { command, corrId } = forwarding(proxy, sealed);
    expect(named(await second.ask(command, null, EMPTY, corrId))).toBe("ERR CRYPTO");
    expect(await recipient.isQuiet()).toBe(true);
  });

  it("does a command once, however often a proxy forwards it", async () => {
    const [recipient, proxy] = await Promise.all([connect(), connect({ proxyServer: true })]);
    const queue = await makeQueue(recipient);
    const relay = behind(proxy);
    const sealed = sealCommand(relay, text("once"), null, queue.ids.sndId);
    expect(named(await forwardAs(proxy, relay, sealed))).toBe("OK");
    for (let i = 0; i < 3; i++) expect(named(await forwardAs(proxy, relay, sealed))).toBe("ERR CRYPTO");
    const { msgId, text: first } = open(queue, (await recipient.event()).message);
    expect(first).toBe("once");
    expect(named(await acknowledge(recipient, queue, msgId))).toBe("OK");
    expect(await recipient.isQuiet()).toBe(true);
    // Another one of the same words is another message.
    expect(named(await forwardAs(proxy, relay, sealCommand(relay, text("once"), null, queue.ids.sndId)))).toBe("OK");
    expect(open(queue, (await recipient.event()).message).text).toBe("once");
  });

  it("gives forwarded commands their place among the others of a connection, which do not wait for them", async () => {
    const [recipient, proxy] = await Promise.all([connect(), connect({ proxyServer: true })]);
    const queue = await makeQueue(recipient);
    const relay = behind(proxy);
    const many = Array.from({ length: 100 }, (_, i) =>
      forwarding(proxy, sealCommand(relay, text(String(i)), null, queue.ids.sndId)));
    for (const { command, corrId } of many) proxy.sendAll([proxy.transmission(command, null, EMPTY, corrId)]);
    expect(named(await proxy.ask({ tag: "PING" }))).toBe("PONG");
    for (const { corrId } of many) expect((await proxy.answer(corrId)).message.tag).toBe("RRES");
    let { message } = await recipient.event();
    for (let i = 0; i < 100; i++) {
      const opened = open(queue, message);
      expect(opened.text).toBe(String(i));
      message = await acknowledge(recipient, queue, opened.msgId);
    }
  });

  it("keeps nothing between the blocks of a proxy but what is attached to its socket", async () => {
    const [recipient, proxy] = await Promise.all([connect(), connect({ proxyServer: true })]);
    const queue = await makeQueue(recipient);
    const relay = behind(proxy);
    await evictAllDurableObjects();
    expect(named(await forwardAs(proxy, relay, sealCommand(relay, text("woken"), null, queue.ids.sndId)))).toBe("OK");
    expect(open(queue, (await recipient.event()).message).text).toBe("woken");
    expect(named(await send(proxy, queue, "direct"))).toBe("OK");
  });
});
