import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { randomBytes } from "#crypto/random";
import { clearBlock } from "#protocol/block";
import { identityFingerprint, makeIdentity } from "../../src/relay/identity.ts";
import { askThrough, openRelay } from "../support/forwarding.ts";
import { FalseRelay, type Faults } from "../support/false-relay.ts";
import { makeQueue, send } from "../support/queue-user.ts";
import { RelayProcess, removeFolder, temporaryFolder } from "../support/relay-process.ts";
import { named, type WireClient } from "../support/wire-client.ts";

const LOCAL = { PROXY_PRIVATE: "on", PROXY_PORTS: "1024-65535" };
const NOBODY = new Uint8Array(24);
/** Longer than a proxy waits for anything. */
const PATIENCE = 30_000;

const folder = temporaryFolder();
const relays: FalseRelay[] = [];
let proxy: RelayProcess;

beforeAll(async () => {
  proxy = await RelayProcess.start(folder, LOCAL);
});

afterAll(async () => {
  for (const relay of relays) relay.stop();
  await proxy.stop();
  removeFolder(folder);
});

async function falseRelay(faults: Faults = {}): Promise<FalseRelay> {
  const relay = await FalseRelay.listen(faults);
  relays.push(relay);
  return relay;
}

async function prxy(client: WireClient, { server }: FalseRelay): Promise<string> {
  const corrId = randomBytes(24);
  client.sendAll([client.transmission({ tag: "PRXY", server, basicAuth: null }, null, undefined, corrId)]);
  return named((await client.answer(corrId, PATIENCE)).message);
}

async function until(isSo: () => boolean): Promise<void> {
  const end = Date.now() + 5_000;
  while (!isSo() && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 20));
  expect(isSo()).toBe(true);
}

const stranger = makeIdentity("stranger.example", Date.now());

describe("a destination that is not what it should be", () => {
  it.each<[string, Faults, string]>([
    ["shows the certificates of another relay", { tlsIdentity: stranger }, "ERR PROXY BROKER NETWORK"],
    ["says another relay's hello", { helloIdentity: stranger }, "ERR PROXY BROKER TRANSPORT HANDSHAKE BAD_AUTH"],
    ["names another session than that of TLS", { sessionId: randomBytes(32) }, "ERR PROXY BROKER TRANSPORT SESSION"],
    ["says no hello but noise", { hello: clearBlock(randomBytes(100)) }, "ERR PROXY BROKER TRANSPORT HANDSHAKE PARSE"],
  ])("is left when it %s", async (_, faults, expected) => {
    const relay = await falseRelay(faults);
    const client = await proxy.connect();
    expect(await prxy(client, relay)).toBe(expected);
    await until(() => relay.open === 0);
    expect(relay.blocks).toBe(0);
    client.close();
  });

  it("is taken for what it is when nothing is wrong with it", async () => {
    const client = await proxy.connect();
    expect(await prxy(client, await falseRelay())).toBe("PKEY");
    client.close();
  });

  it("is not waited for when it dies in the middle of a request, and found again", async () => {
    const relay = await falseRelay({
      answer: (_block, _session, end) => {
        end();
        return null;
      },
    });
    const client = await proxy.connect();
    const there = await openRelay(client, relay.server);
    const asked = Date.now();
    expect(named(await askThrough(client, there, { tag: "LGET" }, null, NOBODY))).toBe("ERR PROXY BROKER NETWORK");
    expect(Date.now() - asked).toBeLessThan(5_000);
    expect(named(await askThrough(client, there, { tag: "LGET" }, null, NOBODY))).toBe("ERR PROXY NO_SESSION");
    expect((await openRelay(client, relay.server)).sessionId).not.toEqual(there.sessionId);
    client.close();
  });

  it("is left when it answers with noise, or with part of a block", async () => {
    const relay = await falseRelay({ answer: () => new Uint8Array(16_384).fill(0xff) });
    const client = await proxy.connect();
    const there = await openRelay(client, relay.server);
    const answer = await askThrough(client, there, { tag: "LGET" }, null, NOBODY);
    expect(named(answer)).toBe("ERR PROXY BROKER RESPONSE \u0005BLOCK");
    await until(() => relay.open === 0);
    relay.faults = {
      answer: (_block, _session, end) => {
        setTimeout(end, 100);
        return randomBytes(100);
      },
    };
    const again = await openRelay(client, relay.server);
    expect(named(await askThrough(client, again, { tag: "LGET" }, null, NOBODY))).toBe("ERR PROXY BROKER NETWORK");
    client.close();
  });

  it("answers what nobody asked, which nobody hears", async () => {
    const relay = await falseRelay({ answer: () => clearBlock(Uint8Array.of(1, 0, 5, 0, 0, 0, 0x4f, 0x4b)) });
    const client = await proxy.connect();
    const there = await openRelay(client, relay.server);
    const pending = askThrough(client, there, { tag: "LGET" }, null, NOBODY);
    await until(() => relay.blocks === 1);
    relay.hangUp();
    expect(named(await pending)).toBe("ERR PROXY BROKER NETWORK");
    client.close();
  });
});

