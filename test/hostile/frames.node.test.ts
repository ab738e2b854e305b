import { describe, expect, it } from "vitest";
import { concat, utf8 } from "#crypto/bytes";
import { clearBlock } from "#protocol/block";
import { encodeBatch } from "#protocol/transmission";
import { makeQueue, subscribe } from "../support/queue-user.ts";
import { named } from "../support/wire-client.ts";
import { closePayload, encodeFrame, type Frame, OPCODE, type RawSocket } from "./support/raw-socket.ts";
import { pause, RelayBench, within } from "./support/relay-bench.ts";
import { seeded } from "./support/seeded.ts";

const bench = RelayBench.use();
const BLOCK = 16_384;
const WRONG_SIZES = [0, 1, 2, 125, 126, 127, 16_383, 16_385, 32_768, 65_535, 65_536, 100_000, 2_000_000];

/** The same misbehaviour on a connection that was just opened, and on one that did its handshake. */
const MOMENTS: readonly (readonly [string, () => Promise<RawSocket>])[] = [
  ["before the handshake", () => bench.raw()],
  ["after the handshake", async () => (await bench.connectRaw()).socket],
];

describe.concurrent.each(MOMENTS)("a message that is not one block, %s", (_, open) => {
  it.each(WRONG_SIZES)("closes the connection with a code and a reason: %i bytes, binary and text", async (size) => {
    for (const data of [new Uint8Array(size), "x".repeat(size)]) {
      const socket = await open();
      socket.send(data);
      expect(await socket.closed).toEqual({ code: 1007, reason: "a message must be one block of 16384 bytes" });
    }
    await bench.expectService();
  });

  it("closes it also when its characters are as many as a block has bytes", async () => {
    const socket = await open();
    socket.send("ü".repeat(BLOCK));
    expect((await socket.closed).code).toBe(1007);
  });

  it("closes it in fragments as well", async () => {
    const socket = await open();
    const payload = new Uint8Array(5000);
    const fragments = [[2, false], [0, false], [0, false], [0, true]] as const;
    for (const [opcode, fin] of fragments) socket.frame({ opcode, fin, payload });
    expect((await socket.closed).code).toBe(1007);
  });

  it("that is too large for any WebSocket server is refused before it is held", async () => {
    const socket = await open();
    const header = encodeFrame({ opcode: OPCODE.binary, payload: new Uint8Array(70_000) }).slice(0, 14);
    header.set([0, 0, 0, 16], 2); // 64 GB to come
    socket.bytes(header);
    expect((await socket.closed).code).toBe(1009);
    await bench.expectService();
  });

  const violations: Readonly<Record<string, Frame>> = {
    "a reserved bit": { opcode: OPCODE.binary, payload: new Uint8Array(BLOCK), reserved: 4 },
    "an unknown opcode": { opcode: 3, payload: new Uint8Array(BLOCK) },
    "an unknown control opcode": { opcode: 11, payload: new Uint8Array(1) },
    "a continuation of nothing": { opcode: OPCODE.continuation, payload: new Uint8Array(BLOCK) },
  };
  it.each(Object.entries(violations))("against the WebSocket protocol closes it: %s", async (_name, frame) => {
    const socket = await open();
    socket.frame(frame);
    const { code, reason } = await socket.closed;
    expect(code).toBe(1002);
    expect(reason).not.toMatch(/\.(c\+\+|ts|js)|kj|stack/i);
    await bench.expectService();
  });

  it("of noise instead of frames never ends the relay", seeded(async (random) => {
    await Promise.all(Array.from({ length: 60 }, async () => {
      const socket = await open();
      socket.bytes(random.bytes(1 + random.below(4000)));
      await within(50, socket.closed, "open");
      socket.drop();
    }));
    await bench.expectService();
  }));

  it("takes what follows it with it: no command behind it is done", async () => {
    const owner = await bench.connect();
    const queue = await makeQueue(owner);
    const { client, socket } = await bench.connectRaw();
    const del = client.transmission({ tag: "DEL" }, queue.recipientKey, queue.ids.rcvId);
    const block = client.seal(encodeBatch([del]));
    const frames = [new Uint8Array(3), block].map((payload) => encodeFrame({ opcode: OPCODE.binary, payload }));
    socket.bytes(concat(...frames));
    await socket.closed;
    expect(named(await subscribe(owner, queue))).toBe("SOK");
  });
});

