import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { EMPTY } from "#crypto/bytes";
import { randomBytes } from "#crypto/random";
import { encodeBatch } from "#protocol/transmission";
import { BLOCKS_PUT_OFF, BUFFERED, DRAIN } from "../../src/relay/limits.ts";
import { holdCalls } from "../support/failing-objects.ts";
import { makeQueue, open, send, subscribe } from "../support/queue-user.ts";
import { named, type WireClient } from "../support/wire-client.ts";
import { connect } from "../support/workerd-relay.ts";

// Sockets within one process never fill up, so here it is said how many bytes wait for a client. Tests of hostile
// peers use sockets that stop reading, but cannot tell how many bytes the system takes off the relay's hands.
const waiting = new WeakMap<object, number>();
/** The relay's sockets in the order in which it looked at them. */
const looked: object[] = [];

beforeEach(() => {
  vi.spyOn(WebSocket.prototype, "bufferedAmount", "get").mockImplementation(function (this: object) {
    looked.push(this);
    return waiting.get(this) ?? 0;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

interface SlowClient {
  readonly client: WireClient;
  /** Says how many bytes wait for it. */
  letWait(bytes: number): void;
}

async function connectSlow(): Promise<SlowClient> {
  const client = await connect();
  looked.length = 0;
  await client.ask({ tag: "PING" });
  const [socket] = looked;
  if (!socket) throw new Error("the relay did not look at the socket");
  return { client, letWait: (bytes) => waiting.set(socket, bytes) };
}

/** Sends so many blocks with one command each. Their corrIds. */
function sendBlocks(client: WireClient, blocks: number, make: (corrId: Uint8Array) => Uint8Array): Uint8Array[] {
  const corrIds = Array.from({ length: blocks }, () => randomBytes(24));
  for (const corrId of corrIds) client.sendRaw(client.seal(encodeBatch([make(corrId)])));
  return corrIds;
}

function ping(client: WireClient, blocks: number): Uint8Array[] {
  return sendBlocks(client, blocks, (corrId) => client.transmission({ tag: "PING" }, null, EMPTY, corrId));
}

async function expectAnswers(client: WireClient, corrIds: readonly Uint8Array[]): Promise<void> {
  for (const corrId of corrIds) expect(named((await client.answer(corrId)).message)).toBe("PONG");
}

const GIVEN_UP = { code: 1013, reason: "answers are not read" };

describe("a client that does not read", () => {
  it("is served up to a limit of what waits for it", async () => {
    const { client, letWait } = await connectSlow();
    letWait(BUFFERED.high);
    await expectAnswers(client, ping(client, 1));
    letWait(BUFFERED.high + 1);
    const corrIds = ping(client, 1);
    await expect(client.answer(EMPTY, 3 * DRAIN.pause)).rejects.toThrow("nothing came");
    letWait(BUFFERED.high);
    await expectAnswers(client, corrIds);
  });

  it("may have so many blocks put off, all answered once it reads", async () => {
    const { client, letWait } = await connectSlow();
    letWait(BUFFERED.high + 1);
    const corrIds = ping(client, BLOCKS_PUT_OFF);
    await expect(client.answer(EMPTY, 3 * DRAIN.pause)).rejects.toThrow("nothing came");
    letWait(0);
    await expectAnswers(client, corrIds);
  });

  it("is given up with the next block", async () => {
    const { client, letWait } = await connectSlow();
    letWait(BUFFERED.high + 1);
    ping(client, BLOCKS_PUT_OFF + 1);
    expect(await client.closed).toEqual(GIVEN_UP);
  });

  it("may have many more under way while it reads", async () => {
    const client = await connect();
    const { ids, recipientKey } = await makeQueue(client);
    let isOver = false;
    holdCalls("handle", 2 * BLOCKS_PUT_OFF, () => isOver);
    const corrIds = sendBlocks(client, 2 * BLOCKS_PUT_OFF, (corrId) =>
      client.transmission({ tag: "QUE" }, recipientKey, ids.rcvId, corrId));
    await expect(client.answer(EMPTY, 300)).rejects.toThrow("nothing came");
    isOver = true;
    for (const corrId of corrIds) expect(named((await client.answer(corrId)).message)).toBe("INFO");
  });

  it("is waited for as long as patience lasts, and not longer", async () => {
    const start = Date.now();
    vi.useFakeTimers({ toFake: ["Date"], now: start });
    const { client, letWait } = await connectSlow();
    letWait(BUFFERED.high + 1);
    const corrIds = ping(client, 1);
    await expect(client.answer(EMPTY, DRAIN.pause)).rejects.toThrow("nothing came");
    vi.setSystemTime(start + DRAIN.patience);
    await expect(client.answer(EMPTY, 4 * DRAIN.pause)).rejects.toThrow("nothing came");
    letWait(0);
    await expectAnswers(client, corrIds);

    vi.setSystemTime(start);
    letWait(BUFFERED.high + 1);
    ping(client, 1);
    await expect(client.answer(EMPTY, DRAIN.pause)).rejects.toThrow("nothing came");
    vi.setSystemTime(start + DRAIN.patience + 1);
    expect(await client.closed).toEqual(GIVEN_UP);
  });

  it("is pushed messages up to a limit; then it goes, and the message is for the next connection", async () => {
    const sender = await connect();
    const { client, letWait } = await connectSlow();
    const [pushed, kept] = [await makeQueue(client), await makeQueue(client)];
    letWait(BUFFERED.most);
    expect(named(await send(sender, pushed, "the last"))).toBe("OK");
    expect(open(pushed, (await client.event()).message).text).toBe("the last");
    letWait(BUFFERED.most + 1);
    expect(named(await send(sender, kept, "too much"))).toBe("OK");
    expect(await client.closed).toEqual({ code: 1013, reason: "messages are not read" });
    const next = await connect();
    expect(named(await subscribe(next, kept))).toBe("SOK");
    expect(open(kept, (await next.event()).message).text).toBe("too much");
  });
});
