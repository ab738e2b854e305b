import { beforeAll, describe, expect, it } from "vitest";
import { EMPTY, hex, utf8 } from "#crypto/bytes";
import { sha3_384 } from "#crypto/hash";
import { generateKeyPair } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import type { AuthSecretKey } from "#protocol/authorize";
import { type Command, encodeMessage } from "#protocol/commands";
import { makeQueue, send, type TestQueue } from "../support/queue-user.ts";
import { named, type WireClient } from "../support/wire-client.ts";
import { RelayBench } from "./support/relay-bench.ts";

const bench = RelayBench.use();
const QUEUES = 300;
const ID_BITS = 192;
/**
 * Standard deviations. There are half a million comparisons, so that 6 would be passed by chance once in 800 runs, 7 once
 * in a million; ids that depend on each other in a bit show 17.
 */
const SIGMAS = 7;

interface Ids {
  readonly recipient: Uint8Array;
  readonly sender: Uint8Array;
  readonly notifier: Uint8Array;
  readonly link: Uint8Array;
}

describe("the ids of 300 queues", () => {
  let all: Ids[] = [];

  beforeAll(async () => {
    const client = await bench.connect();
    all = await Promise.all(Array.from({ length: QUEUES }, async (): Promise<Ids> => {
      const corrId = randomBytes(24);
      const linkData = { fixedData: EMPTY, userData: EMPTY };
      const data = { senderId: sha3_384(corrId).slice(0, 24), linkData };
      const ntfCreds = { authKey: generateKeyPair("Ed25519").publicKey, dhKey: generateKeyPair("X25519").publicKey };
      const change = { queueReqData: { mode: "messaging", data }, ntfCreds } as const;
      const { rcvId, sndId, serverNtfCreds, linkId } = (await makeQueue(client, { corrId, change })).ids;
      return { recipient: rcvId, sender: sndId, notifier: serverNtfCreds?.notifierId ?? EMPTY, link: linkId ?? EMPTY };
    }));
  }, 60_000);

  /** Each bit of an id as a row of +1 and -1 over the queues. */
  const rows = (ids: readonly Uint8Array[]): Int8Array[] =>
    Array.from({ length: ID_BITS }, (_, bit) =>
      Int8Array.from(ids, (id) => ((id[bit >> 3] ?? 0) >> (bit & 7) & 1) * 2 - 1));

  /** The strongest agreement between any bit of one id and any bit of the other, in standard deviations. */
  function strongest(a: readonly Uint8Array[], b: readonly Uint8Array[], skipSame = false): number {
    const [left, right] = [rows(a), rows(b)];
    let most = 0;
    for (const [i, x] of left.entries()) {
      for (const [j, y] of right.entries()) {
        if (skipSame && i === j) continue;
        let sum = 0;
        for (let k = 0; k < x.length; k++) sum += (x[k] ?? 0) * (y[k] ?? 0);
        most = Math.max(most, Math.abs(sum));
      }
    }
    return most / Math.sqrt(a.length);
  }

  const kinds = ["recipient", "sender", "notifier", "link"] as const;

  it("are balanced in every bit", () => {
    for (const kind of kinds) {
      for (const row of rows(all.map((ids) => ids[kind]))) {
        expect(Math.abs(row.reduce((sum, value) => sum + value, 0)) / Math.sqrt(QUEUES)).toBeLessThan(SIGMAS);
      }
    }
  });

  it("agree in no pair of bits: not two ids of one queue, not one with the next queue's, not within itself", () => {
    for (const [i, kind] of kinds.entries()) {
      const ids = all.map((each) => each[kind]);
      expect(strongest(ids, ids, true)).toBeLessThan(SIGMAS);
      expect(strongest(ids.slice(1), ids.slice(0, -1))).toBeLessThan(SIGMAS);
      for (const other of kinds.slice(i + 1)) {
        expect(strongest(ids, all.map((each) => each[other]))).toBeLessThan(SIGMAS);
      }
    }
  });

  it("have no six bytes in common", () => {
    const seen = new Set<string>();
    for (const ids of all) {
      for (const kind of kinds) {
        const text = hex(ids[kind]);
        for (let i = 0; i + 12 <= text.length; i += 2) {
          const part = text.slice(i, i + 12);
          expect(seen.has(part)).toBe(false);
          seen.add(part);
        }
      }
    }
  });
});

