import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { base64url } from "#crypto/bytes";
import type { QueueApi } from "../../src/objects/api.ts";
import { acknowledge, makeQueue, open, send, subscribe, type TestQueue } from "../support/queue-user.ts";
import { named } from "../support/wire-client.ts";
import { connect } from "../support/workerd-relay.ts";

/** Makes the next calls of all queue objects fail, as an object does that moved, was updated or is overloaded. */
async function failNextCalls(queue: TestQueue, count: number, nature: { retryable?: boolean; overloaded?: boolean }): Promise<void> {
  const stub = env.QUEUE.get(env.QUEUE.idFromName(base64url(queue.ids.sndId)));
  await runInDurableObject(stub, (instance) => {
    const prototype = Object.getPrototypeOf(instance) as QueueApi;
    const spy = vi.spyOn(prototype, "handle");
    for (let i = 0; i < count; i++) spy.mockImplementationOnce(() => Promise.reject(Object.assign(new Error("secret"), nature)));
  });
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe("a queue object that fails", () => {
  it("is asked again where that may help, and nobody notices", async () => {
    const client = await connect();
    const queue = await makeQueue(client);
    await failNextCalls(queue, 2, { retryable: true });
    expect(named(await send(client, queue, "through"))).toBe("OK");
    expect(open(queue, (await client.event()).message).text).toBe("through");
  });

  it("is not asked again when it is overloaded: the client is told, and nothing of the inside", async () => {
    const client = await connect();
    const queue = await makeQueue(client);
    await failNextCalls(queue, 1, { retryable: true, overloaded: true });
    expect(await send(client, queue, "refused")).toEqual({ tag: "ERR", error: { type: "INTERNAL" } });
    expect(named(await send(client, queue, "taken"))).toBe("OK");
  });

  it("while it acknowledges ends the connection, and the message comes again to the next one", async () => {
    const client = await connect();
    const queue = await makeQueue(client);
    await send(client, queue, "kept");
    const held = open(queue, (await client.event()).message);
    await failNextCalls(queue, 1, { retryable: true });
    await expect(acknowledge(client, queue, held.msgId)).rejects.toThrow("closed");
    expect(await client.closed).toMatchObject({ code: 1012, reason: "connect again" });
    const next = await connect();
    await subscribe(next, queue);
    expect(open(queue, (await next.event()).message)).toEqual(held);
  });
});