describe.concurrent("a block in another shape", () => {
  it("may be text of exactly 16,384 bytes", async () => {
    const client = await bench.connect({ keyless: true });
    const corrId = utf8("a corrId of plain ASCII.");
    const block = clearBlock(encodeBatch([client.transmission({ tag: "PING" }, null, undefined, corrId)]));
    client.sendRaw(Buffer.from(block).toString("utf8"));
    expect(named((await client.answer(corrId)).message)).toBe("PONG");
  });

  it("is a block of noise when it is text that nobody sealed, however many bytes its characters have", async () => {
    const client = await bench.connect();
    for (const text of ["x".repeat(BLOCK), "ü".repeat(BLOCK / 2), "\u{1f300}".repeat(BLOCK / 4)]) {
      client.sendRaw(text);
      // Its own chain of keys moves on too.
      client.seal(utf8("never sent"));
      expect(named((await client.event()).message)).toBe("ERR BLOCK");
    }
    expect(named(await client.ask({ tag: "PING" }))).toBe("PONG");
  });

  it("may come in fragments, with control frames between them", async () => {
    const { client, socket } = await bench.connectRaw();
    const pongs: unknown[] = [];
    socket.addEventListener("pong", ({ data }) => pongs.push(data));
    for (const size of [100, 1000, 5000]) {
      const corrId = crypto.getRandomValues(new Uint8Array(24));
      const block = client.seal(encodeBatch([client.transmission({ tag: "PING" }, null, undefined, corrId)]));
      for (let at = 0; at < BLOCK; at += size) {
        const end = Math.min(BLOCK, at + size);
        const opcode = at === 0 ? OPCODE.binary : OPCODE.continuation;
        socket.frame({ opcode, fin: end === BLOCK, payload: block.slice(at, end) });
        if (at === 0) socket.frame({ opcode: OPCODE.ping, payload: utf8("still there?") });
      }
      expect(named((await client.answer(corrId)).message)).toBe("PONG");
    }
    expect(pongs).toEqual(Array.from({ length: 3 }, () => Buffer.from("still there?")));
  });

  it("may come byte by byte", async () => {
    const { client, socket } = await bench.connectRaw();
    const corrId = crypto.getRandomValues(new Uint8Array(24));
    const payload = client.seal(encodeBatch([client.transmission({ tag: "PING" }, null, undefined, corrId)]));
    const frame = encodeFrame({ opcode: OPCODE.binary, payload });
    for (let i = 0; i < 200; i++) {
      socket.bytes(frame.slice(i, i + 1));
      if (i % 10 === 0) await pause(1);
    }
    socket.bytes(frame.slice(200));
    expect(named((await client.answer(corrId)).message)).toBe("PONG");
  });
});

describe.concurrent("a client that closes in an odd way", () => {
  const codes = [0, 1, 999, 1000, 1001, 1004, 1005, 1006, 1011, 1014, 1015, 1016, 2999, 3000, 4999, 5000, 65_535];

  it.each(codes)("gets its close answered whatever the code: %i", async (code) => {
    for (const [, open] of MOMENTS) {
      const socket = await open();
      socket.close(code);
      expect(await within(3000, socket.closed, "left open")).toMatchObject({ code: expect.any(Number) as number });
    }
  });

  it.each([
    ["no code", new Uint8Array(0)],
    ["half a code", new Uint8Array(1)],
    ["a reason that is no UTF-8", closePayload(1000, new Uint8Array(20).fill(0xff))],
    ["a long reason", closePayload(1000, new Uint8Array(123).fill(0x78))],
  ])("or the payload: %s", async (_, payload) => {
    for (const [, open] of MOMENTS) {
      const socket = await open();
      socket.frame({ opcode: OPCODE.close, payload });
      expect(await within(3000, socket.closed, "left open")).toMatchObject({ code: expect.any(Number) as number });
    }
    await bench.expectService();
  });
});

describe.concurrent("requests that almost open a connection", () => {
  const challenges = [
    "",
    "?challenge=",
    "?challenge=%41",
    `?challenge=${"A".repeat(42)}`,
    `?challenge=${"A".repeat(6000)}`,
    "?challenge=\u00ff",
    `?${"a=b&".repeat(2000)}`,
  ];

  it("with a challenge that is none get a hello without a proof, and service", async () => {
    for (const query of challenges) {
      const socket = await bench.raw(query);
      const hello = await within(3000, new Promise<number>((resolve) =>
        socket.addEventListener("message", ({ data }) => resolve((data as ArrayBuffer).byteLength))), "no hello");
      expect(hello, query.slice(0, 40)).toBe(BLOCK);
      socket.drop();
    }
  });
});
