import { connect } from "node:net";
import { describe, expect, it } from "vitest";
import { EMPTY, equal } from "#crypto/bytes";
import { generateKeyPair } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import { encodeBatch } from "#protocol/transmission";
import { acknowledge, makeQueue, open, send, type TestQueue } from "../support/queue-user.ts";
import { named, type WireClient } from "../support/wire-client.ts";
import { encodeFrame, OPCODE, type RawSocket } from "./support/raw-socket.ts";
import { pause, RelayBench } from "./support/relay-bench.ts";

const bench = RelayBench.use();
/** MB that the relay's process may grow by: a block is 16 KB, and an isolate has its own ideas of garbage. */
const GROWTH = 150;

/** Does it, and fails when the relay has kept memory or handles for it. */
async function leavesNothing(flood: () => Promise<void>): Promise<void> {
  await bench.expectService();
  const [memory, handles] = [bench.memory(), bench.handles()];
  await flood();
  await bench.expectService();
  if (memory === null || handles === null) return;
  expect((bench.memory() ?? 0) - memory).toBeLessThan(GROWTH);
  await expect.poll(() => bench.handles() ?? 0, { timeout: 10_000 }).toBeLessThan(handles + 20);
}

describe("connections by the hundred", () => {
  it("that are dropped in every moment of their life leave nothing behind", async () => {
    await leavesNothing(async () => {
      const block = encodeFrame({ opcode: OPCODE.binary, payload: randomBytes(16_384) });
      await Promise.all(Array.from({ length: 400 }, async (_, i) => {
        if (i % 4 === 0) return (await bench.raw()).drop();
        const { client, socket } = await bench.connectRaw();
        if (i % 4 === 1) socket.bytes(block.slice(0, 8000));
        if (i % 4 === 2) client.sendAll(Array.from({ length: 20 }, () => client.transmission({ tag: "PING" })));
        socket.drop();
      }));
    });
  });

  it("that never finish opening hold nobody up", async () => {
    await leavesNothing(async () => {
      const { port } = new URL(bench.relay.info.url);
      const start = "GET / HTTP/1.1\r\n";
      const parts = ["", start, `${start}Host: x\r\nUpgrade: websocket\r\n`, "\u0016\u0003\u0001\u0002"];
      const tcps = Array.from({ length: 200 }, (_, i) => {
        const tcp = connect(Number(port), "127.0.0.1");
        tcp.on("error", () => undefined);
        tcp.write(parts[i % parts.length] ?? "");
        return tcp;
      });
      const silent = await Promise.all(Array.from({ length: 200 }, () => bench.raw()));
      const started = performance.now();
      await bench.expectService();
      expect(performance.now() - started).toBeLessThan(3000);
      for (const tcp of tcps) tcp.destroy();
      for (const socket of silent) socket.drop();
    });
  });

  it("with subscriptions, dropped without a word, keep no message from the next", async () => {
    const owner = await bench.connect();
    const queue = await makeQueue(owner, { change: { subscribe: false } });
    for (let i = 0; i < 25; i++) {
      const { client, socket } = await bench.connectRaw();
      expect(named(await client.ask({ tag: "SUB" }, queue.recipientKey, queue.ids.rcvId))).toBe("SOK");
      socket.drop();
      expect(named(await send(owner, queue, String(i)))).toBe("OK");
    }
    const heir = await bench.connect();
    await heir.ask({ tag: "SUB" }, queue.recipientKey, queue.ids.rcvId);
    let { message } = await heir.event();
    for (let i = 0; i < 25; i++) {
      const { text, msgId } = open(queue, message);
      expect(text).toBe(String(i));
      message = await acknowledge(heir, queue, msgId);
    }
  });
});

describe("one connection that asks too much", () => {
  it("gets all of 10,000 pings answered in their order", async () => {
    const client = await bench.connect();
    const blocks = Array.from({ length: 40 }, () => Array.from({ length: 250 }, () => randomBytes(24)));
    for (const corrIds of blocks) {
      const pings = corrIds.map((corrId) => client.transmission({ tag: "PING" }, null, EMPTY, corrId));
      client.sendRaw(client.seal(encodeBatch(pings)));
    }
    for (const corrId of blocks.flat()) {
      const answer = await client.next();
      if (named(answer.message) !== "PONG" || !equal(answer.corrId, corrId)) throw new Error("out of order");
    }
  });

  it("leaves no file behind for ids and keys that it makes up", async () => {
    const client = await bench.connect();
    await client.ask({ tag: "LGET" }, null, randomBytes(24));
    const [queues, links] = [bench.files("Queue"), bench.files("Link")];
    const key = generateKeyPair("Ed25519").secretKey;
    for (let round = 0; round < 10; round++) {
      const sent = Array.from({ length: 150 }, (_, i) => {
        const id = randomBytes(24);
        if (i % 3 === 0) return client.transmission({ tag: "LGET" }, null, id);
        return client.transmission({ tag: i % 3 === 1 ? "SUB" : "NSUB" }, key, id);
      });
      client.sendAll(sent);
      for (const _ of sent) expect(named((await client.next()).message)).toBe("ERR AUTH");
    }
    expect([bench.files("Queue"), bench.files("Link")]).toEqual([queues, links]);
  });
});

describe("a client that does not read", () => {
  interface Stalled {
    readonly client: WireClient;
    readonly socket: RawSocket;
    readonly queue: TestQueue;
    /** A block that asks a hundred times for the message in the queue: 1.6 MB of answers. */
    readonly block: Uint8Array;
  }

  /** A subscriber whose network has come to a stop. Its blocks are clear, so that one can be sent again. */
  async function stalled(): Promise<Stalled> {
    const { client, socket } = await bench.connectRaw({ keyless: true });
    const queue = await makeQueue(client);
    await send(client, queue, "again and again");
    await client.event(queue.ids.rcvId);
    const sub = client.transmission({ tag: "SUB" }, queue.recipientKey, queue.ids.rcvId);
    socket.stopReading();
    return { client, socket, queue, block: client.seal(encodeBatch(Array.from({ length: 100 }, () => sub))) };
  }

  it("holds up neither its senders nor anybody else", async () => {
    await leavesNothing(async () => {
      const sender = await bench.connect();
      const { client, socket, queue } = await stalled();
      for (let i = 0; i < 100; i++) expect(named(await send(sender, queue, String(i)))).toBe("OK");
      await bench.expectService();
      socket.goOnReading();
      expect(named(await client.ask({ tag: "PING" }))).toBe("PONG");
      // What waits is in the queue, not on the way: nothing was acknowledged.
      expect(await client.isQuiet(50)).toBe(true);
      client.close();
    });
  });

  it("has its commands put off, and all of them answered once it reads", async () => {
    const { client, socket, block } = await stalled();
    const count = 20;
    for (let i = 0; i < count; i++) client.sendRaw(block);
    await pause(600);
    socket.goOnReading();
    const tags = { SOK: 0, MSG: 0 };
    for (let i = 0; i < 200 * count; i++) {
      const { message } = await client.next();
      if (message.tag === "SOK" || message.tag === "MSG") tags[message.tag]++;
    }
    expect(tags).toEqual({ SOK: 100 * count, MSG: 100 * count });
    client.close();
  });

  it("and asks for ever more is given up before it fills the relay's memory", async () => {
    await leavesNothing(async () => {
      const { client, socket, block } = await stalled();
      for (let i = 0; i < 250; i++) client.sendRaw(block); // 400 MB of answers
      await pause(800);
      socket.goOnReading();
      expect(await client.closed).toEqual({ code: 1013, reason: "answers are not read" });
    });
  });
});
