import { cpSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { concat } from "#crypto/bytes";
import { generateKeyPair } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import { parseServerAddress, type Server } from "#protocol/address";
import type { Message } from "#protocol/commands";
import { FOLLOWING } from "../../src/relay/notification/limits.ts";
import type { Request } from "../../src/relay/dispatch.ts";
import { FalseRelay } from "../support/false-relay.ts";
import { eventOf, FarSide } from "../support/followed-relay.ts";
import { notify, type NotifiedQueue, sendNotifying, toldOf } from "../support/ntf-phone.ts";
import { PushRelay } from "../support/push-relay.ts";
import { makeQueue } from "../support/queue-user.ts";
import { RelayProcess, removeFolder, temporaryFolder } from "../support/relay-process.ts";

/** Longer than a relay takes to find another one again. */
const PATIENCE = { timeout: 60_000, interval: 500 };

/** Where phones are registered. */
let home: PushRelay;
/** Where their queues are. */
let away: RelayProcess;
let folder = "";
const folders: string[] = [];

const newFolder = (): string => {
  const made = temporaryFolder();
  folders.push(made);
  return made;
};

beforeAll(async () => {
  folder = newFolder();
  [home, away] = await Promise.all([
    PushRelay.start(["--tls-port", "off"], { PROXY_PORTS: "1024-65535" }),
    RelayProcess.start(folder, {}, 0, ["--tls-port", "0"]),
  ]);
});

afterAll(async () => {
  await Promise.all([home.stop(), away.stop()]);
  for (const one of folders) removeFolder(one);
});

const atWebSocket = (): Server => parseServerAddress(away.info.address);
const atGateway = (): Server => parseServerAddress(away.info.gateway ?? "");

async function startAgain(from: string): Promise<void> {
  const { port } = new URL(away.info.url);
  away = await RelayProcess.start(from, {}, Number(port), ["--tls-port", atGateway().port]);
}

async function makeQueues(count: number): Promise<readonly NotifiedQueue[]> {
  const owner = await away.connect();
  const queues: NotifiedQueue[] = [];
  for (let i = 0; i < count; i++) queues.push(await notify(owner, await makeQueue(owner, { change: { subscribe: false } })));
  owner.close();
  return queues;
}

async function knock(queue: NotifiedQueue): Promise<void> {
  const sender = await away.connect();
  await sendNotifying(sender, queue);
  sender.close();
}

/** A message, perhaps while nobody follows the queue: a push tells of it once somebody does again. */
async function knockAndWake(phone: Awaited<ReturnType<typeof newPhone>>, queue: NotifiedQueue): Promise<void> {
  await knock(queue);
  await expect.poll(() => phone.browser.received.length, PATIENCE).toBe(2);
  expect(toldOf((await phone.pushes(1))[0], [queue])).toEqual([0]);
}

async function newPhone(): ReturnType<PushRelay["browser"]> {
  const phone = await home.browser();
  await phone.activate();
  return phone;
}

/** A phone that follows one queue. */
async function following(server: Server): Promise<{ phone: Awaited<ReturnType<typeof newPhone>>; queue: NotifiedQueue; subId: Uint8Array }> {
  const [phone, [queue]] = await Promise.all([newPhone(), makeQueues(1)]);
  if (!queue) throw new Error("no queue");
  const subId = await phone.subscribe(server, queue);
  await expect.poll(() => phone.status(subId), PATIENCE).toBe("ACTIVE");
  return { phone, queue, subId };
}

describe("messages in queues of another relay", () => {
  it.each([["a WebSocket", atWebSocket], ["TLS, as a classic server has it", atGateway]])("wake a phone over %s", async (_, at) => {
    const { phone, queue } = await following(at());
    await knock(queue);
    expect(toldOf((await phone.pushes(1))[0], [queue])).toEqual([0]);
    phone.client.close();
  });

  it("are told of together, whichever phone they are for", async () => {
    const phones = [await newPhone(), await newPhone()] as const;
    const queues = await makeQueues(40);
    const subIds: Uint8Array[] = [];
    for (const [i, queue] of queues.entries()) subIds.push(await (phones[i % 2] ?? phones[0]).subscribe(atGateway(), queue));
    for (const [i, subId] of subIds.entries()) {
      await expect.poll(() => (phones[i % 2] ?? phones[0]).status(subId), PATIENCE).toBe("ACTIVE");
    }
    for (const queue of queues.slice(0, 4)) await knock(queue);
    for (const [which, phone] of phones.entries()) {
      const mine = queues.slice(0, 4).filter((_, i) => i % 2 === which);
      const told: number[] = [];
      while (told.at(-1) !== 1) told.push(...toldOf((await phone.pushes(1))[0], mine));
      expect(new Set(told)).toEqual(new Set([0, 1]));
      phone.client.close();
    }
  });

  it("of a queue that is gone, or whose key is wrong, are told of to the phone when it asks", async () => {
    const { phone, queue, subId } = await following(atWebSocket());
    const notifierKey = generateKeyPair("Ed25519").secretKey;
    const wrong = await phone.subscribe(atWebSocket(), { ...queue, notifierId: randomBytes(24), notifierKey });
    await expect.poll(() => phone.status(wrong), PATIENCE).toBe("AUTH");
    const owner = await away.connect();
    await owner.ask({ tag: "DEL" }, queue.recipientKey, queue.ids.rcvId);
    await expect.poll(() => phone.status(subId), PATIENCE).toBe("DELETED");
    owner.close();
    phone.client.close();
  });
});

describe("the way to another relay", { timeout: 120_000 }, () => {
  it("is found again after that was restarted, where it has moved with its data", async () => {
    const [overWebSocket, overTls] = [await following(atWebSocket()), await following(atGateway())];
    const both = [overWebSocket, overTls];
    await away.stop();
    for (const { phone, subId } of both) await expect.poll(() => phone.status(subId), PATIENCE).toBe("INACTIVE");
    const elsewhere = newFolder();
    cpSync(folder, elsewhere, { recursive: true });
    await startAgain(elsewhere);
    await Promise.all(both.map(({ phone, queue }) => knockAndWake(phone, queue)));
    for (const { phone, subId } of both) {
      await expect.poll(() => phone.status(subId), PATIENCE).toBe("ACTIVE");
      phone.client.close();
    }
  });

  it("is made again after this relay was killed, though no client comes", async () => {
    const { phone, queue } = await following(atWebSocket());
    phone.client.close();
    await home.restart("kill");
    await knockAndWake(phone, queue);
  });
});

describe("a relay that means harm", { timeout: 90_000 }, () => {
  const message = (): Message => ({ tag: "NMSG", nonce: randomBytes(24), encMeta: randomBytes(144) });

  /** A relay that does this with each block of NSUB, and a phone that follows a queue there. */
  async function harmful(act: (far: FarSide, requests: readonly Request[]) => Uint8Array | null) {
    const sessions = new Map<string, FarSide>();
    const relay = await FalseRelay.listen({
      answer: (block, session) => {
        const name = Buffer.from(session.sessionId).toString("hex");
        const far = sessions.get(name) ?? new FarSide(session);
        sessions.set(name, far);
        return act(far, far.read(block));
      },
    });
    const phone = await newPhone();
    const key = generateKeyPair("Ed25519").secretKey;
    const queue = { notifierId: randomBytes(24), notifierKey: key } as unknown as NotifiedQueue;
    return { relay, phone, subId: await phone.subscribe(relay.server, queue) };
  }

  const accept = (requests: readonly Request[]) =>
    requests.map(({ corrId, entityId }) => ({ corrId, entityId, message: { tag: "OK" } as const }));

  it("and floods with messages that were asked for costs a few pushes, and its connection", async () => {
    const { relay, phone } = await harmful((far, requests) => {
      const [queue] = requests;
      const accepted = far.write(accept(requests));
      const flood = Array.from({ length: 1.5 * FOLLOWING.blocksPerMinute }, () =>
        queue ? far.write([eventOf(queue.entityId, message())]) : []);
      return concat(...accepted, ...flood.flat());
    });
    const started = Date.now();
    await expect.poll(() => relay.blocks, PATIENCE).toBeGreaterThan(0);
    // Meanwhile others are served.
    expect(await phone.named({ tag: "TCHK" })).toBe("ACTIVE");
    await expect.poll(() => relay.open, PATIENCE).toBe(0);
    const seconds = (Date.now() - started) / 1_000;
    expect(relay.connections).toBeLessThan(2 + seconds / 5);
    const pushes = phone.browser.received.length - 1;
    expect(pushes).toBeGreaterThan(0);
    expect(pushes).toBeLessThan(2 + seconds);
    relay.stop();
    phone.client.close();
  });

  it("and tells of what nobody asked for is left", async () => {
    const { relay, phone, subId } = await harmful((far, requests) => {
      const accepted = far.write(accept(requests));
      const noise = Array.from({ length: FOLLOWING.vainBlocks + 1 }, () => far.write([eventOf(randomBytes(24), message())]));
      return concat(...accepted, ...noise.flat());
    });
    await expect.poll(() => [relay.connections > 0, relay.open], PATIENCE).toEqual([true, 0]);
    expect(phone.browser.received).toHaveLength(1);
    await expect.poll(() => phone.status(subId), PATIENCE).toBe("INACTIVE");
    relay.stop();
    phone.client.close();
  });

  it("and answers with noise is left, and tried again ever more seldom", async () => {
    const { relay, phone } = await harmful((far) => far.block(new Uint8Array(16_000).fill(0xff)));
    await expect.poll(() => relay.connections, PATIENCE).toBeGreaterThan(1);
    await new Promise((resolve) => setTimeout(resolve, 4_000));
    expect(relay.connections).toBeLessThan(4);
    expect(await phone.named({ tag: "TCHK" })).toBe("ACTIVE");
    relay.stop();
    phone.client.close();
  });

  it("and says nothing leaves the subscription pending, and everybody else in peace", async () => {
    const { relay, phone, subId } = await harmful(() => null);
    await expect.poll(() => relay.blocks, PATIENCE).toBe(1);
    expect(await phone.status(subId)).toBe("PENDING");
    const other = await following(atWebSocket());
    await knock(other.queue);
    expect(toldOf((await other.phone.pushes(1))[0], [other.queue])).toEqual([0]);
    relay.stop();
    for (const one of [phone, other.phone]) one.client.close();
  });
});
