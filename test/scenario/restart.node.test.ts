import { once } from "node:events";
import { readdirSync, writeFileSync } from "node:fs";
import { type IncomingMessage, request } from "node:http";
import type { Socket } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EMPTY } from "#crypto/bytes";
import { generateKeyPair } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import { drain, makeQueue, open, send, subscribe, type TestQueue } from "../support/queue-user.ts";
import { RelayProcess, removeFolder, runCommand, temporaryFolder } from "../support/relay-process.ts";
import { named } from "../support/wire-client.ts";

let data = "";
let relay: RelayProcess;

beforeEach(async () => {
  data = temporaryFolder();
  relay = await RelayProcess.start(data);
});

afterEach(async () => {
  await relay.stop();
  removeFolder(data);
});

describe("a relay in a process", () => {
  it("announces itself in one line, and ends cleanly when told to", async () => {
    expect(relay.info.address).toMatch(/^smp:\/\/[\w-]{43}=@127\.0\.0\.1:\d+$/);
    expect(relay.info.address).toContain(relay.info.fingerprint);
    expect(relay.info.url).toMatch(/^ws:\/\/127\.0\.0\.1:\d+\/$/);
    expect(await relay.stop()).toBe(0);
    expect(readdirSync(data)).not.toContain("relay.pid");
  });

  it("takes sockets on any path and never compresses: blocks are encrypted", async () => {
    const { host } = new URL(relay.info.url);
    const headers = {
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": "SGVsbG8sIHdvcmxkIQ==",
      "sec-websocket-extensions": "permessage-deflate; client_max_window_bits",
    };
    const upgraded = request(`http://${host}/any/path?x=y`, { headers }).end();
    const [response, socket] = await once(upgraded, "upgrade") as [IncomingMessage, Socket];
    expect(response.statusCode).toBe(101);
    expect(response.headers["sec-websocket-extensions"]).toBeUndefined();
    socket.destroy();
  });

  it("keeps its address, its queues and their messages when it starts again", async () => {
    const owner = await relay.connect();
    const queue = await makeQueue(owner);
    const sent = ["one", "two", "three"];
    for (const text of sent) expect(named(await send(owner, queue, text))).toBe("OK");
    await relay.stop();
    const { fingerprint } = relay.info;
    relay = await RelayProcess.start(data);
    expect(relay.info.fingerprint).toBe(fingerprint);
    expect(await drain(await relay.connect(), queue)).toEqual(sent);
  });

  it("refuses a folder that another relay uses, in plain words", async () => {
    const { code, stderr } = await runCommand(["start", "--port", "0", "--data", data]);
    expect(code).toBe(1);
    expect(stderr).toContain("another relay");
    expect(stderr.trim().split("\n")).toHaveLength(1);
  });
});

describe("a relay that cannot start", () => {
  it("says so in one line: a port that is taken, settings that are wrong", async () => {
    const other = temporaryFolder();
    try {
      const { port } = new URL(relay.info.url);
      const taken = await runCommand(["start", "--port", port, "--data", other]);
      expect(taken.code).toBe(1);
      expect(taken.stderr).toBe(`smp-edge start: port ${port} of 127.0.0.1 is in use; choose another with --port\n`);
      const settings = { QUEUE_QUOTA: "many", NEW_QUEUES: "maybe" };
      const wrong = await runCommand(["start", "--port", "0", "--data", other], settings);
      expect(wrong.code).toBe(1);
      expect(wrong.stderr).toContain("NEW_QUEUES must be on or off; QUEUE_QUOTA must be a whole number");
      expect(readdirSync(other)).not.toContain("relay.pid");
    } finally {
      removeFolder(other);
    }
  });
});

