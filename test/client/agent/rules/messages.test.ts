import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { utf8 } from "#crypto/bytes";
import { sha256 } from "#crypto/hash";
import { randomBytes } from "#crypto/random";
import { encode } from "#protocol/codec";
import { sealReceivedMessage } from "#protocol/message";
import { agentMessage } from "../../../../client/agent/wire/agent-message.ts";
import { clientMsgEnvelope, readClientMsgEnvelope } from "../../../../client/agent/wire/client-message.ts";
import { connectedAsInitiator, copyOf, type Meeting } from "./support/meeting.ts";
import { BODIES } from "./support/odd-bodies.ts";
import { gist } from "./support/side.ts";

let connected: Meeting;
beforeAll(async () => {
  connected = await connectedAsInitiator();
});

const flipped = (bytes: Uint8Array, at: number): Uint8Array => bytes.with(at, (bytes.at(at) ?? 0) ^ 1);

describe("the chain of messages", () => {
  it("is ok while each follows the one before it", async () => {
    const { side, peer } = copyOf(connected);
    for (let i = 0; i < 5; i++) expect(gist(await side.receive(1, peer.text()))).toEqual(["message ok"]);
  });

  it("tells which messages are missing", async () => {
    const { side, peer } = copyOf(connected);
    const lost = [peer.text(), peer.text(), peer.text()];
    const { events } = await side.receive(1, peer.text());
    expect(events).toMatchObject([{ type: "message", integrity: { type: "skipped", from: 2, to: 4 }, sndMsgId: 5 }]);
    // They can still be read when they come late, and the chain goes on where it was.
    for (const [i, body] of lost.entries()) {
      expect(await side.receive(1, body)).toMatchObject({ events: [{ integrity: { type: "badId", id: i + 2 } }] });
    }
    expect(gist(await side.receive(1, peer.text()))).toEqual(["message ok"]);
  });

  it.each([
    ["the number of the last one", { sndMsgId: 2 }, { type: "duplicate" }],
    ["a lower number", { sndMsgId: 1 }, { type: "badId", id: 1 }],
    ["number 0", { sndMsgId: 0 }, { type: "badId", id: 0 }],
    ["a negative number", { sndMsgId: -5 }, { type: "badId", id: -5 }],
    ["the lowest number", { sndMsgId: Number.MIN_SAFE_INTEGER }, { type: "badId", id: Number.MIN_SAFE_INTEGER }],
    ["the highest number", { sndMsgId: Number.MAX_SAFE_INTEGER }, { type: "skipped", from: 3, to: Number.MAX_SAFE_INTEGER - 1 }],
    ["another predecessor", { prevMsgHash: sha256(utf8("another")) }, { type: "badHash" }],
    ["no predecessor", { prevMsgHash: new Uint8Array() }, { type: "badHash" }],
  ])("is broken by %s, and the message is delivered all the same", async (_, odd, integrity) => {
    const { side, peer } = copyOf(connected);
    await side.receive(1, peer.text());
    const { events, faults } = await side.receive(1, peer.text("odd", odd));
    expect(faults).toEqual([]);
    expect(events).toMatchObject([{ type: "message", body: utf8("odd"), integrity }]);
    // The odd one is the end of the chain now, and can be read again after a restart.
    const [next] = (await side.receive(1, peer.text("good", { sndMsgId: 4 }))).events;
    expect(next).toMatchObject({ type: "message", body: utf8("good") });
  });

  it("goes on over messages that hold nothing for the application", async () => {
    const { side, peer } = copyOf(connected);
    await side.receive(1, peer.message({ type: "EREADY", lastDecryptedMsgId: 1 }));
    await side.receive(1, BODIES["QCONT for a queue elsewhere"](peer));
    expect(gist(await side.receive(1, peer.text()))).toEqual(["message ok"]);
  });

  it("misses a message that could not be read", async () => {
    const { side, peer } = copyOf(connected);
    await side.receive(1, BODIES["an unknown message"](peer));
    peer.sent = { ...peer.sent, number: peer.sent.number + 1 };
    expect(await side.receive(1, peer.text())).toMatchObject({ events: [{ integrity: { type: "skipped", from: 2, to: 2 } }] });
  });
});

describe("a message that comes more than once", () => {
  it("is told once, and held until the application acknowledges it", async () => {
    const { side, peer } = copyOf(connected);
    const body = peer.text();
    const msgId = randomBytes(24);
    const first = await side.receive(1, body, msgId);
    expect([gist(first), first.isAcked]).toEqual([["message ok"], false]);
    // The relay delivers it again after a reconnection.
    for (let i = 0; i < 3; i++) {
      const again = await side.receive(1, body, msgId);
      expect([gist(again), again.isAcked]).toEqual([[], false]);
    }
    const [event] = first.events;
    if (event?.type !== "message") throw new Error("there is no message");
    expect((await side.acknowledge(event.item)).acked).toHaveLength(1);
    // The acknowledgement was lost.
    const late = await side.receive(1, body, msgId);
    expect([gist(late), late.isAcked]).toEqual([[], true]);
  });

  it("is told once though its sender has sent it twice", async () => {
    const { side, peer } = copyOf(connected);
    const sealedAgain = peer.encrypt(utf8("not read twice"));
    for (const heard of [["A_MESSAGE"], [], []]) {
      const outcome = await side.receive(1, peer.encrypted(sealedAgain));
      expect([gist(outcome), outcome.isAcked]).toEqual([heard, true]);
    }
  });

  it("is refused once for each ciphertext, whatever was wrong with it", async () => {
    const { side, peer } = copyOf(connected);
    const good = peer.encrypt(encode(agentMessage, {
      type: "message",
      sndMsgId: 2,
      prevMsgHash: peer.sent.hash,
      message: { type: "A_MSG", body: utf8("good") },
    }));
    const tampered = flipped(good, -1);
    expect(gist(await side.receive(1, peer.encrypted(tampered)))).toEqual(["sync allowed", "A_CRYPTO"]);
    expect(gist(await side.receive(1, peer.encrypted(tampered)))).toEqual([]);
    // The ratchet stays where it was, so that the true message can still be read.
    expect(gist(await side.receive(1, peer.encrypted(good)))).toEqual(["sync ok", "message ok"]);
  });
});

