import { beforeAll, describe, expect, it } from "vitest";
import { concat, EMPTY, equal, utf8 } from "#crypto/bytes";
import { generateKeyPair } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import { type Command, encodeCommand } from "#protocol/commands";
import { authorizedBytes, encodeBatch } from "#protocol/transmission";
import { makeQueue, type TestQueue } from "../support/queue-user.ts";
import { named, type Received, type WireClient } from "../support/wire-client.ts";
import { str } from "./support/hello.ts";
import { RelayBench } from "./support/relay-bench.ts";
import { seeded } from "./support/seeded.ts";

const bench = RelayBench.use();
const word = (value: number): Uint8Array => Uint8Array.of(value >> 8, value & 0xff);

/** What the next thing that comes must be when a block could not be read. */
function expectBlockError({ corrId, entityId, message }: Received): void {
  expect([corrId, entityId, named(message)]).toEqual([EMPTY, EMPTY, "ERR BLOCK"]);
}

async function expectPong(client: WireClient): Promise<void> {
  expect(named(await client.ask({ tag: "PING" }))).toBe("PONG");
}

describe("a block of noise", () => {
  it.each([11, 15, 16, 19])("is answered ERR BLOCK without ids, and the next block reads (version %i)", async (version) => {
    const client = await bench.connect({ version });
    for (let i = 0; i < 60; i++) {
      client.sendRaw(randomBytes(16_384));
      client.seal(EMPTY); // the chain of keys has moved on, on both sides
      expectBlockError(await client.next());
      if (i % 7 === 0) await expectPong(client);
    }
    await expectPong(client);
  });

  it("has the same answer where blocks are clear", seeded(async (random) => {
    for (const options of [{ version: 6 }, { version: 10 }, { keyless: true }, { proxyServer: true }]) {
      const client = await bench.connect(options);
      for (let i = 0; i < 60; i++) {
        const noise = random.bytes(16_384);
        if (i % 2 === 0) noise[0] = 0xff; // a length beyond the block
        else noise.set([0x3f, 0xfe, 1 + random.below(255)]); // a count, then noise
        client.sendRaw(noise);
        expectBlockError(await client.next());
      }
      await expectPong(client);
    }
  }));

  it("does not come between the answers to the blocks around it", async () => {
    const client = await bench.connect();
    const corrIds = Array.from({ length: 100 }, () => randomBytes(24));
    for (const corrId of corrIds) {
      client.sendAll([client.transmission({ tag: "PING" }, null, EMPTY, corrId)]);
      client.sendRaw(randomBytes(16_384));
      client.seal(EMPTY);
    }
    for (const corrId of corrIds) {
      const answer = await client.next();
      expect([named(answer.message), equal(answer.corrId, corrId)]).toEqual(["PONG", true]);
      expectBlockError(await client.next());
    }
  });
});