describe("answers and events", () => {
  const INSIDE = /error:|exception|stack|\.[tj]s\b|node_modules|sqlite|durable|workerd|cloudflare|object|\bat \w+|\/\w+\//i;

  it("name nothing from inside the relay, and no id but the one they are for", async () => {
    const [owner, subscriber, sender] = await Promise.all([bench.connect(), bench.connect(), bench.connect()]);
    const notifier = generateKeyPair("Ed25519");
    const ntfCreds = { authKey: notifier.publicKey, dhKey: generateKeyPair("X25519").publicKey };
    const queue = await makeQueue(owner, { change: { ntfCreds } });
    const { rcvId, sndId, serverNtfCreds } = queue.ids;
    const notifierId = serverNtfCreds?.notifierId ?? EMPTY;
    const secrets = [rcvId, sndId, notifierId].map((id) => Buffer.from(id));
    const check = (message: Parameters<typeof encodeMessage>[0]): void => {
      const bytes = Buffer.from(encodeMessage(message, 19));
      // An id in base64 can look like a path.
      const text = bytes.toString("latin1").replaceAll(/"[A-Za-z0-9+/]{32}"/g, "id");
      if (message.tag !== "MSG" && message.tag !== "NMSG") expect(text).not.toMatch(INSIDE);
      for (const id of secrets) expect([message.tag, bytes.includes(id)]).toEqual([message.tag, false]);
      for (const id of secrets) expect(bytes.toString("latin1")).not.toContain(id.toString("base64"));
    };
    type Asked = readonly [command: Command | Uint8Array, key: AuthSecretKey | null, id: Uint8Array];
    const ask = async (client: WireClient, ...asked: Asked): Promise<void> => check(await client.ask(...asked));
    await ask(subscriber, { tag: "NSUB" }, notifier.secretKey, notifierId);
    await ask(subscriber, { tag: "SUB" }, queue.recipientKey, rcvId);
    await ask(sender, { tag: "SEND", notification: true, body: utf8("x") }, null, sndId);
    for (const tag of ["QUE", "GET", "NDEL", "OFF"] as const) await ask(owner, { tag }, queue.recipientKey, rcvId);
    for (const text of ["", "X", "KEY x", "NEW", "SEND", "RSLV x", "LSET \u0001", "constructor"]) {
      const givers = [[queue.recipientKey, rcvId], [null, sndId], [null, EMPTY]] as const;
      for (const [key, id] of givers) await ask(sender, utf8(text), key, id);
    }
    const large: Command = { tag: "SEND", notification: false, body: new Uint8Array(16_049) };
    await ask(sender, large, null, sndId);
    await ask(owner, { tag: "DEL" }, queue.recipientKey, rcvId);
    const events = await Promise.all(Array.from({ length: 4 }, () => subscriber.event(undefined, 2000).catch(() => null)));
    for (const event of events) if (event) check(event.message);
    expect(events.filter(Boolean).length).toBeGreaterThanOrEqual(3);
  });
});

type Ways = Readonly<Record<string, () => Promise<unknown>>>;

/** The middle of the times of each way to ask, in microseconds: asked in turns, so that a busy machine is so for all. */
async function timesOf(ways: Ways, rounds: number): Promise<Record<string, number>> {
  const times = new Map<string, number[]>(Object.keys(ways).map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [name, way] of Object.entries(ways)) {
      const started = performance.now();
      await way();
      times.get(name)?.push(performance.now() - started);
    }
  }
  const median = (list: readonly number[]): number =>
    Math.round(1000 * (list.toSorted((a, b) => a - b)[list.length >> 1] ?? 0));
  return Object.fromEntries([...times].map(([name, list]) => [name, median(list)]));
}

describe("the time of a refusal", () => {
  function wrongWays(client: WireClient, queue: TestQueue, kind: "Ed25519" | "X25519"): Ways {
    const key = generateKeyPair(kind).secretKey as AuthSecretKey;
    const ask = (id: Uint8Array) => async (): Promise<void> => {
      expect(named(await client.ask({ tag: "SUB" }, key, id))).toBe("ERR AUTH");
    };
    return { "unknown id": ask(randomBytes(24)), "wrong key": ask(queue.ids.rcvId), "id of another kind": ask(queue.ids.sndId) };
  }

  it("is reported, not judged: this machine has other things to do", async () => {
    const client = await bench.connect();
    const lines: string[] = [];
    for (const kind of ["Ed25519", "X25519"] as const) {
      const queue = await makeQueue(client, { algorithm: "Ed25519" });
      await send(client, queue, "there is something in it");
      const times = await timesOf(wrongWays(client, queue, kind), 60);
      lines.push(`${kind}: ${Object.entries(times).map(([name, time]) => `${name} ${time} us`).join(", ")}`);
    }
    process.stdout.write(`median time of a refused SUB, signed with\n  ${lines.join("\n  ")}\n`);
  });
});
