import { evictAllDurableObjects, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import { base64url } from "#crypto/bytes";
import { meter } from "../../src/objects/meter.ts";
import { acknowledge, makeQueue, open, send, subscribe, type TestQueue } from "../support/queue-user.ts";
import { named } from "../support/wire-client.ts";
import { connect } from "../support/workerd-relay.ts";

function objectOf(queue: TestQueue): DurableObjectStub {
  return env.QUEUE.get(env.QUEUE.idFromName(base64url(queue.ids.sndId)));
}

describe("objects that leave memory", () => {
  it.each([6, 11, 19])("between any two blocks go on as if nothing had happened (version %i)", async (version) => {
    const [recipient, sender] = await Promise.all([connect({ version }), connect({ version })]);
    await evictAllDurableObjects();
    const queue = await makeQueue(recipient);
    for (const text of ["one", "two", "three"]) {
      await evictAllDurableObjects();
      expect(named(await send(sender, queue, text))).toBe("OK");
    }
    let { message } = await recipient.event();
    for (const text of ["one", "two", "three"]) {
      await evictAllDurableObjects();
      const opened = open(queue, message);
      expect(opened.text).toBe(text);
      message = await acknowledge(recipient, queue, opened.msgId);
    }
    expect(message).toEqual({ tag: "OK" });
    await evictAllDurableObjects();
    await send(sender, queue, "pushed");
    expect(open(queue, (await recipient.event()).message).text).toBe("pushed");
  });

  it("remember who is subscribed, what was delivered and how full the queue is", async () => {
    const [recipient, sender] = await Promise.all([connect(), connect()]);
    const queue = await makeQueue(recipient);
    await send(sender, queue, "held");
    const held = open(queue, (await recipient.event()).message);
    await evictAllDurableObjects();
    await send(sender, queue, "next");
    expect(await recipient.isQuiet()).toBe(true);
    await evictAllDurableObjects();
    expect(open(queue, await acknowledge(recipient, queue, held.msgId)).text).toBe("next");
  });

  it("remember the quota marker", async () => {
    const [recipient, sender] = await Promise.all([connect(), connect()]);
    const queue = await makeQueue(recipient, { change: { subscribe: false } });
    for (let i = 0; i < 128; i++) await send(sender, queue, String(i));
    expect(named(await send(sender, queue, "too much"))).toBe("ERR QUOTA");
    await evictAllDurableObjects();
    expect(named(await send(sender, queue, "still"))).toBe("ERR QUOTA");
    await subscribe(recipient, queue);
    let { message } = await recipient.event();
    for (let i = 0; i < 128; i++) message = await acknowledge(recipient, queue, open(queue, message).msgId);
    const marker = open(queue, message);
    expect(marker.text).toBe("QUOTA");
    expect(await acknowledge(recipient, queue, marker.msgId)).toEqual({ tag: "OK" });
    expect(named(await send(sender, queue, "again"))).toBe("OK");
  });
});

describe("the alarm of a queue", () => {
  it("is set once for the oldest message, drops what has expired and is set again for what is left", async () => {
    const [owner, sender] = await Promise.all([connect(), connect()]);
    const queue = await makeQueue(owner, { change: { subscribe: false } });
    const object = objectOf(queue);
    const alarm = (): Promise<number | null> => runInDurableObject(object, (_, state) => state.storage.getAlarm());
    expect(await alarm()).toBeNull();
    await send(sender, queue, "old");
    const first = await alarm();
    expect(first).not.toBeNull();
    await send(sender, queue, "also");
    expect(await alarm()).toBe(first);
    const days = 86_400_000;
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 22 * days });
    try {
      expect(await runDurableObjectAlarm(object)).toBe(true);
    } finally {
      vi.useRealTimers();
    }
    await subscribe(owner, queue);
    expect(await owner.isQuiet()).toBe(true);
    expect(await alarm()).toBeNull();
  });

  it("never exists for a queue that holds nothing", async () => {
    const owner = await connect();
    const queue = await makeQueue(owner);
    expect(await runDurableObjectAlarm(objectOf(queue))).toBe(false);
  });
});

describe("storage", () => {
  const rows = (queue: TestQueue): Promise<string[]> =>
    runInDurableObject(objectOf(queue), (_, state) =>
      state.storage.sql.exec("SELECT name FROM sqlite_master WHERE type = 'table'").toArray().map((row) => String(row["name"])));

  it("of a deleted queue is empty", async () => {
    const owner = await connect();
    const queue = await makeQueue(owner);
    await send(owner, queue, "gone");
    expect(await rows(queue)).toContain("message");
    await owner.ask({ tag: "DEL" }, queue.recipientKey, queue.ids.rcvId);
    await evictAllDurableObjects();
    expect((await rows(queue)).filter((name) => !name.startsWith("_cf"))).toEqual([]);
  });

  it("costs two rows a message, and none for a repeated SUB", async () => {
    const [recipient, sender] = await Promise.all([connect(), connect()]);
    const queue = await makeQueue(recipient);
    const changes = (): Promise<number> =>
      runInDurableObject(objectOf(queue), (_, state) => Number(state.storage.sql.exec("SELECT total_changes() AS n").one()["n"]));
    await send(sender, queue, "sets the alarm");
    await acknowledge(recipient, queue, open(queue, (await recipient.event()).message).msgId);
    const before = await changes();
    const billed = meter.rowsWritten;
    const count = 10;
    for (let i = 0; i < count; i++) {
      await send(sender, queue, "m");
      await acknowledge(recipient, queue, open(queue, (await recipient.event()).message).msgId);
    }
    expect(await changes() - before).toBe(2 * count);
    await subscribe(recipient, queue);
    expect(await changes() - before).toBe(2 * count);
    expect(meter.rowsWritten - billed).toBe(2 * count);
  });
});