describe("a batch", () => {
  let client: WireClient;
  let ping: Uint8Array;

  beforeAll(async () => {
    client = await bench.connect();
    ping = client.transmission({ tag: "PING" });
  });

  const shapes: Readonly<Record<string, () => Uint8Array>> = {
    "of nothing at all": () => EMPTY,
    "of no transmissions": () => Uint8Array.of(0),
    "of no transmissions, with one behind": () => concat(Uint8Array.of(0), word(ping.length), ping),
    "that counts one more than it has": () => concat(Uint8Array.of(2), word(ping.length), ping),
    "that counts one fewer than it has": () => concat(Uint8Array.of(1), word(ping.length), ping, word(ping.length), ping),
    "that counts 255 and has one": () => concat(Uint8Array.of(255), word(ping.length), ping),
    "with a byte behind it": () => concat(Uint8Array.of(1), word(ping.length), ping, Uint8Array.of(0)),
    "whose length is one too long": () => concat(Uint8Array.of(1), word(ping.length + 1), ping),
    "whose length is one too short": () => concat(Uint8Array.of(1), word(ping.length - 1), ping),
    "whose length is as long as can be": () => concat(Uint8Array.of(1), word(65_535), ping),
    "that ends in a length": () => Uint8Array.of(1, 0),
    "with trailing room of a whole block": () => concat(Uint8Array.of(1), word(ping.length), ping, new Uint8Array(16_000)),
  };
  it.each(Object.entries(shapes))("%s is no block, and nothing in it is done", async (_, content) => {
    client.sendRaw(client.seal(content()));
    expectBlockError(await client.next());
    await expectPong(client);
  });

  it("of empty transmissions has an error for each", async () => {
    client.sendRaw(client.seal(encodeBatch(Array.from({ length: 255 }, () => EMPTY))));
    for (let i = 0; i < 255; i++) expectBlockError(await client.next());
    await expectPong(client);
  });

  it("of 255 pings has 255 answers in their order, as often as it is sent", async () => {
    for (let round = 0; round < 10; round++) {
      const corrIds = Array.from({ length: 255 }, () => randomBytes(24));
      const pings = corrIds.map((corrId) => client.transmission({ tag: "PING" }, null, EMPTY, corrId));
      client.sendRaw(client.seal(encodeBatch(pings)));
      for (const corrId of corrIds) {
        const answer = await client.next();
        expect([named(answer.message), equal(answer.corrId, corrId)]).toEqual(["PONG", true]);
      }
    }
  });

  it("keeps the good transmissions apart from the bad ones among them", seeded(async (random) => {
    for (let round = 0; round < 20; round++) {
      const isGood = Array.from({ length: 40 }, () => random.below(2) === 0);
      client.sendRaw(client.seal(encodeBatch(isGood.map((good) => good ? ping : Uint8Array.of(64, ...random.bytes(30))))));
      const answers = [];
      for (const _ of isGood) answers.push(named((await client.next()).message));
      expect(answers.toSorted()).toEqual(isGood.map((good) => (good ? "PONG" : "ERR BLOCK")).toSorted());
    }
  }));
});

/** A transmission from its parts, without regard to what may stand in them. */
function crude(authorization: Uint8Array, slot: Uint8Array, corrId: Uint8Array, rest: Uint8Array): Uint8Array {
  return concat(str(authorization), slot, str(corrId), rest);
}

describe("an authorization", () => {
  it.each([7, 10, 15, 16, 19])("of every length reads only where a signature has it (version %i)", async (version) => {
    const client = await bench.connect({ version });
    const slot = version >= 16 ? utf8("0") : EMPTY;
    const rest = concat(str(EMPTY), utf8("PING"));
    const corrIds = Array.from({ length: 256 }, () => randomBytes(24));
    client.sendAll(corrIds.map((corrId, length) => crude(randomBytes(length), length > 0 ? slot : EMPTY, corrId, rest)));
    for (const [length, corrId] of corrIds.entries()) {
      const { entityId, message } = await client.answer(corrId);
      const read = { 0: "PONG", 64: "ERR CMD HAS_AUTH", 80: "ERR CMD HAS_AUTH", 114: "ERR CMD HAS_AUTH" }[length];
      expect(`${length} ${named(message)}`).toBe(`${length} ${read ?? "ERR BLOCK"}`);
      expect(entityId).toEqual(EMPTY);
    }
    await expectPong(client);
  });

  it.each([16, 19])("with a malformed slot behind it is no transmission (version %i)", async (version) => {
    const client = await bench.connect({ version });
    const rest = concat(str(EMPTY), utf8("PING"));
    const signature = randomBytes(64);
    const slots = [
      ...Array.from({ length: 256 }, (_, tag) => Uint8Array.of(tag)).filter(([tag]) => tag !== 0x30 && tag !== 0x31),
      ...[0, 1, 63, 65, 80, 114].map((length) => concat(utf8("1"), str(randomBytes(length)))),
      EMPTY,
    ];
    client.sendAll(slots.map((slot) => crude(signature, slot, randomBytes(24), rest)));
    for (const _ of slots) expectBlockError(await client.next());
    const corrId = randomBytes(24);
    const slot = concat(utf8("1"), str(randomBytes(64)));
    client.sendAll([crude(signature, slot, corrId, concat(str(randomBytes(24)), utf8("QUE")))]);
    expect(named((await client.answer(corrId)).message)).toBe("ERR SERVICE");
    await expectPong(client);
  });

  it("cannot be moved to another session in version 6, which says so", async () => {
    const client = await bench.connect({ version: 6 });
    for (const sessionId of [EMPTY, randomBytes(32), client.hello.sessionId.slice(1)]) {
      const corrId = randomBytes(24);
      client.sendAll([concat(str(EMPTY), authorizedBytes(sessionId, corrId, EMPTY, utf8("PING")))]);
      expect(named((await client.answer(corrId)).message)).toBe("ERR SESSION");
    }
    await expectPong(client);
  });
});