describe.concurrent("a destination that hangs", () => {
  it("before its hello is given up after 15 seconds, and keeps no other command of its client waiting", async () => {
    const relay = await falseRelay({ isMute: true });
    const client = await proxy.connect();
    const queue = await makeQueue(client, { change: { subscribe: false } });
    const corrIds = Array.from({ length: 3 }, () => randomBytes(24));
    const command = { tag: "PRXY", server: relay.server, basicAuth: null } as const;
    const start = Date.now();
    client.sendAll(corrIds.map((corrId) => client.transmission(command, null, undefined, corrId)));
    for (let i = 0; i < 50; i++) expect(named(await send(client, queue, `meanwhile ${i}`))).toBe("OK");
    expect(Date.now() - start, "milliseconds for 50 messages").toBeLessThan(10_000);
    for (const corrId of corrIds) {
      expect(named((await client.answer(corrId, PATIENCE)).message)).toBe("ERR PROXY BROKER NETWORK");
    }
    expect(Date.now() - start).toBeGreaterThan(14_000);
    // One for each way that was tried.
    expect(relay.connections).toBe(2);
    await until(() => relay.open === 0);
    client.close();
  }, 60_000);

  it("after its hello is given up after 20 seconds, with everything that waits for it", async () => {
    const relay = await falseRelay();
    const clients = await Promise.all([proxy.connect(), proxy.connect()]);
    const start = Date.now();
    const answers = await Promise.all(clients.map(async (client) => {
      const there = await openRelay(client, relay.server);
      return named(await askThrough(client, there, { tag: "LGET" }, null, NOBODY, PATIENCE));
    }));
    expect(Date.now() - start).toBeGreaterThan(19_000);
    expect(answers).toEqual(["ERR PROXY BROKER TIMEOUT", "ERR PROXY BROKER TIMEOUT"]);
    await until(() => relay.open === 0);
    for (const client of clients) client.close();
  }, 60_000);
});

/** Sockets of the runtime behind the proxy. */
function socketsOfProxy(): number {
  const pid = readFileSync(join(folder, "workerd.pid"), "utf8").trim();
  return readdirSync(`/proc/${pid}/fd`).length;
}

describe("a thousand short requests to connect", () => {
  it("leave no sockets behind", async () => {
    const relay = await falseRelay();
    const warm = await proxy.connect();
    expect(await prxy(warm, relay)).toBe("PKEY");
    await until(() => relay.open === 1);
    const before = socketsOfProxy();
    for (let round = 0; round < 10; round++) {
      const client = await proxy.connect();
      const corrIds = Array.from({ length: 100 }, () => randomBytes(24));
      for (const corrId of corrIds) {
        // Each for a relay that is not there: another object, two connections that end in nothing.
        const server = { ...relay.server, keyHash: randomBytes(32) };
        client.sendAll([client.transmission({ tag: "PRXY", server, basicAuth: null }, null, undefined, corrId)]);
      }
      for (const corrId of corrIds) {
        expect(named((await client.answer(corrId, 20_000)).message)).toBe("ERR PROXY BROKER NETWORK");
      }
      client.close();
    }
    expect(relay.connections).toBeGreaterThan(1_000);
    await until(() => relay.open === 1);
    await until(() => socketsOfProxy() <= before + 5);
    warm.close();
  }, 120_000);

  it("of clients that come and go share one", async () => {
    const relay = await falseRelay();
    for (let round = 0; round < 10; round++) {
      const client = await proxy.connect();
      const corrIds = Array.from({ length: 100 }, () => randomBytes(24));
      const command = { tag: "PRXY", server: relay.server, basicAuth: null } as const;
      client.sendAll(corrIds.map((corrId) => client.transmission(command, null, undefined, corrId)));
      for (const corrId of corrIds) expect((await client.answer(corrId)).message.tag).toBe("PKEY");
      client.close();
    }
    expect([relay.connections, relay.open]).toEqual([1, 1]);
    expect(identityFingerprint(relay.own)).toEqual(relay.server.keyHash);
  });
});
