import { describe, expect, it } from "vitest";
import { generateKeyPair } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import type { NEW } from "#protocol/commands/queue";
import { makeQueue, send, subscribe, type TestQueue } from "../support/queue-user.ts";
import { named, type WireClient } from "../support/wire-client.ts";
import { pause, RelayBench } from "./support/relay-bench.ts";

/** Sends them without waiting; the answers in their order. */
async function answersTo(client: WireClient, make: (corrId: Uint8Array) => Uint8Array, count: number): Promise<string[]> {
  const corrIds = Array.from({ length: count }, () => randomBytes(24));
  client.sendAll(corrIds.map(make));
  const answers = [];
  for (const corrId of corrIds) answers.push(named((await client.answer(corrId)).message));
  return answers;
}

const count = (answers: readonly string[], name: string): number => answers.filter((answer) => answer === name).length;

function creating(client: WireClient, change: Partial<NEW> = {}): (corrId: Uint8Array) => Uint8Array {
  const keys = generateKeyPair("Ed25519");
  const command = {
    tag: "NEW",
    rcvAuthKey: keys.publicKey,
    rcvDhKey: generateKeyPair("X25519").publicKey,
    basicAuth: null,
    subscribe: false,
    queueReqData: null,
    ntfCreds: null,
    ...change,
  } as const;
  return (corrId) => client.transmission(command, keys.secretKey, undefined, corrId);
}

describe("a relay that grants little, and only to those who know its password", () => {
  const password = "the-password";
  const bench = RelayBench.use({
    NEW_QUEUES_PER_MINUTE: "60",
    MESSAGES_PER_MINUTE: "120",
    QUEUES_PER_CONNECTION: "5",
    CREATE_PASSWORD: password,
  });
  const known = { basicAuth: password };

  it("refuses more queues, of that connection alone, and grants them again later", async () => {
    const [client, other] = await Promise.all([bench.connect(), bench.connect()]);
    const before = bench.files("Queue").length;
    const answers = await answersTo(client, creating(client, known), 200);
    const made = count(answers, "IDS");
    expect(made).toBeGreaterThanOrEqual(60);
    expect(made).toBeLessThan(65);
    expect(count(answers, "ERR QUOTA")).toBe(200 - made);
    expect(bench.files("Queue").length - before).toBe(made);
    const queue = await makeQueue(other, { change: known });
    expect(named(await subscribe(client, queue))).toBe("SOK");
    await pause(1100);
    expect(await answersTo(client, creating(client, known), 1)).toEqual(["IDS"]);
    await bench.expectService();
  });

  it("refuses more messages without storing them, and takes them again later", async () => {
    const [client, other] = await Promise.all([bench.connect(), bench.connect()]);
    const queue = await makeQueue(client, { change: { ...known, subscribe: false } });
    const body = new Uint8Array(10);
    const answers = await answersTo(client, (corrId) =>
      client.transmission({ tag: "SEND", notification: false, body }, null, queue.ids.sndId, corrId), 126);
    const stored = count(answers, "OK");
    expect(stored).toBeGreaterThanOrEqual(120);
    expect(stored).toBeLessThan(126);
    expect(count(answers, "ERR QUOTA")).toBe(126 - stored);
    const info = await client.ask({ tag: "QUE" }, queue.recipientKey, queue.ids.rcvId);
    expect(info).toMatchObject({ info: { qiSize: stored } });
    expect(named(await send(other, queue, "from somebody else"))).toBe("OK");
    await pause(600);
    expect(named(await send(client, queue, "later"))).toBe("OK");
  });

  async function queues(number: number): Promise<TestQueue[]> {
    const owner = await bench.connect();
    const made = [];
    for (let i = 0; i < number; i++) made.push(await makeQueue(owner, { change: { ...known, subscribe: false } }));
    return made;
  }

  it("refuses to subscribe to more queues, one by one, in one block and in blocks without a pause", async () => {
    const all = await queues(30);
    for (const perBlock of [1, 30, 7]) {
      const client = await bench.connect();
      const corrIds = all.map(() => randomBytes(24));
      const sent = all.map((queue, i) => client.transmission({ tag: "SUB" }, queue.recipientKey, queue.ids.rcvId, corrIds[i]));
      for (let i = 0; i < sent.length; i += perBlock) client.sendAll(sent.slice(i, i + perBlock));
      const answers = [];
      for (const corrId of corrIds) answers.push(named((await client.answer(corrId)).message));
      expect([count(answers, "SOK"), count(answers, "ERR QUOTA")]).toEqual([5, 25]);
      client.close();
    }
  });

  it("grants another for each that is deleted or lost to another connection", async () => {
    const all = await queues(8);
    const [client, rival] = await Promise.all([bench.connect(), bench.connect()]);
    const sub = (queue: TestQueue | undefined): Promise<string> =>
      queue ? subscribe(client, queue).then(named) : Promise.reject(new Error("no queue"));
    for (const queue of all.slice(0, 5)) expect(await sub(queue)).toBe("SOK");
    expect(await sub(all[5])).toBe("ERR QUOTA");
    const [gone, lost] = all;
    if (!gone || !lost) throw new Error("no queues");
    await client.ask({ tag: "DEL" }, gone.recipientKey, gone.ids.rcvId);
    expect(await sub(all[5])).toBe("SOK");
    expect(await sub(all[6])).toBe("ERR QUOTA");
    await subscribe(rival, lost);
    expect(named((await client.event(lost.ids.rcvId)).message)).toBe("END");
    expect(await sub(all[6])).toBe("SOK");
    expect(await sub(all[7])).toBe("ERR QUOTA");
  });

  it("does not count commands that came to nothing", async () => {
    const [queue] = await queues(1);
    const client = await bench.connect();
    const key = generateKeyPair("Ed25519").secretKey;
    const sub = (corrId: Uint8Array): Uint8Array => client.transmission({ tag: "SUB" }, key, randomBytes(24), corrId);
    for (let i = 0; i < 10; i++) expect(new Set(await answersTo(client, sub, 5))).toEqual(new Set(["ERR AUTH"]));
    if (queue) expect(named(await subscribe(client, queue))).toBe("SOK");
  });

  it("makes no queue for a wrong password, and tells nothing of the right one", async () => {
    const before = bench.files("Queue").length;
    const almost = [password.slice(0, -1), `${password}x`, password.toUpperCase(), `${password}~`];
    const wrong = [null, "", "x", "\u00e9".repeat(100), ...almost];
    for (const version of [6, 8, 10, 14, 15, 19]) {
      const client = await bench.connect({ version });
      for (const basicAuth of wrong) {
        const queueReqData = version >= 9 ? { mode: "messaging", data: null } as const : null;
        expect(await answersTo(client, creating(client, { basicAuth, queueReqData }), 2)).toEqual(["ERR AUTH", "ERR AUTH"]);
      }
    }
    expect(bench.files("Queue").length).toBe(before);
    expect((await queues(1)).length).toBe(1);
  });
});

describe("a relay on which nobody makes queues", () => {
  const bench = RelayBench.use({ NEW_QUEUES: "off" });

  it("refuses each, and has not one file for it", async () => {
    for (const version of [6, 10, 19]) {
      const client = await bench.connect({ version });
      const queueReqData = version >= 9 ? { mode: "contact", data: null } as const : null;
      expect(new Set(await answersTo(client, creating(client, { queueReqData }), 50))).toEqual(new Set(["ERR AUTH"]));
    }
    expect(bench.files("Queue")).toEqual([]);
    await bench.expectService();
  });
});