describe("ids of every length", () => {
  it("come back as they were sent", async () => {
    const client = await bench.connect();
    const lengths = Array.from({ length: 255 }, (_, i) => i + 1);
    const corrIds = lengths.map((length) => randomBytes(length));
    const send: Command = { tag: "SEND", notification: false, body: EMPTY };
    client.sendAll(corrIds.map((corrId, i) => client.transmission(send, null, corrId.toReversed(), corrIds[254 - i])));
    for (const [i, corrId] of corrIds.entries()) {
      const answer = await client.answer(corrIds[254 - i] ?? EMPTY);
      expect([named(answer.message), answer.entityId]).toEqual(["ERR AUTH", corrId.toReversed()]);
    }
  });

  it("that leave no room for a message in a block cost its asker the message, not the connection", async () => {
    const [owner, reader] = await Promise.all([bench.connect(), bench.connect()]);
    const queue = await makeQueue(owner, { change: { subscribe: false } });
    await owner.ask({ tag: "SEND", notification: false, body: utf8("still there") }, null, queue.ids.sndId);
    const get = (length: number): Promise<string> =>
      reader.ask({ tag: "GET" }, queue.recipientKey, queue.ids.rcvId, randomBytes(length)).then(named);
    expect(await get(255)).toBe("ERR LARGE_MSG");
    expect(await get(188)).toBe("ERR LARGE_MSG");
    expect(await get(24)).toBe("MSG");
    await expectPong(reader);
  });
});

