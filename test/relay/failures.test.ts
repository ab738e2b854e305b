import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { base64url } from "#crypto/bytes";
import { Connection } from "../../src/objects/connection.ts";
import { acknowledge, makeQueue, open, send, subscribe, type TestQueue } from "../support/queue-user.ts";
import { failCalls, insteadOfPauses, loseAnswers, until } from "../support/failing-objects.ts";
import { named, type WireClient } from "../support/wire-client.ts";
import { connect } from "../support/workerd-relay.ts";

const NO_ANSWER = { tag: "ERR", error: { type: "STORE", storeErr: "the queue did not answer, try again" } };

afterEach(() => {
  vi.restoreAllMocks();
});

function objectOf(queue: TestQueue): DurableObjectStub {
  return env.QUEUE.get(env.QUEUE.idFromName(base64url(queue.ids.sndId)));
}

/** How many messages the queue holds. */
async function sizeOf(client: WireClient, queue: TestQueue): Promise<number> {
  const answer = await client.ask({ tag: "QUE" }, queue.recipientKey, queue.ids.rcvId);
  if (answer.tag !== "INFO") throw new Error(named(answer));
  return answer.info.qiSize;
}

describe("a queue object that fails", () => {
  it("is asked again where that may help, and nobody notices", async () => {
    const client = await connect();
    const queue = await makeQueue(client);
    failCalls("handle", 2);
    expect(named(await send(client, queue, "through"))).toBe("OK");
    expect(open(queue, (await client.event()).message).text).toBe("through");
  });

  it.each([
    ["is overloaded", { retryable: true, overloaded: true }, 1],
    ["does not say that it may help", {}, 1],
    ["has failed three times", { retryable: true }, 3],
  ])("is not asked again when it %s: the client shall, and learns nothing of why", async (_, nature, times) => {
    const client = await connect();
    const queue = await makeQueue(client);
    failCalls("handle", times, nature);
    expect(await send(client, queue, "refused")).toEqual(NO_ANSWER);
    expect(named(await send(client, queue, "taken"))).toBe("OK");
    expect(open(queue, (await client.event()).message).text).toBe("taken");
  });

  it("while it acknowledges ends the connection, and the message comes again to the next one", async () => {
    const client = await connect();
    const queue = await makeQueue(client);
    await send(client, queue, "kept");
    const held = open(queue, (await client.event()).message);
    failCalls("handle", 1);
    await expect(acknowledge(client, queue, held.msgId)).rejects.toThrow("closed");
    expect(await client.closed).toMatchObject({ code: 1012, reason: "connect again" });
    const next = await connect();
    await subscribe(next, queue);
    expect(open(queue, (await next.event()).message)).toEqual(held);
  });
});

describe("a message whose OK got lost", () => {
  it("is stored once, however often it is sent on", async () => {
    const [owner, sender] = await Promise.all([connect(), connect()]);
    const queue = await makeQueue(owner, { change: { subscribe: false } });
    await send(sender, queue, "before");
    loseAnswers("handle", 2);
    expect(named(await send(sender, queue, "once"))).toBe("OK");
    await send(sender, queue, "after");
    expect(await sizeOf(owner, queue)).toBe(3);
  });

  it("is stored once where the object lost its memory too", async () => {
    const [owner, sender] = await Promise.all([connect(), connect()]);
    const queue = await makeQueue(owner, { change: { subscribe: false } });
    loseAnswers("handle", 2);
    insteadOfPauses(() => evictDurableObject(objectOf(queue)));
    expect(named(await send(sender, queue, "once"))).toBe("OK");
    expect(await sizeOf(owner, queue)).toBe(1);
  });

  it("reaches its subscriber also where the object failed before it told anybody", async () => {
    const [owner, sender] = await Promise.all([connect(), connect()]);
    const queue = await makeQueue(owner);
    const push = vi.spyOn(Connection.prototype, "push").mockResolvedValueOnce(true);
    loseAnswers("handle", 1);
    expect(named(await send(sender, queue, "found"))).toBe("OK");
    expect(open(queue, (await owner.event()).message).text).toBe("found");
    expect(push).toHaveBeenCalledTimes(2);
  });

  /** The recipient is quicker than the second call. */
  async function sendAndTake(
    owner: WireClient,
    queue: TestQueue,
    text: string,
    meanwhile: () => Promise<void> = async () => undefined,
  ): Promise<Uint8Array> {
    const sender = await connect();
    let isTaken = false;
    loseAnswers("handle", 1, () => until(() => isTaken));
    const sent = send(sender, queue, text);
    const { msgId } = open(queue, (await owner.event()).message);
    expect(await acknowledge(owner, queue, msgId)).toEqual({ tag: "OK" });
    await meanwhile();
    isTaken = true;
    expect(named(await sent)).toBe("OK");
    return msgId;
  }

  it("does not come again once its recipient has it, even where the object lost its memory", async () => {
    const owner = await connect();
    const queue = await makeQueue(owner);
    insteadOfPauses(() => evictDurableObject(objectOf(queue)));
    await sendAndTake(owner, queue, "once");
    expect(await owner.isQuiet()).toBe(true);
    expect(await sizeOf(owner, queue)).toBe(0);
  });

  it("comes again under its own id where others have passed in the meantime", async () => {
    const [owner, other] = await Promise.all([connect(), connect()]);
    const queue = await makeQueue(owner);
    const msgId = await sendAndTake(owner, queue, "twice", async () => {
      await send(other, queue, "passing");
      await acknowledge(owner, queue, open(queue, (await owner.event()).message).msgId);
    });
    expect(open(queue, (await owner.event()).message)).toEqual({ text: "twice", msgId });
  });
});