describe("messages out of order", () => {
  it("are all read, whatever their order", async () => {
    await fc.assert(fc.asyncProperty(fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6, 7], { minLength: 1 }), async (order) => {
      const { side, peer } = copyOf(connected);
      const bodies = order.toSorted((a, b) => a - b).map((i) => ({ i, body: peer.text(`${i}`) }));
      const heard: number[] = [];
      for (const i of order) {
        const [event] = (await side.receive(1, bodies.find((one) => one.i === i)?.body ?? new Uint8Array())).events;
        if (event?.type === "message") heard.push(Number(new TextDecoder().decode(event.body)));
      }
      expect(heard).toEqual(order);
      expect(await side.rows("skipped")).toBe(0);
    }), { numRuns: 12 });
  });

  it("may leave out 512 and no more; then nothing can be read until a repair", async () => {
    const { side, peer } = copyOf(connected);
    side.repairs = false;
    for (let i = 0; i < 512; i++) peer.text();
    const most = copyOf({ side, peer });
    expect(gist(await most.side.receive(1, most.peer.text()))).toEqual(["message skipped"]);
    expect(await most.side.rows("skipped")).toBe(512);
    peer.text();
    expect(gist(await side.receive(1, peer.text()))).toEqual(["sync required", "A_CRYPTO"]);
    expect(await side.rows("skipped")).toBe(0);
  });
});

describe("a message that was altered", () => {
  /** Alters the body of a SEND inside of its box. */
  const inside = (body: Uint8Array, at: number): Uint8Array => {
    const envelope = readClientMsgEnvelope(body);
    return encode(clientMsgEnvelope, { ...envelope, box: flipped(envelope.box, at) });
  };

  it.each([
    ["the relay's box", "A_CRYPTO", []],
    ["the version of the queue's envelope", "A_VERSION", []],
    ["the nonce of the queue's envelope", "A_CRYPTO", []],
    ["the queue's box", "A_CRYPTO", []],
    ["the tag of the queue's box", "A_CRYPTO", []],
    ["the length of the ratchet's header", "A_CRYPTO", []],
    ["the ratchet's header", "A_CRYPTO", ["sync required"]],
    ["the tag of the ratchet's body", "A_CRYPTO", ["sync allowed"]],
    ["the ratchet's body", "A_CRYPTO", ["sync allowed"]],
    ["the agent message", "A_MESSAGE", []],
  ])("in %s is refused, and the next one is read", async (where, fault, told) => {
    const { side, peer } = copyOf(connected);
    side.repairs = false;
    const { receive: [queue] } = await side.connection();
    if (!queue) throw new Error("there is no queue");
    const plaintext = encode(agentMessage, { type: "message", sndMsgId: 2, prevMsgHash: peer.sent.hash, message: { type: "HELLO" } });
    const honest = peer.encrypt(plaintext);
    const body = peer.encrypted(honest);
    const msgId = randomBytes(24);
    const sealed = (changed: Uint8Array): Uint8Array =>
      sealReceivedMessage(queue.rcvDhSecret, msgId, { type: "message", ts: 1, notification: false, body: changed });
    const received: Record<string, () => Uint8Array> = {
      "the relay's box": () => flipped(sealed(body), 100),
      "the version of the queue's envelope": () => sealed(flipped(body, 1).with(0, 9)),
      "the nonce of the queue's envelope": () => sealed(flipped(body, 5)),
      "the queue's box": () => sealed(inside(body, 500)),
      "the tag of the queue's box": () => sealed(inside(body, 0)),
      "the length of the ratchet's header": () => sealed(peer.encrypted(flipped(honest, 0))),
      "the ratchet's header": () => sealed(peer.encrypted(flipped(honest, 60))),
      "the tag of the ratchet's body": () => sealed(peer.encrypted(flipped(honest, 130))),
      "the ratchet's body": () => sealed(peer.encrypted(flipped(honest, -5))),
      "the agent message": () => sealed(peer.plain(plaintext.with(0, 0x5a))),
    };
    const outcome = await side.receiveRaw(1, received[where]?.() ?? new Uint8Array(), msgId);
    expect([gist(outcome), outcome.isAcked]).toEqual([[...told, fault], true]);
    peer.sent = { number: 2, hash: sha256(plaintext) };
    const next = await side.receive(1, peer.text());
    expect(gist(next)).toEqual([...(told.length > 0 ? ["sync ok"] : []), "message skipped"]);
  });
});

describe("the version of the agent", () => {
  it("rises with what comes, and never falls", async () => {
    const { side, peer } = copyOf(connected);
    await side.tamper((connection) => ({ ...connection, agentVersion: 3 }));
    for (const [received, stored] of [[2, 3], [5, 5], [1, 5], [0, 5], [65_535, 7], [6, 7]] as const) {
      expect(gist(await side.receive(1, peer.text("hi", { agentVersion: received })))).toEqual(["message ok"]);
      expect((await side.connection()).agentVersion).toBe(stored);
    }
  });
});