describe("commands that are written wrongly", () => {
  let client: WireClient;
  let queue: TestQueue;

  beforeAll(async () => {
    client = await bench.connect();
    queue = await makeQueue(client);
  });

  async function answerTo(command: Uint8Array, isSender = false): Promise<string> {
    const [key, entityId] = isSender ? [null, queue.ids.sndId] : [queue.recipientKey, queue.ids.rcvId];
    return named(await client.ask(command, key, entityId));
  }

  it("are unknown in another case, with another letter, or with what JavaScript's objects have", async () => {
    const tags = ["NEW", "SUB", "KEY", "GET", "ACK", "OFF", "DEL", "QUE", "SEND", "PING", "NSUB"];
    const wrong = tags.flatMap((tag) =>
      [tag.toLowerCase(), tag.slice(0, -1), `${tag}X`, ` ${tag}`, `${tag}\n`, `${tag}\0`, `${tag[0] ?? ""}${tag}`]);
    const names = ["__proto__", "constructor", "toString", "hasOwnProperty x"];
    for (const text of [...wrong, ...names, "", " ", "IDS", "OK", "MSG", "\u00e4", "A".repeat(16_000)]) {
      const short = text.slice(0, 20);
      expect(`${short}: ${await answerTo(utf8(text))}`).toBe(`${short}: ERR CMD UNKNOWN`);
    }
    await expectPong(client);
  });

  it("have no parameters where none belong", async () => {
    for (const tag of ["SUB", "GET", "OFF", "DEL", "QUE", "NDEL", "LDEL", "NSUB", "LGET", "PING"]) {
      for (const tail of [" ", "  ", " x", " SUB", ` ${"x".repeat(1000)}`]) {
        const short = `${tag}${tail.slice(0, 9)}`;
        expect(`${short}: ${await answerTo(utf8(tag + tail))}`).toBe(`${short}: ERR CMD SYNTAX`);
      }
    }
  });

  it("have all their parameters and no more", async () => {
    const key = generateKeyPair("X25519").publicKey;
    const commands: readonly Command[] = [
      { tag: "NEW", rcvAuthKey: key, rcvDhKey: key, basicAuth: null, subscribe: true, queueReqData: null, ntfCreds: null },
      { tag: "KEY", key },
      { tag: "SKEY", key },
      { tag: "LKEY", key },
      { tag: "RKEY", keys: [key] },
      { tag: "NKEY", key, dhKey: key },
      { tag: "ACK", msgId: randomBytes(24) },
      { tag: "LSET", linkId: randomBytes(24), linkData: { fixedData: randomBytes(5), userData: randomBytes(5) } },
      { tag: "PRXY", server: { hosts: ["a.example"], port: "1", keyHash: randomBytes(32) }, basicAuth: null },
      { tag: "SUBS", queues: { count: 1, idsHash: randomBytes(16) } },
    ];
    for (const command of commands) {
      const whole = encodeCommand(command, 19);
      const longer = [concat(whole, utf8(" ")), concat(whole, Uint8Array.of(0))];
      const shorter = [whole.slice(0, -1), whole.slice(0, command.tag.length + 1)];
      const twoSpaces = concat(utf8(`${command.tag}  `), whole.slice(command.tag.length + 1));
      for (const bytes of [...longer, ...shorter, twoSpaces]) {
        expect(`${command.tag} ${await answerTo(bytes)}`).toBe(`${command.tag} ERR CMD SYNTAX`);
      }
    }
    for (const text of ["SEND", "SEND ", "SEND T", "SEND X body", "SEND  T body", "SEND t body"]) {
      expect(`${text}: ${await answerTo(utf8(text), true)}`).toBe(`${text}: ERR CMD SYNTAX`);
    }
  });

  it("of names must name something", async () => {
    const rslv = (text: string): Promise<string> => client.ask(utf8(text)).then(named);
    const long = [`${"a".repeat(64)}.b`, `${"a.".repeat(127)}b`];
    for (const name of ["", ".", "a", "a.", ".a", "a..b", "-a.b", "a-.b", "a_b.c", "\u00e4.b", ...long]) {
      expect(`${name}: ${await rslv(`RSLV ${name}`)}`).toBe(`${name}: ERR CMD SYNTAX`);
    }
    for (const name of ["a.b", "A.B and more", `${"a".repeat(63)}.b`]) {
      expect(await rslv(`RSLV ${name}`)).toBe("ERR NAME NO_RESOLVER");
    }
  });

  it("left nothing behind in the queue", async () => {
    const answer = await client.ask({ tag: "QUE" }, queue.recipientKey, queue.ids.rcvId);
    expect(answer).toMatchObject({ info: { qiSnd: false, qiNtf: false, qiSize: 0 } });
  });
});

describe("keys that cannot be used", () => {
  it("are a mistake of the command, not of the relay", async () => {
    const client = await bench.connect();
    const zero = { algorithm: "X25519", raw: new Uint8Array(32) } as const;
    await expect(makeQueue(client, { change: { rcvDhKey: zero } })).rejects.toThrow("CMD SYNTAX");
    const queue = await makeQueue(client);
    const nkey: Command = { tag: "NKEY", key: generateKeyPair("Ed25519").publicKey, dhKey: zero };
    expect(named(await client.ask(nkey, queue.recipientKey, queue.ids.rcvId))).toBe("ERR CMD SYNTAX");
    // Everybody shares the same secret with this key.
    const corrId = randomBytes(24);
    const rest = concat(str(queue.ids.sndId), encodeCommand({ tag: "SKEY", key: zero }, 19));
    client.sendAll([crude(new Uint8Array(80), utf8("0"), corrId, rest)]);
    expect(named((await client.answer(corrId)).message)).toBe("ERR AUTH");
  });
});