describe("a relay that is killed under load", () => {
  it("loses no message that it acknowledged, and doubles none", async () => {
    const owner = await relay.connect();
    const queues = [];
    for (let i = 0; i < 6; i++) queues.push(await makeQueue(owner, { change: { subscribe: false } }));
    const acknowledged = new Map<TestQueue, string[]>(queues.map((queue) => [queue, []]));
    const attempted = new Map<TestQueue, string[]>(queues.map((queue) => [queue, []]));
    const killed = new AbortController();
    const senders = queues.map(async (queue) => {
      const client = await relay.connect();
      for (let i = 0; !killed.signal.aborted && i < 120; i++) {
        const text = `message ${i}`;
        attempted.get(queue)?.push(text);
        const answer = await send(client, queue, text).catch(() => null);
        if (answer?.tag === "OK") acknowledged.get(queue)?.push(text);
      }
    });
    const total = (): number => [...acknowledged.values()].reduce((sum, texts) => sum + texts.length, 0);
    await expect.poll(total, { timeout: 20_000, interval: 5 }).toBeGreaterThan(150);
    await relay.kill();
    killed.abort();
    await Promise.all(senders);
    relay = await RelayProcess.start(data);
    for (const queue of queues) {
      const received = await drain(await relay.connect(), queue);
      const kept = acknowledged.get(queue) ?? [];
      expect(received.slice(0, kept.length)).toEqual(kept);
      // What was being sent at that moment may have arrived without its OK, and then once.
      expect(attempted.get(queue)?.slice(0, received.length)).toEqual(received);
      expect(received.length - kept.length).toBeLessThanOrEqual(1);
    }
  }, 60_000);

  it("gives what was delivered and not acknowledged again, under the same id", async () => {
    const owner = await relay.connect();
    const queue = await makeQueue(owner);
    await send(owner, queue, "again");
    const first = open(queue, (await owner.event()).message);
    await relay.kill();
    relay = await RelayProcess.start(data);
    const client = await relay.connect();
    await subscribe(client, queue);
    expect(open(queue, (await client.event()).message)).toEqual(first);
  });
});

describe("ids that lead nowhere", () => {
  const files = (): string[] =>
    ["Queue", "Link"].flatMap((name) => readdirSync(join(data, "do", `smp-edge-${name}`)).filter((file) => /^[0-9a-f]{64}/.test(file)));

  it("leave nothing on disk, however many are tried", async () => {
    const client = await relay.connect();
    const key = generateKeyPair("X25519").secretKey;
    await client.ask({ tag: "SUB" }, key, randomBytes(24));
    const before = files();
    const corrIds = Array.from({ length: 600 }, () => randomBytes(24));
    corrIds.forEach((corrId, i) => {
      const id = randomBytes(24);
      const transmissions = [
        client.transmission({ tag: "SUB" }, key, id, corrId),
        client.transmission({ tag: "SEND", notification: false, body: EMPTY }, null, id, corrId),
        client.transmission({ tag: "LGET" }, null, id, corrId),
      ];
      client.sendAll(transmissions.slice(i % 3, i % 3 + 1));
    });
    for (const corrId of corrIds) expect(named((await client.answer(corrId)).message)).toBe("ERR AUTH");
    expect(files()).toEqual(before);
  });

  it("of deleted queues are cleaned up at the next start", async () => {
    const client = await relay.connect();
    const kept = await makeQueue(client);
    for (let i = 0; i < 5; i++) {
      const queue = await makeQueue(client);
      await client.ask({ tag: "DEL" }, queue.recipientKey, queue.ids.rcvId);
    }
    await send(client, kept, "kept");
    await relay.stop();
    relay = await RelayProcess.start(data);
    const databases = files().filter((file) => file.endsWith(".sqlite"));
    expect(databases).toHaveLength(1);
    expect(await drain(await relay.connect(), kept)).toEqual(["kept"]);
  });
});

describe("the identity of a relay", () => {
  it("moves to another machine with its queues' ids", async () => {
    const { fingerprint } = relay.info;
    await relay.stop();
    const exported = await runCommand(["identity", "export", "--data", data]);
    expect(exported.code).toBe(0);
    const other = temporaryFolder();
    try {
      const file = join(other, "identity.json");
      writeFileSync(file, exported.stdout);
      const folder = join(other, "data");
      expect((await runCommand(["identity", "import", "--data", folder, file])).code).toBe(0);
      const printed = await runCommand(["identity", "print", "--data", folder]);
      expect(printed.stdout).toContain(fingerprint);
      const bad = await runCommand(["identity", "print", join(other, "nothing.json")]);
      expect(bad.code).toBe(1);
      expect(bad.stderr).not.toContain("    at ");
    } finally {
      removeFolder(other);
      relay = await RelayProcess.start(data);
    }
  }, 60_000);
});
